"""Detection of line numbers: the numbers that manuscripts, laws and listings have beside their lines."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from .furniture_page import FurniturePage
from .geometry import LayoutBox

MIN_LINE_NUMBERS = 6
MAX_DIGITS = 4
MAX_MISSED = 3
"""Numbers in a row that text recognition may miss."""
STEPS = (1, 2, 5, 10)
"""Lines between two numbers, in print."""
COLUMN_TOLERANCE = 0.8
"""In body heights: numbers of one column end, or begin, in the same place."""
MAX_SPACING_DEVIATION, MIN_REGULAR_SHARE = 0.35, 0.7
"""Most distances between two numbers are the usual one, within this share of it. Headings interrupt them."""
MIN_LINE_SHARE = 0.5
"""Share of the numbers that have a line of text beside them; a table has several cells there."""
MIN_LINE_WIDTH = 12.0
"""In body heights."""
MIN_CONTINUED_SHARE = 0.2
"""Share of the lines that begin with a small letter, as sentences wrap; the items of a list do not."""


def find_line_numbers(page: FurniturePage) -> frozenset[int]:
    """Return the indices of the boxes that are line numbers."""
    boxes = [box for box in page.level_boxes if _is_number(page.texts[box.index])]
    if len(boxes) < MIN_LINE_NUMBERS:
        return frozenset()
    found: set[int] = set()
    for column in _columns(boxes, COLUMN_TOLERANCE * page.body_height):
        numbers = _counting_boxes(column, page.texts)
        if (
            len(numbers) >= MIN_LINE_NUMBERS
            and _is_regular(numbers, page.texts)
            and _is_beside_lines(numbers, page)
        ):
            found |= {box.index for box in numbers}
    return frozenset(found)


def _is_number(text: str) -> bool:
    return text.strip().isdecimal() and len(text.strip()) <= MAX_DIGITS


def _columns(boxes: Sequence[LayoutBox], tolerance: float) -> list[list[LayoutBox]]:
    """Group boxes that end in the same place, or else begin there, from left to right."""
    columns: list[list[LayoutBox]] = []
    near: defaultdict[tuple[bool, int], set[int]] = defaultdict(set)
    for box in sorted(boxes, key=lambda box: box.right):
        ends = [(True, int(box.right // tolerance)), (False, int(box.left // tolerance))]
        candidates = {
            number for is_right, end in ends for each in (-1, 0, 1) for number in near[is_right, end + each]
        }
        for number in sorted(candidates):
            last = columns[number][-1]
            if min(abs(last.right - box.right), abs(last.left - box.left)) < tolerance:
                break
        else:
            number = len(columns)
            columns.append([])
        columns[number].append(box)
        for end in ends:
            near[end].add(number)
    return [sorted(column, key=lambda box: box.center_y) for column in columns]


def _counting_boxes(column: Sequence[LayoutBox], texts: Sequence[str]) -> list[LayoutBox]:
    """Return the longest part of the column whose numbers count up by one step, from top to bottom.

    Text recognition may miss some of them, or take them for a part of their line.
    """
    best: list[LayoutBox] = []
    for step in STEPS:
        run: list[LayoutBox] = []
        for box in column:
            if run and not _follows(run[-1], box, texts, step):
                run = []
            run.append(box)
            if len(run) > len(best):
                best = list(run)
    return best


def _follows(above: LayoutBox, box: LayoutBox, texts: Sequence[str], step: int) -> bool:
    steps, rest = divmod(int(texts[box.index]) - int(texts[above.index]), step)
    return rest == 0 and 1 <= steps <= MAX_MISSED + 1


def _is_regular(numbers: Sequence[LayoutBox], texts: Sequence[str]) -> bool:
    distances = [
        (below.center_y - above.center_y) / (int(texts[below.index]) - int(texts[above.index]))
        for above, below in pairwise(numbers)
    ]
    usual = median(distances)
    regular = sum(abs(distance - usual) < MAX_SPACING_DEVIATION * usual for distance in distances)
    return regular >= MIN_REGULAR_SHARE * len(distances)


def _is_beside_lines(numbers: Sequence[LayoutBox], page: FurniturePage) -> bool:
    """Return whether lines of running text are beside the numbers, all on one side."""
    indices = {box.index for box in numbers}
    others = [box for box in page.level_boxes if box.index not in indices]
    left, right = min(box.left for box in numbers), max(box.right for box in numbers)
    lines = continued = 0
    for number in numbers:
        beside = [box for box in others if abs(box.center_y - number.center_y) < 0.5 * page.body_height]
        if any(box.left < right and box.right > left for box in beside):
            return False
        texts = [box for box in beside if box.width >= MIN_LINE_WIDTH * page.body_height]
        lines += 0 < len(beside) <= 2 and len(texts) == len(beside)
        continued += bool(texts) and page.texts[texts[0].index].lstrip()[:1].islower()
    return lines >= MIN_LINE_SHARE * len(numbers) and continued >= MIN_CONTINUED_SHARE * max(1, lines)
