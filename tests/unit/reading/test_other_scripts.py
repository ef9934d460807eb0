"""Tests of lines in scripts and languages that the engine of a page does not read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.reading import Engine, Line, Options, PageDone, load_engine, read
from backend_main.reading.character_sets import covers, missing_letters
from backend_main.reading.engines.tesseract import TesseractEngine
from backend_main.reading.line_sheet import GAP, LINE_HEIGHT, LineSheet
from backend_main.reading.lost_letters import is_damaged_vietnamese
from backend_main.reading.types import level_box
from tests.support.mixed_scripts import (
    ENGLISH,
    LATIN_FONT,
    OTHER,
    VIETNAMESE,
    as_page,
    draw_lines,
    page_among_english,
)
from tests.support.page_warnings import messages_of
from tests.support.tesseract import skip_without_tesseract

ASCII = frozenset("abcdefghijklmnopqrstuvwxyz")


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def read_png(png: bytes, engine: Engine, folder: Path) -> PageDone:
    path = folder / "page.png"
    path.write_bytes(png)
    [done] = [event for event in read(path, Options(), engine) if isinstance(event, PageDone)]
    return done


@pytest.fixture
def english_only(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without_tesseract()
    monkeypatch.setattr(TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"en"})))


@pytest.mark.parametrize("code", OTHER)
def test_lines_in_another_script_are_read(code: str, rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("en", code)
    script, _, lines = OTHER[code]
    done = read_png(page_among_english(code), rapid, tmp_path)
    # Tesseract puts spaces of its own between Korean syllables.
    letters = "".join(done.text.split())
    assert [line for line in (*lines, *ENGLISH) if "".join(line.split()) not in letters] == []
    [warning] = messages_of(done)
    assert f"in {script} script; “tesseract” read" in warning


@pytest.mark.parametrize("code", ["ru", "el"])
def test_lines_in_another_script_of_a_page_on_its_side_are_read(
    code: str, rapid: Engine, tmp_path: Path
) -> None:
    skip_without_tesseract("en", code)
    lines = [*((LATIN_FONT, line) for line in ENGLISH), *((LATIN_FONT, line) for line in OTHER[code][2])]
    done = read_png(draw_lines(lines, quarter_turns=1), rapid, tmp_path)
    assert all(line in " ".join(done.text.split()) for line in OTHER[code][2])


def test_latin_words_of_a_line_in_another_script_stay_latin(rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("en", "ru")
    lines = [*ENGLISH, "Name: Иванов Иван Петрович"]
    done = read_png(draw_lines([(LATIN_FONT, line) for line in lines]), rapid, tmp_path)
    assert "Name: Иванов Иван Петрович" in done.text


def test_look_alike_line_beside_cyrillic_is_read_as_cyrillic(rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("en", "ru")
    lines = [*ENGLISH, *OTHER["ru"][2], "Масса: 12 кг"]
    done = read_png(draw_lines([(LATIN_FONT, line) for line in lines]), rapid, tmp_path)
    assert "Масса: 12 кг" in done.text


@pytest.mark.usefixtures("english_only")
@pytest.mark.parametrize("code", ["ru", "ar", "he"])
def test_unread_lines_are_counted_in_a_warning(code: str, rapid: Engine, tmp_path: Path) -> None:
    done = read_png(page_among_english(code), rapid, tmp_path)
    [warning] = messages_of(done)
    count = len(OTHER[code][2])
    assert warning.startswith("1 line on page 1" if count == 1 else f"{count} lines on page 1")
    others = {script for script, _, _ in OTHER.values()} - {OTHER[code][0]}
    assert not [script for script in others if script in warning]


def test_english_page_is_not_read_again(rapid: Engine, tmp_path: Path) -> None:
    lines = [(LATIN_FONT, line) for line in (*ENGLISH, "Macro Aux Tom Total 12", "Acme Inc. Tax")]
    done = read_png(draw_lines(lines), rapid, tmp_path)
    assert done.warnings == []
    assert "Macro Aux Tom Total 12" in done.text


def test_vietnamese_is_read_with_its_letters(rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("vi")
    done = read_png(draw_lines([(LATIN_FONT, line) for line in VIETNAMESE]), rapid, tmp_path)
    words = done.text.split()
    found = [word for line in VIETNAMESE for word in line.split() if word in words]
    assert len(found) >= 0.95 * sum(len(line.split()) for line in VIETNAMESE)
    assert "in Vietnamese" in done.warnings[0].message


@pytest.mark.usefixtures("english_only")
def test_vietnamese_without_a_pack_has_a_warning_with_the_package(
    rapid: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend_main.reading.engines.tesseract._pack_by_code", lambda: {"en": "eng"})
    done = read_png(draw_lines([(LATIN_FONT, line) for line in VIETNAMESE]), rapid, tmp_path)
    [warning] = messages_of(done)
    assert warning.startswith("5 lines on page 1 are in Vietnamese")
    assert "tesseract-ocr-vie" in warning


@pytest.mark.parametrize(
    "text",
    [
        "The Chinese names Guo Ming Dang and Li Hong Zhang and Wu Tang are in the list",
        "Gojazni đačić s biciklom drži hmelj i finu vatu u džepu nošnje, prst na trg",
        " ".join(ENGLISH),
        "Nǐ hǎo, wǒ shì Zhōng guó rén, xiè xie nǐ men, zài jiàn",
        "kg cm km mm kW Hz kHz GHz dB ml",
    ],
)
def test_is_damaged_vietnamese_rejects_other_languages(text: str) -> None:
    assert not is_damaged_vietnamese([text])


def test_is_damaged_vietnamese_accepts_lost_letters() -> None:
    assert is_damaged_vietnamese(["Cng hòa xã hi ch nghĩa Vit Nam", "Giy chng nhn quyn s dng đt"])


def test_is_damaged_vietnamese_accepts_vowel_with_another_mark() -> None:
    """PP-OCRv6 reads ả as å."""
    assert is_damaged_vietnamese(["phm Tt Ông cå du bình", "phm Tt Ông cå du bình"])


def test_line_sheet_assigns_pieces_to_their_lines() -> None:
    page = as_page(draw_lines([(LATIN_FONT, line) for line in ENGLISH[:2]]))
    sheet = LineSheet.of(page, [level_box(60, 60, 900, 100), level_box(60, 114, 900, 154)])
    assert sheet.page.height == 2 * (LINE_HEIGHT + GAP) + GAP
    lower = level_box(30, 2 * GAP + LINE_HEIGHT, 400, 2 * GAP + 2 * LINE_HEIGHT)
    assert [[line.text for line in lines] for lines in sheet.by_line([Line(1, "b", "b", lower)])] == [
        [],
        ["b"],
    ]


def test_covers_needs_every_small_letter() -> None:
    assert covers("en", ASCII)
    assert not covers("de", ASCII)
    assert covers("de", ASCII | set("äöüß"))
    assert not covers("xx", ASCII)


def test_missing_letters_accepts_letters_in_parts() -> None:
    assert "é" in missing_letters("fr", ASCII)
    assert "é" not in missing_letters("fr", ASCII | {"\u0301"})
