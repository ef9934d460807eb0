"""Parts of a PDF page that look like text, but are not in its text layer.

They are words in pictures, in patterns and scans, and letters drawn as outlines.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from ..types import Box
from .pdf_graphics import Rect
from .pdf_rendering import Gray
from .text_like_areas import text_like_areas, text_like_rows

MARGIN = 1.5
"""In heights of a row: other rows of the same text are as near."""
MIN_OBLIQUE_LETTERS = 8
"""Letters of a row in a turned image; photographs and drawings have rows of fewer shapes in any direction."""
MIN_OBLIQUE_SIDE, MAX_OBLIQUE_IMAGES = 24, 20
"""Shorter side in pixels of the images that are turned, and their number. Turning one takes 1 to 3 ms."""
PAINT_MARGIN = 0.3
"""In heights of a line: letters reach beyond the boxes of an earlier recognition."""


def unread_areas(
    without_text: Gray, scale: float, images: Sequence[Rect], known: Sequence[Box] = ()
) -> tuple[Rect, ...]:
    """Return the areas in pixels of the rendered page, apart from each other.

    Args:
        without_text: the page without its text.
        scale: pixels of the rendered page in a pixel of `without_text`.
        images: the page's images. One with a row that looks like text is unread as a whole.
        known: boxes of text that is known already, though it is in the picture.
    """
    if known:
        without_text = without_text.copy()
        paint_over(without_text, known, 1 / scale)
    rows = [_scaled(row, scale) for row in text_like_areas(without_text)]
    with_rows: list[Rect] = []
    others: list[Rect] = []
    for image in images:
        has_row = any(_contains_center(image, row) for row in rows)
        (with_rows if has_row else others).append(image)
    oblique = _with_oblique_text(without_text, scale, others)
    if not rows and not oblique:
        return ()
    height, width = without_text.shape
    page = (0.0, 0.0, width * scale, height * scale)
    areas = [*map(_with_margin, rows), *with_rows, *oblique]
    return tuple(_merged(_intersection(area, page) for area in areas))


def _with_oblique_text(without_text: Gray, scale: float, images: Sequence[Rect]) -> list[Rect]:
    """Return the images whose text is on a slant: it stands in rows where they are turned by an eighth."""
    parts = ((image, _part(without_text, scale, image)) for image in images)
    large = ((image, part) for image, part in parts if min(part.shape) >= MIN_OBLIQUE_SIDE)
    return [image for image, part in islice(large, MAX_OBLIQUE_IMAGES) if _has_oblique_row(part)]


def _part(without_text: Gray, scale: float, image: Rect) -> Gray:
    left, top, right, bottom = (max(0, round(edge / scale)) for edge in image)
    return without_text[top:bottom, left:right]


def _has_oblique_row(part: Gray) -> bool:
    """Return whether a part has a row of text at 45° or 135°, give or take 20°."""
    import cv2

    height, width = part.shape
    side = int(np.ceil(np.hypot(height, width)))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 45, 1.0)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    ground = int(np.median(part))
    turned = cv2.warpAffine(part, turn, (side, side), flags=cv2.INTER_LINEAR, borderValue=(ground,))
    rows = text_like_rows(np.asarray(turned, np.uint8))
    return any(row.is_clear and row.letters >= MIN_OBLIQUE_LETTERS for row in rows)


def bounding_area(areas: Iterable[Rect]) -> Rect:
    """Return the smallest rectangle around areas."""
    lefts, tops, rights, bottoms = zip(*areas, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def paint_over(image: npt.NDArray[np.uint8], boxes: Sequence[Box], scale: float = 1.0) -> None:
    """Paint boxes of text with the ground around their letters, in place.

    Args:
        image: (height, width) or (height, width, 3).
        boxes: in pixels.
        scale: pixels of the image in a pixel of the boxes.
    """
    for box in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in _bounds(box))
        margin = round(PAINT_MARGIN * (bottom - top))
        part = image[max(0, top - margin) : bottom + margin + 1, max(0, left - margin) : right + margin + 1]
        if part.size:
            part[:] = np.median(part, axis=(0, 1)).astype(np.uint8)


def _scaled(row: tuple[int, int, int, int], scale: float) -> Rect:
    left, top, right, bottom = row
    return left * scale, top * scale, right * scale, bottom * scale


def _with_margin(row: Rect) -> Rect:
    left, top, right, bottom = row
    margin = MARGIN * (bottom - top)
    return left - margin, top - margin, right + margin, bottom + margin


def _contains_center(area: Rect, row: Rect) -> bool:
    left, top, right, bottom = area
    return left <= (row[0] + row[2]) / 2 <= right and top <= (row[1] + row[3]) / 2 <= bottom


def _intersection(area: Rect, other: Rect) -> Rect:
    return max(area[0], other[0]), max(area[1], other[1]), min(area[2], other[2]), min(area[3], other[3])


def _bounds(box: Box) -> Rect:
    xs, ys = zip(*box, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _merged(areas: Iterable[Rect]) -> list[Rect]:
    """Return the areas, with those that touch joined to one."""
    merged: list[Rect] = []
    for area in sorted(areas):
        while touching := next((other for other in merged if _touch(area, other)), None):
            merged.remove(touching)
            area = bounding_area((area, touching))
        merged.append(area)
    return merged


def _touch(area: Rect, other: Rect) -> bool:
    return area[0] <= other[2] and other[0] <= area[2] and area[1] <= other[3] and other[1] <= area[3]
