"""Tests of the detection of text that an engine cannot read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from backend_main.reading import Line
from backend_main.reading.confidence import ReadabilityMonitor, low_confidence_share

from .sample_lines import BAD, GOOD, LOST, lines


def test_monitor_returns_readable_lines_at_once() -> None:
    monitor = ReadabilityMonitor()
    for line in lines(*[GOOD] * 5):
        assert monitor.add(line) == [line]
    assert monitor.low_confidence_share == 0
    assert not monitor.is_unreadable


@pytest.mark.parametrize("bad", [BAD, LOST, ("", 0.0)])
def test_monitor_holds_unreadable_lines_until_it_can_decide(bad: tuple[str, float]) -> None:
    monitor = ReadabilityMonitor()
    pairs = lines(*[bad] * 4)
    assert [monitor.add(line) for line in pairs[:3]] == [[], [], []]
    assert monitor.is_unreadable
    assert monitor.accept_all() == [line for line in pairs[:3] if line.text]
    assert monitor.add(pairs[3]) == [line for line in pairs[3:] if line.text]
    assert not monitor.is_unreadable


def test_monitor_holds_one_unreadable_line_for_the_next() -> None:
    monitor = ReadabilityMonitor()
    first, second = lines(BAD, GOOD)
    assert monitor.add(first) == []
    assert monitor.add(second) == [first, second]


@pytest.mark.parametrize(
    ("pairs", "share"),
    [
        ([GOOD] * 3, 0.0),
        ([GOOD, BAD], 0.5),
        ([BAD, LOST, ("", 0.0)], 1.0),
        ([], 0.0),
    ],
)
def test_low_confidence_share_is_a_share_of_the_print(
    pairs: Sequence[tuple[str, float]], share: float
) -> None:
    assert low_confidence_share(lines(*pairs)) == share


@pytest.mark.parametrize(("bad", "partly"), [(2, False), (3, True), (7, False)])
def test_is_partly_unreadable_between_its_thresholds(bad: int, partly: bool) -> None:
    monitor = ReadabilityMonitor()
    for line in lines(*[GOOD] * 6, *[BAD] * bad):
        monitor.add(line)
    assert monitor.is_partly_unreadable == partly


def test_low_confidence_share_of_a_scribble_is_zero() -> None:
    assert low_confidence_share(lines(("~", 0.3), width=100)) == 0.0


def test_low_confidence_share_of_short_numbers_is_zero() -> None:
    assert low_confidence_share(lines(*[("7", 0.99)] * 20, width=70)) == 0.0


def test_monitor_returns_lines_without_boxes_at_once() -> None:
    monitor = ReadabilityMonitor()
    piece = Line(1, "a", "a")
    assert monitor.add(piece) == [piece]


@pytest.mark.parametrize(
    ("pairs", "width", "is_uncertain"),
    [
        ([("qme", 0.55), ("000", 0.82)], 40.0, True),
        ([("qme", 0.55), ("PAID", 0.99)], 40.0, False),
        ([("0000", 0.94), ("11", 0.97)], 40.0, True),  # frames and bars
        ([("0000", 0.94), ("12", 0.98)], 40.0, False),
        ([("19", 0.966)], 40.0, True),  # a worn 12
        ([("888", 0.98), ("888", 0.91)], 40.0, True),  # heptagons in rows
        ([("88", 0.98)], 40.0, False),
        ([("B9", 0.966)], 40.0, False),
        ([("10", 0.98)], 40.0, False),
        ([("女女女", 0.92)], 40.0, True),  # a texture
        ([], 40.0, False),
        ([BAD], 400.0, False),  # enough text for the other rules
    ],
)
def test_is_short_and_uncertain_if_no_line_of_a_few_words_is_sure(
    pairs: Sequence[tuple[str, float]], width: float, *, is_uncertain: bool
) -> None:
    monitor = ReadabilityMonitor()
    for line in lines(*pairs, width=width):
        monitor.add(line)
    assert monitor.is_short_and_uncertain is is_uncertain
