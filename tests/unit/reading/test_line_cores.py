"""Repair of the detector's probability map."""

import numpy as np
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from backend_main.reading.engines.rapid.line_cores import (
    MIN_MEAN_PROBABILITY,
    MIN_PROBABILITY,
    cut_bridges,
)
from backend_main.reading.inference import Floats


def boxes(probabilities: Floats) -> list[list[int]]:
    """Return left, top, right and bottom of the boxes that RapidOCR finds, from top to bottom."""
    find = DBPostProcess(MIN_PROBABILITY, MIN_MEAN_PROBABILITY, unclip_ratio=1.6, use_dilation=True)
    found, _ = find(probabilities[np.newaxis, np.newaxis], probabilities.shape)
    return sorted([*quad.min(axis=0), *quad.max(axis=0)] for quad in found)


def two_lines(bridge: float) -> Floats:
    """Draw a long line, and a short one below its start, with a bridge of the given probability."""
    page = np.zeros((100, 400), np.float32)
    page[40:45, 50:350] = 0.95
    page[56:61, 50:80] = 0.95
    page[45:56, 60:66] = bridge
    return page


def test_cut_bridges_keeps_both_lines_that_are_connected() -> None:
    assert boxes(two_lines(bridge=0.4)) == [], "without the repair, both lines are lost"
    assert boxes(cut_bridges(two_lines(bridge=0.4))) == boxes(two_lines(bridge=0.0))


def test_cut_bridges_removes_a_strong_bridge_at_the_second_threshold() -> None:
    assert boxes(cut_bridges(two_lines(bridge=0.7))) == boxes(two_lines(bridge=0.0))


def test_cut_bridges_leaves_lines_alone_that_are_found_anyway() -> None:
    page = np.zeros((60, 400), np.float32)
    page[20:26, 50:350] = 0.9
    page[20:26, 200:204] = 0.4
    before = page.copy()
    assert np.array_equal(cut_bridges(page), before)
    assert np.array_equal(page, before)
