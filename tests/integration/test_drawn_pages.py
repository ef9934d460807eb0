"""Property: each word on the picture of a page is in its text, or a warning accounts for it.

Hypothesis draws pages (`tests/support/drawn_pages.py`): sixteen languages, quarter turns, sizes, modes,
formats and damage. A warning accounts for a word if one of its boxes covers the middle of the word, or if it
is about the whole page and says that text is missing or uncertain. A message for a file that cannot be read
accounts for a damaged file only.

Words are compared without case, but with accents. In words of five letters and more, a picture of poor
quality (`PageTraits.is_poor`) may cost one letter: there, strokes of letters have less than a pixel, and a
person reads them by the word. The examples are always the same ones, so that a failure repeats. With --slow
and DRAWN_PAGES_EXAMPLES, their number for each group of languages, more are drawn. That is a search for
faults: of 20 such pages, one fails, mostly by one letter of a word.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from rapidfuzz.distance import Levenshtein

from backend_main.reading import Options, PageDone, PageWarning, UnreadableFile, WarningCode, read
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine
from tests.support.drawn_pages import (
    FONTS,
    LATIN,
    WITHOUT_SPACES,
    DrawnWord,
    PageTraits,
    draw_page,
    page_traits,
)
from tests.support.fonts import find_font
from tests.support.page_structure import structure_faults
from tests.support.tesseract import skip_without_tesseract

EXAMPLES, EXAMPLES_SLOW = 2, int(os.environ.get("DRAWN_PAGES_EXAMPLES", "0"))
searches_for_faults = pytest.mark.skipif(
    not EXAMPLES_SLOW, reason="LOUD: DRAWN_PAGES_EXAMPLES is not set; no further pages were drawn"
)
LANGUAGES = {
    "Latin": ("en", "de", "fr", "es", "pl", "tr"),
    "read by Tesseract": ("vi", "ru", "el", "ar", "he", "hi", "ko"),
    "without spaces": ("ja",),
    "unread": ("th", "ka"),
}
"""Languages by how they are read."""
MIN_INEXACT_LETTERS = 5
ORDINAL_MARKS = dict.fromkeys(map(ord, "ºª"))
PALE_KOREAN = PageTraits(
    language="ko",
    font="NanumMyeongjo.ttf",
    size=19,
    lines=(
        ("자유로우며", "검토했다.", "그", "모든", "때부터"),
        ("10%", "있고", "않는다.", "많다.", "거의", "신청서"),
        ("거의", "가격은", "인간은"),
        ("할인된다.", "태어날", "존엄과", "모든", "신청서", "자유로우며"),
        ("위원회는", "북쪽", "1,234원이며"),
    ),
    shape="wide",
    turns=3,
    colors="pale on white",
    format="BMP",
    mode="P",
    damage=None,
    seed=3,
)
"""A page that a search has found. Its last line is read as Chinese, with a confidence of 0.89."""
ACCOUNTING = frozenset(
    {
        *(WarningCode.UNREAD_INK, WarningCode.SCRIPT_NOT_READ, WarningCode.LANGUAGE_NOT_READ),
        *(WarningCode.LOST_LETTERS, WarningCode.INCOMPLETE_PAGE, WarningCode.UNREADABLE_PAGE),
        *(WarningCode.NO_TEXT, WarningCode.LOW_CONFIDENCE, WarningCode.UNCHECKED_TEXT),
        *(WarningCode.MISSING_ROWS, WarningCode.MISSING_DETAIL, WarningCode.DAMAGED_PICTURE),
        WarningCode.TRUNCATED_FILE,
    }
)
"""Codes of warnings that say that text is missing or uncertain."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    loaded = load_engine("rapid", 1)
    yield loaded
    loaded.close()


def check(group: str, engine: Engine, path: Path, *, examples: int) -> None:
    """Check the words of pages in a group of languages. Only slow tests shrink: each step reads a file."""
    languages = LANGUAGES[group]
    skip_without_fonts(languages)
    if group == "read by Tesseract":
        skip_without_tesseract(*languages)

    @settings(
        max_examples=examples,
        phases=[
            Phase.generate
        ],  # the traits of a page say enough, and each step to smaller ones reads a file
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(page_traits(languages))
    def accounts_for_words(traits: PageTraits) -> None:
        assert unaccounted_words(traits, engine, path) == []

    accounts_for_words()


def skip_without_fonts(languages: Sequence[str]) -> None:
    fonts = {font for language in languages for font in FONTS.get(language, LATIN)}
    if missing := sorted(font for font in fonts if find_font(font, 20) is None):
        pytest.skip(f"LOUD: {', '.join(missing)} not installed; pages in {', '.join(languages)} not tested")


@pytest.mark.parametrize("group", LANGUAGES)
def test_drawn_page_accounts_for_each_word(group: str, engine: Engine, tmp_path: Path) -> None:
    check(group, engine, tmp_path / "page", examples=EXAMPLES)


def test_pale_korean_page_with_a_line_read_as_chinese_accounts_for_it(engine: Engine, tmp_path: Path) -> None:
    skip_without_fonts(["ko"])
    skip_without_tesseract("ko")
    assert unaccounted_words(PALE_KOREAN, engine, tmp_path / "page") == []


@pytest.mark.slow
@searches_for_faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", LANGUAGES)
def test_drawn_page_accounts_for_each_word_many(group: str, engine: Engine, tmp_path: Path) -> None:
    check(group, engine, tmp_path / "page", examples=EXAMPLES_SLOW)


def unaccounted_words(traits: PageTraits, engine: Engine, path: Path) -> list[str]:
    """Return the words of a page that are neither in its text nor in a warning."""
    page = draw_page(traits)
    path.write_bytes(page.content)
    try:
        [done] = [event for event in read(path, Options(threads=1), engine) if isinstance(event, PageDone)]
        assert structure_faults(done) == []
    except UnreadableFile:
        if traits.is_cut:
            return []
        raise
    warnings = [warning for warning in done.warnings if warning.code in ACCOUNTING]
    missing = [word for word in page.words if not _is_read(word.text, done.text, traits)]
    return [word.text for word in missing if not _is_accounted(word, warnings)]


def _is_accounted(word: DrawnWord, warnings: Sequence[PageWarning]) -> bool:
    left, top, right, bottom = word.area
    x, y = (left + right) / 2, (top + bottom) / 2
    for warning in warnings:
        for box in warning.boxes:
            xs, ys = zip(*box, strict=True)
            if min(xs) <= x <= max(xs) and min(ys) <= y <= max(ys):
                return True
        if not warning.boxes:
            return True
    return False


def _is_read(word: str, text: str, traits: PageTraits) -> bool:
    wanted = _folded(word)
    if traits.language in WITHOUT_SPACES:
        return wanted in "".join(map(_folded, text.split()))
    read = {_folded(token) for token in text.split()}
    if wanted in read:
        return True
    is_inexact = traits.is_poor and len(wanted) >= MIN_INEXACT_LETTERS
    return is_inexact and any(Levenshtein.distance(wanted, token, score_cutoff=1) <= 1 for token in read)


def _folded(token: str) -> str:
    """Return the letters and digits of a token; marks around and in it are not compared, as º, which is °."""
    letters = unicodedata.normalize("NFC", token).casefold().translate(ORDINAL_MARKS)
    return re.sub(r"[^\w\u0900-\u0dff]|_", "", letters)
