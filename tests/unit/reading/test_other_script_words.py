"""Tests of words in another script than the rest of their line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from backend_main.reading import Engine, Line, Options, PageDone, PageImage, WarningCode, load_engine, read
from backend_main.reading.engines import UnreadWord
from backend_main.reading.engines.rapid.line_ink import LineInk
from backend_main.reading.engines.rapid.unread_words import unread_words
from backend_main.reading.engines.tesseract import TesseractEngine
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.other_script_words import (
    MAX_LATIN_CONFIDENCE,
    _is_better,
    reread_other_script_words,
)
from backend_main.reading.script_readings import Reading
from tests.support.fake_engines import FakeEngine
from tests.support.fonts import find_font
from tests.support.mixed_scripts import LATIN_FONT, OTHER, as_page, draw_pieces
from tests.support.page_warnings import messages_of
from tests.support.tesseract import skip_without_tesseract

WORDS = {"ru": "договор", "el": "σχολείο", "ar": "محمد", "he": "שלום", "hi": "भारत", "ko": "도서관"}
SENTENCE = ("Our partner ", " sold twelve boats in the spring")
SIZE = 36
SURE, UNSURE = 0.99, 0.6


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid", 1)
    yield engine
    engine.close()


def page_with(code: str) -> bytes:
    """Draw an English line with a word in another language, and one without."""
    _, font, _ = OTHER[code]
    before, after = ((LATIN_FONT, part) for part in SENTENCE)
    return draw_pieces(
        [[before, (font, WORDS[code]), after], [(LATIN_FONT, "He left the harbour before noon")]]
    )


def read_png(png: bytes, engine: Engine, folder: Path) -> PageDone:
    path = folder / "page.png"
    path.write_bytes(png)
    [done] = [event for event in read(path, Options(threads=1), engine) if isinstance(event, PageDone)]
    return done


@pytest.mark.parametrize("code", WORDS)
def test_word_in_another_script_is_read_within_its_line(code: str, rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("en", code)
    done = read_png(page_with(code), rapid, tmp_path)
    assert WORDS[code].join(SENTENCE) in done.text
    [warning] = messages_of(done)
    assert f"1 word on page 1 is in {OTHER[code][0]} script; “tesseract” read it" in warning


def test_word_in_a_script_without_pack_has_a_warning_with_its_box(
    rapid: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_tesseract()
    monkeypatch.setattr(TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"en"})))
    done = read_png(page_with("hi"), rapid, tmp_path)
    [warning] = done.warnings
    assert warning.code == WarningCode.UNREAD_INK
    assert "1 word on page 1 could not be read" in warning.message
    [box] = warning.boxes
    left = find_font(LATIN_FONT, 32)
    assert left is not None
    assert abs(box[0][0] - (60 + left.getlength(SENTENCE[0]))) < 16


@pytest.mark.parametrize(
    "text",
    [
        "Przybylski and Tchaikovsky of Szczecin sold BC30-7741 for 4.711,50",
        "Mr. O’Neill wrote to a.b@c.de about XVIII kWh in May 1987",
        "Ångström, Müller & Sørensen Ltd. (DE89370400440532013000)",
    ],
)
def test_names_numbers_and_codes_have_no_warning(text: str, rapid: Engine, tmp_path: Path) -> None:
    assert read_png(draw_pieces([[(LATIN_FONT, text)]]), rapid, tmp_path).warnings == []


def odd_words(printed: str, words: Sequence[tuple[str, float]]) -> list[UnreadWord]:
    """Return the odd words of a line.

    Args:
        printed: words as printed, between spaces.
        words: what was read for each one, and the probability of its letters.
    """
    font = find_font(LATIN_FONT, SIZE)
    if font is None:
        pytest.skip(f"LOUD: {LATIN_FONT} is not installed")
    image = Image.new("RGB", (round(font.getlength(printed)) + 40, 2 * SIZE), "white")
    ImageDraw.Draw(image).text((20, 0), printed, fill="black", font=font)
    ink = LineInk.of(np.asarray(image)[:, :, ::-1].copy())
    assert ink is not None
    text, positions, probabilities = "", list[float](), list[float]()
    starts = accumulate((font.getlength(f"{word} ") for word in printed.split(" ")), initial=20.0)
    for (word, probability), (left, right) in zip(words, pairwise(starts), strict=True):
        if not word:
            continue
        for number, letter in enumerate(f"{word} "):
            text += letter
            positions.append(left + (right - left) * (number + 0.5) / (len(word) + 1))
            probabilities.append(probability)
    return unread_words(text[:-1], positions[:-1], probabilities[:-1], ink)


def test_unread_words_of_sure_letters_are_none() -> None:
    words = [("He", SURE), ("paid", SURE), ("Tchaikovsky", SURE), ("twice", SURE)]
    assert odd_words("He paid Tchaikovsky twice", words) == []


def test_unread_words_has_ink_without_letters() -> None:
    [word] = odd_words("He paid WWWWW twice", [("He", SURE), ("paid", SURE), ("", 0.0), ("twice", SURE)])
    assert (word.start, word.stop, word.has_ink_alone) == (2, 2, True)
    assert 0.3 < word.left < word.right < 0.8


def test_unread_words_has_ink_with_too_few_letters() -> None:
    [word] = odd_words("He paid WWWWW twice", [("He", SURE), ("paid", SURE), ("a", UNSURE), ("twice", SURE)])
    assert (word.start, word.stop, word.has_ink_alone) == (2, 3, True)


def test_unread_words_has_unsure_letters_in_a_sure_line() -> None:
    [word] = odd_words(
        "He paid cnacn6o twice", [("He", SURE), ("paid", SURE), ("cnacuo", UNSURE), ("twice", SURE)]
    )
    assert (word.start, word.stop, word.has_ink_alone) == (2, 3, False)


def test_unread_words_of_an_unsure_line_are_none() -> None:
    words = [("He", UNSURE), ("paid", UNSURE), ("cnacuo", UNSURE), ("twice", UNSURE)]
    assert odd_words("He paid cnacn6o twice", words) == []


def test_unread_words_of_an_unsure_english_word_are_none() -> None:
    words = [("He", SURE), ("paid", SURE), ("harbour", UNSURE), ("twice", SURE)]
    assert odd_words("He paid harbour twice", words) == []


def test_unread_words_of_a_formula_are_none() -> None:
    words = [("where", SURE), ("=", SURE), ("aijux", UNSURE), ("twice", SURE)]
    assert odd_words("where = aijux twice", words) == []


class EngineWithUnreadWords(FakeEngine):
    """Engine that names the third word of each line."""

    languages = frozenset({"en"})

    def unread_words(self, line: Line) -> Sequence[UnreadWord]:
        return [UnreadWord(2, 3, 0.3, 0.5)]


def test_reread_of_a_word_that_tesseract_reads_in_latin_keeps_the_line() -> None:
    skip_without_tesseract("en", "ru")
    page = as_page(draw_pieces([[(LATIN_FONT, "He paid Tchaikovsky twice")]]))
    engine = EngineWithUnreadWords("He paid Tchaikovskv twice")
    lines = list(engine.read_page(PageImage(1, page.pixels, page.width, page.height)))
    reread = reread_other_script_words(page, lines, engine, Options(), FallbackEngines(1))
    assert reread is not None
    assert (reread.lines, reread.warnings) == (lines, [])


@pytest.mark.parametrize(
    ("latin_confidence", "is_better"),
    [(None, False), (MAX_LATIN_CONFIDENCE - 0.01, True), (MAX_LATIN_CONFIDENCE, False), (0.99, False)],
)
def test_reading_of_look_alikes_needs_an_unsure_reading_in_latin(
    latin_confidence: float | None, is_better: bool
) -> None:
    cyrillic = Reading("комитет", 0.9, (), "Cyrillic", "tesseract", ("ru",))
    latin = None
    if latin_confidence is not None:
        latin = Reading("KOMMTET", latin_confidence, (), "Latin", "tesseract", ("en",))
    assert _is_better(cyrillic, latin) is is_better
