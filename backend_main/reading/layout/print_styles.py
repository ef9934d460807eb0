"""Print of recognized lines that differs from running text: bold, in another color, or light on dark.

Headings in the size of running text are printed so. The strokes of a line are measured on its image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels
from ..types import Box
from .geometry import LayoutBox
from .sequences import weighted_median

LINE_HEIGHT, MAX_LINE_WIDTH = 32, 480
"""Pixels of the image that a line is measured on; of a longer line, the beginning is."""
MIN_INK_SHARE, MAX_INK_SHARE = 0.03, 0.5
"""Share of ink in a line; a picture has more."""
MIN_STROKE_RATIO = 1.28
"""Stroke of bold print by that of running text; 1.4 to 1.9 is usual for one typeface."""
MIN_STROKE_RATIO_BELOW_BOLD = 1.15
"""Ratio of a line right above or below a bold one: bold strokes of few pixels vary from line to line."""
MAX_NEIGHBOR_DISTANCE = 2.0
"""In text heights, between the centers of a line and of the one below."""
MIN_CHROMA_GAIN = 45.0
"""Chroma of colored print above that of running text. Colors of thin strokes are pale on a small image."""


@dataclass(frozen=True)
class PrintStyle:
    """Print of a line.

    stroke: width of its strokes by the line's height.
    chroma: difference of the largest and the smallest of red, green and blue in its ink, 0 to 255.
    """

    stroke: float
    chroma: float
    is_light_on_dark: bool


def emphasized_boxes(pixels: Pixels, corners: Sequence[Box], boxes: Sequence[LayoutBox]) -> frozenset[int]:
    """Return the indices of the boxes whose print differs from that of running text.

    Args:
        pixels: the page, (height, width, 3) uint8 BGR.
        corners: boxes on the page.
        boxes: the boxes of `corners` in the frame.
    """
    styles = {
        box.index: style
        for box, quad in zip(boxes, corners, strict=True)
        if (style := measure_print(pixels, quad))
    }
    if not styles:
        return frozenset()
    measured = [(styles[box.index], box.width) for box in boxes if box.index in styles]
    stroke = weighted_median((style.stroke, width) for style, width in measured)
    chroma = weighted_median((style.chroma, width) for style, width in measured)
    light = weighted_median((float(style.is_light_on_dark), width) for style, width in measured)
    emphasized = {
        index
        for index, style in styles.items()
        if style.stroke > MIN_STROKE_RATIO * stroke
        or style.chroma > chroma + MIN_CHROMA_GAIN
        or style.is_light_on_dark > light
    }
    bolder = [
        box
        for box in boxes
        if box.index in styles and styles[box.index].stroke > MIN_STROKE_RATIO_BELOW_BOLD * stroke
    ]
    return frozenset(emphasized) | _neighbors(bolder, [box for box in boxes if box.index in emphasized])


def _neighbors(candidates: Sequence[LayoutBox], boxes: Sequence[LayoutBox]) -> frozenset[int]:
    """Return the indices of the candidates right above or below one of the boxes."""
    return frozenset(
        candidate.index
        for candidate in candidates
        if any(
            abs(candidate.left - box.left) < candidate.text_height
            and abs(candidate.center_y - box.center_y) < MAX_NEIGHBOR_DISTANCE * candidate.text_height
            for box in boxes
        )
    )


def measure_print(pixels: Pixels, box: Box) -> PrintStyle | None:
    """Measure the print of a line; return None if it is not dark on light or light on dark."""
    import cv2

    line = _line_image(pixels, box)
    if line is None:
        return None
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
    _, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    is_light_on_dark = 2 * int(dark.sum()) > dark.size
    ink = 1 - dark if is_light_on_dark else dark
    area = int(ink.sum())
    if not MIN_INK_SHARE * ink.size < area < MAX_INK_SHARE * ink.size:
        return None
    core = cv2.erode(ink, np.ones((3, 3), np.uint8))
    # A stroke has an edge on both sides.
    stroke = 2 * area / max(1, area - int(core.sum()))
    color = cv2.mean(line, np.asarray(core if core.any() else ink, np.uint8))[:3]
    return PrintStyle(stroke / LINE_HEIGHT, max(color) - min(color), is_light_on_dark)


def _line_image(pixels: Pixels, box: Box) -> npt.NDArray[np.uint8] | None:
    """Return a line at a fixed height, level."""
    import cv2

    corners = np.array(box, np.float32)
    length, height = (float(np.linalg.norm(corners[corner] - corners[0])) for corner in (1, 3))
    if length < height or height < 1:
        return None
    width = min(MAX_LINE_WIDTH, max(1, round(LINE_HEIGHT * length / height)))
    end = corners[0] + (corners[1] - corners[0]) * np.float32(width * height / LINE_HEIGHT / length)
    target = np.array([[0, 0], [width, 0], [0, LINE_HEIGHT]], np.float32)
    matrix = cv2.getAffineTransform(np.stack([corners[0], end, corners[3]]).astype(np.float32), target)
    drawn = cv2.warpAffine(
        pixels, matrix, (width, LINE_HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(drawn, np.uint8)
