"""Flattening of curled pages."""

import math

import numpy as np
import pytest

from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines.rapid.curl import Core, Curl, line_cores
from backend_main.reading.engines.rapid.detector import Quads

WIDTH, HEIGHT = 800, 1000
MIN_PROBABILITY = 0.3


def height_at(x: float, amplitude: float) -> float:
    """Return how far a line is moved down at x, in pixels."""
    return amplitude * math.sin(math.pi * x / WIDTH)


def cores(amplitude: float, lines: int = 12) -> list[Core]:
    """Return the cores of lines over the whole page, each as high as those of a detector."""
    xs = np.arange(50, 750, 8)
    return [
        Core(
            np.column_stack([xs / WIDTH, [(100 + 60 * line + height_at(x, amplitude)) / HEIGHT for x in xs]]),
            8 / HEIGHT,
        )
        for line in range(lines)
    ]


def detected(amplitude: float) -> Curl:
    curl = Curl.detect(cores(amplitude), WIDTH, HEIGHT)
    assert curl is not None
    return curl


def test_detect_of_curve_that_leaves_the_page_is_none() -> None:
    """Five short lines in a corner decide nothing about the rest of the page."""
    xs = np.linspace(0.0, 0.25, 30)
    corner = [
        Core(np.column_stack([xs, 0.02 + 0.02 * number + 0.004 * np.sin(20 * xs + number)]), 0.01)
        for number in range(6)
    ]
    assert Curl.detect(corner, WIDTH, HEIGHT) is None


@pytest.mark.parametrize("amplitude", [0.0, 0.5])
def test_detect_on_flat_page_is_none(amplitude: float) -> None:
    assert Curl.detect(cores(amplitude), WIDTH, HEIGHT) is None


def short_cores(amplitude: float, slope: float = 0.0) -> list[Core]:
    """Return the cores of cells, which are too short to curve."""
    return [
        Core(
            np.column_stack(
                [
                    xs / WIDTH,
                    [(100 + 60 * row + slope * x + height_at(x, amplitude)) / HEIGHT for x in xs],
                ]
            ),
            8 / HEIGHT,
            is_long=False,
        )
        for row in range(12)
        for xs in (np.arange(left, left + 48, 8) for left in (50, 300, 500, 700))
    ]


def test_detect_of_cells_that_slant_as_a_curl_does_makes_them_level() -> None:
    curl = Curl.detect(short_cores(30), WIDTH, HEIGHT)
    assert curl is not None
    row = np.array([[x, 400 + height_at(x, 30)] for x in (60, 310, 510, 710)], np.float32)
    assert np.ptp(curl.to_flat_page(row)[:, 1]) < 0.3 * np.ptp(row[:, 1])


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_detect_of_cells_of_flat_or_rotated_page_is_none(slope: float) -> None:
    assert Curl.detect(short_cores(0, slope), WIDTH, HEIGHT) is None


def test_detect_with_few_lines_is_none() -> None:
    assert Curl.detect(cores(30, lines=3), WIDTH, HEIGHT) is None


def test_detect_of_lines_that_curve_differently_is_none() -> None:
    opposite = [*cores(30)[:6], *cores(-30)[:6]]
    assert Curl.detect(opposite, WIDTH, HEIGHT) is None


@pytest.mark.parametrize("amplitude", [8, 30, -30])
def test_flat_page_has_level_lines_and_maps_back(amplitude: float) -> None:
    curl = detected(amplitude)
    corners: Quads = np.array([[x, 400 + height_at(x, amplitude)] for x in (100, 300, 500, 700)], np.float32)
    flat = curl.to_flat_page(corners)
    assert np.ptp(flat[:, 1]) < 0.1 * abs(amplitude) + 0.5
    assert np.abs(curl.to_curled_page(flat) - corners).max() < 0.5


def test_flatten_moves_curved_line_to_its_level() -> None:
    page = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for x in range(WIDTH):
        y = 400 + round(height_at(x, 30))
        page[y - 2 : y + 3, x] = 0
    flat = detected(30).flatten(PageImage(1, page, WIDTH, HEIGHT)).pixels
    dark = [int(np.flatnonzero(flat[:, x, 0] < 128).mean()) for x in range(60, 740, 20)]
    assert max(dark) - min(dark) <= 3


def test_line_cores_are_the_middle_of_long_components() -> None:
    probabilities = np.zeros((100, 400), np.float32)
    probabilities[20:26, 50:350] = 0.9
    probabilities[60:66, 50:70] = 0.9
    found = line_cores(probabilities, MIN_PROBABILITY)
    assert len(found) == 1
    assert found[0].height == pytest.approx(0.06)
    assert found[0].samples[:, 1] == pytest.approx(0.225)
    assert found[0].samples[0] == pytest.approx([50 / 400, 0.225])
