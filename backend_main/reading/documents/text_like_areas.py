"""Areas of an image that look like text, found without a model.

Letters stand in rows: three or more shapes of like height, side by side. Lines, fills, bullets and smooth
pictures do not. A photograph may look like text by chance; an engine then finds nothing in the area. The test
takes 3 ms a page of 100 dpi.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .pdf_rendering import Gray

Area = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""

MIN_CONTRAST = 24
"""Of 255: paler shapes are texture or noise."""
BLOCK = 25
"""Side, in pixels, of the neighborhood whose mean is the ground of a pixel."""
MIN_HEIGHT, MAX_HEIGHT = 4, 24
"""Heights of letters at one scale, in pixels; larger ones are found where the image is halved."""
MAX_FACTOR = 16
MAX_LINE_THICKNESS = 4
MIN_LINE_CONTRAST = 6
MIN_LINE_LENGTH = 32
"""Straight runs of as many pixels are lines and borders."""
MAX_WIDTH = 12
"""Width of a shape in heights: letters of small print touch."""
MIN_FILL, MAX_FILL = 0.08, 0.92
"""Share of its box that a letter fills; `l` and `1` fill all of a narrow one."""
NARROW = 0.4
MAX_GAP = 1.2
"""In heights, between two letters."""
MAX_HEIGHT_RATIO = 2.5
MAX_CENTER_DISTANCE = 0.4
MIN_SHAPES = 3
MIN_LENGTH = 2.0
"""Length of a row in heights."""
MAX_SHAPES = 20_000
MAX_ROWS = 1_000


def text_like_areas(gray: Gray) -> list[Area]:
    """Return the boxes of rows that look like text, dark on light or light on dark."""
    import cv2

    found: list[Area] = []
    left, top, right, bottom = _drawn_bounds(gray)
    part = gray[top:bottom, left:right]
    part = _without_lines(part) if part.size else part
    factor = 1
    while min(part.shape) >= MIN_HEIGHT and len(found) <= MAX_ROWS:
        for boxes in _shapes(part):
            columns = [(x0, y0, x1, y1) for y0, x0, y1, x1 in _rows(_turned(boxes))]
            for x0, y0, x1, y1 in [*_rows(boxes), *columns]:
                found.append((left + x0 * factor, top + y0 * factor, left + x1 * factor, top + y1 * factor))
        factor *= 2
        if factor > MAX_FACTOR:
            break
        height, width = part.shape
        size = (max(1, width // 2), max(1, height // 2))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return found


def _drawn_bounds(gray: Gray) -> Area:
    """Return the bounds of the pixels that differ from the corner of the image."""
    drawn = np.abs(gray.astype(np.int16) - gray[0, 0]) >= MIN_CONTRAST
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    height, width = gray.shape
    return (
        max(0, int(columns[0]) - BLOCK),
        max(0, int(rows[0]) - BLOCK),
        min(width, int(columns[-1]) + BLOCK),
        min(height, int(rows[-1]) + BLOCK),
    )


def _without_lines(gray: Gray) -> Gray:
    """Return the image without its level and upright lines: rules, borders of cells, axes."""
    import cv2

    for dark in (True, False):
        for shape in ((1, MIN_LINE_LENGTH), (MIN_LINE_LENGTH, 1)):
            across = np.ones(
                (MAX_LINE_THICKNESS + 2, 1) if shape[0] == 1 else (1, MAX_LINE_THICKNESS + 2), np.uint8
            )
            filled = cv2.morphologyEx(gray, cv2.MORPH_CLOSE if dark else cv2.MORPH_OPEN, across)
            thin = cv2.subtract(filled, gray) if dark else cv2.subtract(gray, filled)
            mask = (thin >= MIN_LINE_CONTRAST).view(np.uint8)
            lines = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
            if lines.any():
                gray = np.where(lines, filled, gray)
    return gray


def _shapes(gray: Gray) -> Iterator[npt.NDArray[np.int32]]:
    """Yield left, top, width and height of the shapes that may be letters; dark ones, then light ones."""
    import cv2

    ground = cv2.blur(gray, (BLOCK, BLOCK))
    for difference in (cv2.subtract(ground, gray), cv2.subtract(gray, ground)):
        mask = (difference >= MIN_CONTRAST).view(np.uint8)
        if not mask.any():
            continue
        yield _letters(cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:])


def _letters(stats: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the boxes of shapes whose size and fill are those of letters, from left to right."""
    width, height, area = (stats[:, column].astype(np.float64) for column in (2, 3, 4))
    fill = area / (width * height)
    is_letter = (height >= MIN_HEIGHT) & (height <= MAX_HEIGHT) & (width <= MAX_WIDTH * height)
    is_letter &= (fill >= MIN_FILL) & ((fill <= MAX_FILL) | (width <= NARROW * height))
    boxes = stats[is_letter][:, :4]
    return np.asarray(boxes[np.argsort(boxes[:, 0], kind="stable")][:MAX_SHAPES], np.int32)


def _turned(boxes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the boxes with columns for rows, for text that is turned."""
    turned = boxes[:, [1, 0, 3, 2]]
    return turned[np.argsort(turned[:, 0], kind="stable")]


def _rows(boxes: npt.NDArray[np.int32]) -> list[Area]:
    """Join shapes to the next one on their right, and return the boxes of those rows that are long enough."""
    rows: list[list[float]] = []  # left, top, right, bottom, shapes, center and height of the last one, width
    open_rows: list[int] = []
    for left, top, width, height in boxes.tolist():
        center = top + height / 2
        open_rows = [n for n in open_rows if rows[n][2] + MAX_GAP * MAX_HEIGHT >= left]
        best = None
        for n in open_rows:
            row = rows[n]
            larger = max(height, row[6])
            if (
                larger <= MAX_HEIGHT_RATIO * min(height, row[6])
                and abs(center - row[5]) <= MAX_CENTER_DISTANCE * larger
                and -larger / 2 <= left - row[2] <= MAX_GAP * larger
                and (best is None or row[2] > rows[best][2])
            ):
                best = n
        if best is None:
            open_rows.append(len(rows))
            rows.append([left, top, left + width, top + height, 1, center, height])
        else:
            row = rows[best]
            row[:] = [
                row[0],
                min(row[1], top),
                max(row[2], left + width),
                max(row[3], top + height),
                row[4] + 1,
                center,
                height,
            ]
    return [
        (int(left), int(top), int(right), int(bottom))
        for left, top, right, bottom, count, _, _ in rows
        if count >= MIN_SHAPES and right - left >= MIN_LENGTH * (bottom - top)
    ]
