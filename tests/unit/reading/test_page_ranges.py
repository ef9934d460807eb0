"""Page selections and languages, as options of a read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend_main.reading import (
    NoSuchPage,
    Options,
    PageDone,
    UnsupportedOption,
    read,
)
from backend_main.reading.languages import LANGUAGES, language_names, normalize_code
from backend_main.reading.page_ranges import PageRanges
from tests.support.page_warnings import messages_of
from tests.support.scripted_documents import scripted_tiff


@pytest.mark.parametrize(
    ("text", "of_nine"),
    [
        (None, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("3", [3]),
        ("2-4", [2, 3, 4]),
        ("8-", [8, 9]),
        ("7, 1-2", [1, 2, 7]),
        ("1-3,2-5", [1, 2, 3, 4, 5]),
        ("9-9", [9]),
    ],
)
def test_page_ranges_contain_the_named_pages(text: str | None, of_nine: list[int]) -> None:
    selection = PageRanges(text)
    assert [number for number in range(1, 10) if number in selection] == of_nine
    visited, number = [], selection.next_page(0)
    while number is not None and number <= 9:
        visited.append(number)
        number = selection.next_page(number)
    assert visited == of_nine


@pytest.mark.parametrize(
    "text", ["0", "a", "1,", ",", "3-2", "-3", "1--2", "1 2", "99999999", "1," * 200, "١"]
)
def test_page_ranges_of_invalid_text_raise(text: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid page selection|at most|count from 1"):
        PageRanges(text)


@pytest.fixture
def five_pages(tmp_path: Path) -> Path:
    path = tmp_path / "five.tiff"
    path.write_bytes(scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 6)]))
    return path


def test_read_with_pages_reads_only_these(five_pages: Path) -> None:
    events = read(five_pages, Options(engine="dummy", pages="2,4-"))
    done = [event for event in events if isinstance(event, PageDone)]
    assert [(page.number, page.text, page.page_count) for page in done] == [
        (2, "page 2", 5),
        (4, "page 4", 5),
        (5, "page 5", 5),
    ]


def test_read_with_pages_beyond_end_raises_no_such_page(five_pages: Path) -> None:
    with pytest.raises(NoSuchPage, match="The file has 5 pages; pages 7-9 are not among them"):
        list(read(five_pages, Options(engine="dummy", pages="7-9")))


def warnings_of(path: Path, **options: Any) -> dict[int, list[str]]:
    events = read(path, Options(engine="dummy", **options))
    return {event.number: messages_of(event) for event in events if isinstance(event, PageDone)}


def test_read_with_some_pages_beyond_end_warns_on_last_page(five_pages: Path) -> None:
    warning = "Pages 6-7,9- were requested; the file has 5 pages."
    assert warnings_of(five_pages, pages="1,4-7,9-") == {1: [], 4: [], 5: [warning]}
    assert warnings_of(five_pages, pages="1,4-7,9-", first_page=5, last_page=5) == {5: [warning]}
    assert warnings_of(five_pages, pages="2,6") == {2: ["Page 6 was requested; the file has 5 pages."]}


@pytest.mark.parametrize("pages", ["", "2-", "1-5", "5"])
def test_read_with_range_up_to_the_end_does_not_warn(five_pages: Path, pages: str) -> None:
    assert not any(warnings_of(five_pages, pages=pages).values())


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("1", "3", "1,3"),
        ("2", "1", "1-2"),
        ("1-4", "2-3,6", "1-4,6"),
        ("1-4", "4-9,11-", "1-9,11-"),
        ("3-", "1-2", ""),
        ("", "7", ""),
    ],
)
def test_page_ranges_union_is_normalized(one: str, other: str, both: str) -> None:
    assert str(PageRanges(one) | PageRanges(other)) == both


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (Options(engine="dummy", pages="x"), "pages"),
        (Options(engine="dummy", languages=("ru",)), "languages"),
        (Options(engine="dummy", profile="fast"), "profile"),
    ],
)
def test_read_with_unsupported_option_names_the_option(
    five_pages: Path, options: Options, option: str
) -> None:
    with pytest.raises(UnsupportedOption) as raised:
        list(read(five_pages, options))
    assert raised.value.option == option


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("de", "de"),
        ("deu", "de"),
        ("DE", "de"),
        ("pt-BR", "pt"),
        ("chi_sim", "zh"),
        ("zh-Hans", "zh"),
        ("xx", "xx"),
    ],
)
def test_normalize_code_accepts_codes_packs_and_regions(word: str, code: str) -> None:
    assert normalize_code(word) == code


def test_languages_have_names_and_unique_packs() -> None:
    packs = [pack for language in LANGUAGES.values() for pack in language.packs]
    assert len(packs) == len(set(packs))
    assert all(language.name.isalpha() and len(language.code) == 2 for language in LANGUAGES.values())
    assert language_names(["fr", "de", "frk2"]) == "de (German), fr (French), frk2"
