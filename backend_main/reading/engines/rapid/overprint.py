"""Separation of colored print that lies across dark text: stamps, and signatures in colored ink.

The detector joins the letters of a stamp with those of the text below it, and both are lost. Ink of another
color is therefore taken off the page, and read as a page of its own. Colored words beside dark text stay: a
shape is only taken off if it touches several dark letters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels

MIN_CHROMA = 60
"""Difference of the largest and the smallest of red, green and blue in colored ink."""
EDGE = 7
"""Width in pixels of the square around a colored pixel in which strokes have pale edges."""
MAX_CROSSING_SHARE = 0.6
"""Largest channel of a dark letter below a colored stroke, by that of the stroke."""
MAX_DARK_CHROMA, MAX_DARK = 40, 110
"""Difference in dark ink, and its largest channel. Paper is lighter and ink of a stamp is more colored."""
STEP = 4
"""Distance of the pixels that the color of the paper is measured at."""
MIN_COLORED_SHARE = 0.0005
"""Share of the page from which there can be a stamp: a stamp of one word is four times as much."""
# In heights of the boxes of running text.
MAX_STROKE = 0.9
"""Colored areas that are wider are markers, cells of tables and photographs."""
GAP = 0.5
"""Distance of the parts of one shape."""
AREA_MARGIN = 2.0
"""Margin of the part of a page that is examined, beside its colored ink."""
MIN_SIDE = 1.5
"""Sides of a stamp or signature; words of running text are lower."""
MIN_LETTER, MAX_LETTER = 0.15, 1.0
"""Height of a dark letter."""
CLOSING = 0.3
"""Width of a letter's stroke that crosses a colored one."""

MIN_LETTERS = 8
"""Number of dark letters that the ink of a shape touches: a frame, a curve and a label touch few."""
MIN_PAPER_SHARE, MIN_PAPER, MAX_PAPER_DIFFERENCE = 0.4, 150, 40
"""Share of a shape that is paper; the darkest channel of the page's paper, and difference from its color.

A photograph, or a title on a colored ground, has less paper.
"""

Mask = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Layers:
    """A page without the print that lies across its text, and that print alone."""

    text: Pixels
    overprint: Pixels


def separate_overprint(pixels: Pixels, text_height: float) -> Layers | None:
    """Separate colored print across dark text; return None if there is none.

    Args:
        pixels: the page, (height, width, 3) uint8 BGR.
        text_height: height of the boxes of running text, in pixels.
    """
    area = _colored_area(pixels, round(AREA_MARGIN * text_height))
    paper = np.median(pixels[::STEP, ::STEP], axis=(0, 1))
    if area is None or paper.min() < MIN_PAPER:
        return None
    layers = _separate_area(pixels[area], paper, text_height)
    if layers is None:
        return None
    text, overprint = pixels.copy(), np.full_like(pixels, 255)
    text[area], overprint[area] = layers.text, layers.overprint
    return Layers(text, overprint)


def _colored_area(pixels: Pixels, margin: int) -> tuple[slice, slice] | None:
    """Return the part of a page that has all colored ink, with a margin; None if there is hardly any.

    Every fourth pixel each way is tested: strokes are wider, or as many of their pixels are hit by chance.
    """
    high, low = _high_and_low(np.ascontiguousarray(pixels[::STEP, ::STEP]))
    colored = high - low >= MIN_CHROMA
    if colored.mean() < MIN_COLORED_SHARE:
        return None
    rows, columns = (STEP * np.flatnonzero(colored.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin),
    )


def _separate_area(pixels: Pixels, paper: npt.NDArray[np.float64], text_height: float) -> Layers | None:
    high, low = _high_and_low(pixels)
    chroma = high - low
    colored = np.asarray(chroma >= MIN_CHROMA, np.uint8)
    colored &= 1 - _dilated(_opened(colored, MAX_STROKE * text_height), 3)
    dark = np.asarray((high <= MAX_DARK) & (chroma <= MAX_DARK_CHROMA), np.uint8)
    is_paper = _near(pixels, paper, MAX_PAPER_DIFFERENCE)
    shapes = _shapes_across(colored, _letters(dark, text_height), is_paper, text_height)
    if not shapes.any():
        return None
    return _separated(pixels, colored & shapes, high, float(paper.max()), text_height)


def _separated(pixels: Pixels, strokes: Mask, high: Mask, paper: float, text_height: float) -> Layers:
    """Return both layers, given the strokes of the overprint.

    Ink of a color is as light as paper in one channel at least, and dark letters are dark in all. The largest
    channel therefore shows the letters alone once the color's level in it is that of paper.
    """
    level = float(np.median(high[strokes > 0]))
    letters = np.minimum(high * (paper / level), paper).astype(np.uint8)
    around = _dilated(strokes, EDGE) > 0
    text, overprint = pixels.copy(), np.full_like(pixels, 255)
    text[around] = letters[around, np.newaxis]
    crossing = _closed(strokes, CLOSING * text_height) & (high < MAX_CROSSING_SHARE * level)
    overprint[(strokes | crossing) > 0] = np.median(pixels[strokes > 0], axis=0)
    return Layers(text, overprint)


def _shapes_across(colored: Mask, letters: Labels, is_paper: Mask, text_height: float) -> Mask:
    """Return the areas of the colored shapes that touch several dark letters."""
    import cv2

    shapes = np.zeros_like(colored)
    touching = np.where(_dilated(colored, 3) > 0, letters, 0)
    near = _dilated(colored, max(3, round(GAP * text_height)))
    contours, _ = cv2.findContours(near, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        if min(width, height) < MIN_SIDE * text_height:
            continue
        area = np.s_[y : y + height, x : x + width]
        inside = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(inside, cv2.convexHull(contour) - (x, y), 1)
        touched = np.unique(touching[area][inside > 0])
        paper_share = is_paper[area][inside > 0].mean() / 255
        if np.count_nonzero(touched) >= MIN_LETTERS and paper_share >= MIN_PAPER_SHARE:
            shapes[area] |= inside
    return shapes


def _letters(dark: Mask, text_height: float) -> Labels:
    """Return the number of the letter that each dark pixel is in, 0 for other ink."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    sides = stats[:, 2:4].max(axis=1)
    is_letter = (sides >= MIN_LETTER * text_height) & (sides <= MAX_LETTER * text_height)
    is_letter[0] = False
    return np.asarray(np.where(is_letter[labels], labels, 0), np.int32)


def _near(pixels: Pixels, color: npt.NDArray[np.float64], difference: float) -> Mask:
    import cv2

    return np.asarray(cv2.inRange(pixels, color - difference, color + difference), np.uint8)


def _high_and_low(pixels: Pixels) -> tuple[Mask, Mask]:
    """Return the largest and the smallest channel of each pixel."""
    import cv2

    blue, green, red = cv2.split(pixels)
    high, low = cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red)
    return np.asarray(high, np.uint8), np.asarray(low, np.uint8)


def _opened(mask: Mask, side: float) -> Mask:
    import cv2

    kernel = np.ones((max(3, round(side)),) * 2, np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8)


def _closed(mask: Mask, side: float) -> Mask:
    import cv2

    kernel = np.ones((max(3, round(side)),) * 2, np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)


def _dilated(mask: Mask, side: int) -> Mask:
    import cv2

    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), np.uint8)
