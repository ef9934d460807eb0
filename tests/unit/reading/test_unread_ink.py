"""Ink that no line covers: read again on a sheet, or named in a warning with its place and share."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend_main.reading import Engine, Line, Options, PageDone, PageImage, WarningCode, read
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.types import Box, level_box
from backend_main.reading.unread_ink import MAX_PLACES, read_unread_ink
from tests.support.fake_engines import FakeEngine
from tests.support.page_warnings import codes_of

from .test_ink_account import FIRST, SECOND, TEXT, box_at, line, page


class SheetEngine(FakeEngine):
    """Engine that reads one line on a page, and prescribed ones on a sheet, each over its whole length."""

    languages = frozenset({"en"})

    def __init__(self, *sheet: str, confidence: float = 0.95, first: Sequence[Line] = ()) -> None:
        super().__init__(*sheet, confidence=confidence)
        self.first = first
        self.sheets = 0

    def read_page(self, page: PageImage) -> Iterator[Line]:
        yield from self.first

    def read_column(self, page: PageImage) -> Iterator[Line]:
        self.sheets += 1
        for number, text in enumerate(self.texts):
            box = level_box(24, 30 + 80 * number, page.width - 24, 75 + 80 * number)
            yield Line(1, text, text, box, self.confidence)


def image_of(pixels: np.ndarray) -> PageImage:
    return PageImage(1, pixels, pixels.shape[1], pixels.shape[0])


TWO_ROWS = page((TEXT, FIRST), (TEXT, SECOND))
KNOWN = line(box_at(*FIRST))


def read_two_rows(engine: Engine, tmp_path: Path, pixels: np.ndarray = TWO_ROWS) -> PageDone:
    path = tmp_path / "page.png"
    Image.fromarray(pixels[:, :, ::-1]).save(path)
    [done] = [event for event in read(path, Options(), engine) if isinstance(event, PageDone)]
    return done


def is_inside(box: Box, outer: Box) -> bool:
    x, y = (sum(corner[axis] for corner in box) / 4 for axis in (0, 1))
    return outer[0][0] <= x <= outer[2][0] and outer[0][1] <= y <= outer[2][1]


def test_row_that_the_engine_missed_is_read_on_a_sheet() -> None:
    engine = SheetEngine(TEXT)
    ink = read_unread_ink(image_of(TWO_ROWS), [KNOWN], engine)
    [found] = ink.read
    assert (found.text, engine.sheets, ink.unread) == (TEXT, 1, [])
    assert found.box is not None
    assert is_inside(found.box, box_at(*SECOND))


@pytest.fixture
def no_other_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FallbackEngines, "readable_scripts", lambda _: frozenset({"Latin"}))
    monkeypatch.setattr(FallbackEngines, "detect_script", lambda *_: None)


@pytest.mark.usefixtures("no_other_engine")
def test_row_read_on_a_sheet_is_in_the_text_and_gives_no_warning(tmp_path: Path) -> None:
    done = read_two_rows(SheetEngine(TEXT, first=[KNOWN]), tmp_path)
    assert [one.text for one in done.lines] == [TEXT, TEXT]
    assert codes_of(done) == []


@pytest.mark.usefixtures("no_other_engine")
def test_row_that_nothing_reads_is_a_warning_with_its_place(tmp_path: Path) -> None:
    done = read_two_rows(SheetEngine("Xqzy vwbl xxtrq", confidence=0.6, first=[KNOWN]), tmp_path)
    [warning] = [one for one in done.warnings if one.code == WarningCode.UNREAD_INK]
    [box] = warning.boxes
    assert is_inside(box, box_at(*SECOND))


def test_short_row_in_which_the_engine_finds_nothing_is_no_warning() -> None:
    short = page(("oxo", FIRST))
    ink = read_unread_ink(image_of(short), [], SheetEngine())
    assert (ink.read, ink.unread) == ([], [])


def test_text_with_far_fewer_letters_than_its_row_is_not_read() -> None:
    ink = read_unread_ink(image_of(TWO_ROWS), [KNOWN], SheetEngine("l"))
    assert ink.read == []
    assert len(ink.unread) == 1  # a row of many shapes is text for certain


def test_dropped_line_is_a_warning_unless_it_is_a_mark() -> None:
    long_one = Line(1, "", "", level_box(200, 1200, 400, 1240), 0.3)
    mark = Line(1, "", "", level_box(200, 1300, 240, 1340), 0.3)
    ink = read_unread_ink(image_of(page()), [long_one, mark], SheetEngine())
    assert ink.unread == [long_one.box]
    [warning] = ink.warnings([KNOWN], [])
    assert (warning.code, warning.boxes) == (WarningCode.UNREAD_INK, (long_one.box,))


def test_uncertain_line_is_replaced_by_a_better_reading() -> None:
    uncertain = Line(1, "elqlssod", "elqlssod", box_at(*FIRST), 0.6)
    ink = read_unread_ink(image_of(page((TEXT, FIRST))), [uncertain], SheetEngine(TEXT))
    assert [one.text for one in ink.all_lines([uncertain])] == [TEXT]
    assert ink.warnings(ink.read, []) == []


def test_uncertain_line_without_a_better_reading_is_kept_with_a_warning() -> None:
    uncertain = Line(1, "elqlssod", "elqlssod", box_at(*FIRST), 0.6)
    ink = read_unread_ink(image_of(page((TEXT, FIRST))), [uncertain], SheetEngine())
    assert ink.all_lines([uncertain]) == [uncertain]
    [warning] = ink.warnings([uncertain], [])
    assert (warning.code, warning.boxes) == (WarningCode.LOW_CONFIDENCE, (uncertain.box,))


def test_warning_about_a_row_has_its_share_of_the_print() -> None:
    ink = read_unread_ink(image_of(TWO_ROWS), [KNOWN], SheetEngine())
    [warning] = ink.warnings([KNOWN], [])
    assert warning.share == pytest.approx(0.5, abs=0.1)
    assert str(warning) == "1 place on page 1 looks like text that could not be read."


def test_place_that_another_warning_names_is_not_named_again() -> None:
    ink = read_unread_ink(image_of(TWO_ROWS), [KNOWN], SheetEngine())
    [warning] = ink.warnings([KNOWN], [])
    assert ink.warnings([KNOWN], [warning]) == []


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        (page(), WarningCode.BLANK_PAGE),
        (np.tile(np.repeat(np.arange(0, 240, 6, np.uint8), 30)[:, None, None], (1, 900, 3)), "no-text"),
        (page(("l", FIRST), size=300), WarningCode.NO_TEXT),
    ],
)
def test_page_without_text_is_blank_only_without_ink(pixels: np.ndarray, code: str, tmp_path: Path) -> None:
    assert codes_of(read_two_rows(SheetEngine(), tmp_path, pixels)) == [code]


def test_failing_engine_leaves_the_warning() -> None:
    class Failing(SheetEngine):
        def read_column(self, page: PageImage) -> Iterator[Line]:
            raise RuntimeError("out of order")

    ink = read_unread_ink(image_of(TWO_ROWS), [KNOWN], Failing())
    assert len(ink.unread) == 1


def test_many_unread_rows_are_read_in_a_bounded_number_of_sheets() -> None:
    rows = [(TEXT, (100 + 560 * (number % 2), 60 + 50 * (number // 2))) for number in range(60)]
    engine = SheetEngine()
    read_unread_ink(image_of(page(*rows)), [], engine)
    assert engine.sheets <= 4
    assert MAX_PLACES <= 40
