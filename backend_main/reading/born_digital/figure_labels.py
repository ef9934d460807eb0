"""Text in a figure: labels, each of which is a line."""

import sys
from collections.abc import Sequence

from ..layout.geometry import LayoutBox
from ..layout.rows import Row, group_rows
from .figures import MAX_TICK_CHARACTERS
from .page import DigitalPage


def _place_or_last(page: DigitalPage, box: LayoutBox) -> int:
    """Return the place of a box in the content; recognized text comes last."""
    place = page.place(box)
    return sys.maxsize if place is None else place


def label_lines(page: DigitalPage, boxes: Sequence[LayoutBox]) -> list[Row]:
    """Return the labels of a figure from top to bottom: one a line, the numbers of an axis together.

    A label of several lines is one.
    """
    labels: dict[int, Row] = {}
    last: Row = []
    for box in sorted(boxes, key=lambda box: _place_or_last(page, box)):
        if last and (_continues_label(last[-1], box) or _continues_axis(page, last[-1], box)):
            last.append(box)
        else:
            last = labels[box.index] = [box]
    firsts = group_rows([label[0] for label in labels.values()])
    return [labels[box.index] for row in firsts for box in row]


def _continues_label(above: LayoutBox, box: LayoutBox) -> bool:
    """Return whether a box is the next line of a label, or the rest of its line."""
    height = box.text_height
    if abs(above.center_y - box.center_y) < height / 4:
        return -height < box.left - above.right < height
    is_same_size = abs(above.text_height - height) < height / 4
    overlap = min(above.right, box.right) - max(above.left, box.left)
    is_below = -height / 4 < box.top - above.bottom < height / 2
    return is_same_size and is_below and 2 * overlap > min(above.width, box.width)


def _continues_axis(page: DigitalPage, last: LayoutBox, box: LayoutBox) -> bool:
    is_level = abs(last.center_y - box.center_y) < box.text_height / 4 and box.left > last.right
    return is_level and all(len(page.text(each)) <= MAX_TICK_CHARACTERS for each in (last, box))
