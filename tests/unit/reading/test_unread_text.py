"""Recognized lines of unread parts, and comparison of lines of a text layer with the page."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from backend_main.reading import Engine, Line, Options, PageImage, WarningCode
from backend_main.reading.documents.pdf_text_layer import TextRun
from backend_main.reading.documents.styled_text import TextStyle
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.page_assembly import AssemblySettings
from backend_main.reading.text_layer_check import compare_lines, read_runs
from backend_main.reading.types import level_box
from backend_main.reading.unread_text import Readers, read_unread_areas, text_run
from tests.support.fake_engines import FailingEngine, FakeEngine


def run_of(line: Line) -> TextRun:
    assert line.box is not None
    return text_run(line, line.box, TextStyle())


def blank(width: int = 400, height: int = 300) -> PageImage:
    return PageImage(1, np.full((height, width, 3), 255, np.uint8), width, height)


def lines_of(engine: Engine, runs: tuple[TextRun, ...] = ()) -> list[str]:
    areas = [(0.0, 0.0, 400.0, 300.0)]
    readers = Readers(engine, Options(), FallbackEngines(), AssemblySettings())
    result = read_unread_areas(blank(), areas, runs, readers)
    return [line.text for line in result.lines]


def test_unread_lines_of_low_confidence_are_left_out() -> None:
    assert lines_of(FakeEngine("Amount", confidence=0.8)) == ["Amount"]
    assert lines_of(FakeEngine("OO", confidence=0.8)) == []
    assert lines_of(FakeEngine("Amount", confidence=0.7)) == []


@pytest.mark.parametrize(
    ("text", "confidence", "codes"),
    [
        ("POFJ", 0.94, [WarningCode.LOW_CONFIDENCE]),
        ("PDF", 0.97, []),
        ("Amount", 0.94, []),
    ],
)
def test_unread_short_lines_that_are_not_certain_are_named(
    text: str, confidence: float, codes: list[WarningCode]
) -> None:
    readers = Readers(
        FakeEngine(text, confidence=confidence), Options(), FallbackEngines(), AssemblySettings()
    )
    result = read_unread_areas(blank(), [(0.0, 0.0, 400.0, 300.0)], (), readers)

    assert [line.text for line in result.lines] == [text]
    assert [warning.code for warning in result.warnings] == codes


class SquareEngine(FakeEngine):
    """Engine that reads each text in boxes as wide as high for each letter."""

    def read_page(self, page: PageImage) -> Iterator[Line]:
        for line in super().read_page(page):
            assert line.box is not None
            (left, top), _, (_, bottom), _ = line.box
            width = (bottom - top) * len(line.text)
            yield msgspec.structs.replace(line, box=level_box(left, top, left + width, bottom))


@pytest.mark.parametrize("shape", ["mssssss", "C"])
def test_unread_lines_that_are_shapes_of_a_picture_are_left_out(shape: str) -> None:
    assert lines_of(SquareEngine(shape, confidence=0.96)) == []
    assert lines_of(SquareEngine("XXXXX", "B", confidence=0.99)) == ["XXXXX", "B"]


def test_unread_line_of_two_letters_far_apart_is_left_out() -> None:
    assert lines_of(FakeEngine("TT")) == []
    assert lines_of(SquareEngine("TT")) == ["TT"]


def test_unread_lines_that_copy_the_text_layer_are_left_out() -> None:
    line = Line(1, "Total amount", "", level_box(12, 2, 200, 28))
    assert lines_of(FakeEngine("Total amount", "Total amount"), (run_of(line),)) == ["Total amount"]
    assert lines_of(FakeEngine("CANCELLED"), (run_of(line),)) == ["CANCELLED"]


def runs_of(*texts: str) -> list[TextRun]:
    return [
        run_of(Line(1, text, "", level_box(20, 20 + 50 * index, 300, 45 + 50 * index)))
        for index, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("text", "is_same"), [("Tota1 amounf due to-day", True), ("Upubm bnpvou evf upebz", False)]
)
def test_compare_lines_accepts_errors_of_the_engine_but_no_other_text(text: str, *, is_same: bool) -> None:
    comparison = compare_lines(blank(), runs_of("Total amount due today"), FakeEngine(text))
    assert comparison is not None
    assert comparison.is_same == is_same


@pytest.mark.parametrize(("text", "is_same"), [("AA A", False), ("! !", True), ("o", True)])
def test_compare_lines_of_signs_alone_expects_no_letters(text: str, *, is_same: bool) -> None:
    """A Type 3 font without a mapping has codes of signs for its letters; a bullet can look like an o."""
    comparison = compare_lines(blank(), runs_of("! !"), FakeEngine(text, confidence=0.95))
    assert comparison is not None
    assert (comparison.is_same, comparison.is_sure) == (is_same, True)


def test_compare_lines_without_letters_or_with_a_failing_engine_is_none() -> None:
    assert compare_lines(blank(), runs_of("12 %"), FakeEngine("12 %")) is None
    assert compare_lines(blank(), runs_of("Total amount due"), FailingEngine()) is None


def test_read_runs_gives_each_run_its_own_line() -> None:
    runs = runs_of("a la\ufffdy dog", "another line", "nothing like it")
    # Lines of 25 px with their margins have 43 px, and as much again is between them.
    found = read_runs(blank(), runs, FakeEngine("a lazy dog", "another line", "qqqq wwww", step=86))
    assert [run and run.text for run in found] == ["a lazy dog", "another line", None]
