"""Tests that engines, documentation and API claim the languages that are read, on drawn pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.reading import Engine, Options, PageDone, engine_info, load_engine, read
from backend_main.reading.character_sets import exemplar_letters
from backend_main.reading.engines.rapid.engine import RapidEngine
from backend_main.reading.engines.rapid.letters import LANGUAGES_BY_PROFILE, UNREAD_LETTERS, UNREAD_SIGNS
from benchmarks.languages import lost_characters
from tests.support.language_pages import RIGHT_TO_LEFT, TEXTS, draw_page
from tests.support.scoring import score
from tests.support.tesseract import skip_without_tesseract

GUIDE = Path(__file__).parents[3] / "docs" / "pages" / "how-to" / "engines.md"
DPI = 200
CLAIMED = sorted(set(TEXTS) & RapidEngine.supported_languages())
OTHERS = sorted(set(TEXTS) - RapidEngine.supported_languages() - {"cs"})


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def read_language(code: str, engine: Engine, folder: Path) -> tuple[str, list[str]]:
    """Return the text of a drawn page, and its lines."""
    page = draw_page(code, DPI)
    if page is None:
        pytest.skip(f"LOUD: the font of {code!r} is not installed; the language was not tested")
    path = folder / "page.png"
    page.image.save(path)
    [done] = [event for event in read(path, Options(), engine) if isinstance(event, PageDone)]
    return done.text, page.lines


@pytest.mark.parametrize("code", CLAIMED)
def test_rapid_reads_the_letters_and_signs_of_a_claimed_language(
    code: str, rapid: Engine, tmp_path: Path
) -> None:
    text, lines = read_language(code, rapid, tmp_path)
    lost = lost_characters(text, "\n".join(lines))
    letters = exemplar_letters(code) - set(UNREAD_LETTERS["accurate"])
    assert {one for one in lost if one in letters} == set()
    assert set("„¡¿‰€§«ªº") & set(lost) == set()
    assert score(text, "\n".join(lines)).word_f1 >= 0.9


@pytest.mark.parametrize("code", OTHERS)
def test_page_in_another_language_is_read_by_the_engine_for_it(
    code: str, rapid: Engine, tmp_path: Path
) -> None:
    skip_without_tesseract(code)
    text, lines = read_language(code, rapid, tmp_path)
    assert score(text, "\n".join(lines)).word_f1 >= 0.75


@pytest.mark.parametrize("code", sorted(RIGHT_TO_LEFT))
def test_recognized_right_to_left_text_is_in_logical_order(code: str, rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract(code)
    text, lines = read_language(code, rapid, tmp_path)
    printed = " ".join(lines).split()
    places = [text.split().index(word) for word in printed if text.split().count(word) == 1]
    assert places == sorted(places)
    assert len(places) >= 0.7 * len(printed)


def table_rows() -> dict[str, list[str]]:
    """Return the language codes by engine and profile in the guide."""
    rows = re.findall(r"^\| `rapid`, profile `(\w+)` \| ([a-z ]+) \|$", GUIDE.read_text(), re.MULTILINE)
    return {profile: codes.split() for profile, codes in rows}


def test_guide_lists_the_languages_of_each_profile() -> None:
    assert table_rows() == {profile: sorted(codes) for profile, codes in LANGUAGES_BY_PROFILE.items()}


def test_engine_info_lists_the_languages_of_the_default_profile() -> None:
    assert engine_info("rapid").languages == table_rows()["accurate"]


def test_guide_names_the_unread_signs() -> None:
    [row] = re.findall(r"^\| any \| the signs (.*?) \|", GUIDE.read_text(), re.MULTILINE)
    assert set(row.split()) == set(UNREAD_SIGNS)
