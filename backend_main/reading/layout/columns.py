"""Split of a page into columns, in reading order; receipts, forms and tables stay whole, to be read by rows.

The recursive split is XY-cut (Nagy and Seth 1984): it cuts at a gutter that no box crosses over a run of
lines, with text on both sides. Boxes that cross it (titles, captions) divide the page into bands.

XY-cut alone cannot tell two columns from the cells of a table. The test for that is our own: text beside
every line of a paragraph is another column, text beside a few of its lines is their label.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import partial

from .column_sides import gutter_width, has_own_rows, is_dense, level_share, sides_of, width
from .geometry import LayoutBox
from .rows import group_rows

MIN_EMPTY_STRIP = 2.5
"""In body heights: an empty strip across the page of this height separates two bands."""
MIN_VERTICAL_ASPECT_RATIO = 2.5
"""A box that is higher than wide by this factor is vertical text."""
MAX_VERTICAL_SHARE = 0.2
"""If more of a page's boxes are vertical, they are its text and not margin notes."""
MIN_TITLE_SIZE = 1.4
"""In body heights."""
MIN_COLUMN_WIDTH = 8.0
"""In body heights: narrower text is a column of figures."""
GUTTER_DISTANCE = 0.3
MIN_GUTTER_STEP = 0.5
"""In body heights: from a gutter to the boxes right of it, and between two gutters."""
BOX_MARGIN = 0.4
"""In text heights: detected boxes extend beyond their text by about a third of its height."""

MIN_LINE_DISTANCE, MAX_LINE_DISTANCE = 0.7, 2.2
MAX_EDGE_DISTANCE = 0.6
"""In text heights: between centres, and left or right edges, of adjacent lines of a paragraph."""
MAX_LINE_HEIGHT_RATIO = 1.4
MIN_COMMON_WIDTH_SHARE = 0.6
"""Share of their width that adjacent lines of a paragraph have in common."""
MIN_PROSE_SHARE = 0.4
"""Share of a column's boxes that are lines of paragraphs."""
MIN_ROWS, MIN_WIDTH_SHARE = 12, 0.5
"""A column without paragraphs has at least these rows, and this share of the other side's width."""
MIN_SLIP_ROWS, MIN_SLIP_WIDTH = 6, 5.0
"""Rows, and width in body heights, of a slip beside a letter. Labels of paragraphs are level with them."""
MAX_RECEIPT_GUTTERS = 24
"""Gutters that no box crosses in the right side of receipts. With more, dots or marks make them."""
MAX_LEVEL_SHARE = 0.5
"""In two independent texts, a third of the rows are level by chance."""

MIN_LABEL_LEVEL_SHARE = 0.65
"""Labels, unlike a column without paragraphs, are level with a line of their values in this share of rows."""

IsProse = Callable[[LayoutBox], bool]


def split_columns(boxes: Sequence[LayoutBox], body_height: float) -> list[list[LayoutBox]]:
    """Split boxes into groups in reading order, each to be read row by row.

    Vertical text on a page of level lines, such as stamps and tabs in margins, comes last.
    """
    vertical = [box for box in boxes if box.height > MIN_VERTICAL_ASPECT_RATIO * box.width]
    if len(vertical) > MAX_VERTICAL_SHARE * len(boxes):
        vertical = []
    level = [box for box in boxes if box not in vertical]
    groups = _split(level, body_height, prose_boxes(level).__contains__)
    return [*groups, *([box] for box in vertical)]


def _split(boxes: Sequence[LayoutBox], body_height: float, is_prose: IsProse) -> list[list[LayoutBox]]:
    if not boxes:
        return []
    gutter = _best_gutter(boxes, body_height, is_prose)
    if gutter is None:
        return [list(boxes)]
    split = partial(_split, body_height=body_height, is_prose=is_prose)
    groups: list[list[LayoutBox]] = []
    # Bands between columns stay together: a row of a table may cross the gutter with one of its cells.
    between: list[LayoutBox] = []
    for band in bands(boxes, gutter, body_height):
        if not _are_columns(band, gutter, body_height, is_prose):
            between += band
            continue
        for part in (between, *_ordered_sides(band, gutter, body_height)):
            groups += split(part)
        between = []
    return groups + split(between)


# --- gutters -----------------------------------------------------------------------------------------------


def _best_gutter(boxes: Sequence[LayoutBox], body_height: float, is_prose: IsProse) -> float | None:
    """Return the x that splits the most boxes into columns, or the widest gutter of several such x."""
    if len(boxes) < 4:
        return None
    best, best_score = None, (0, 0.0)
    for x in candidate_gutters(boxes, body_height):
        runs = [band for band in bands(boxes, x, body_height) if _are_columns(band, x, body_height, is_prose)]
        score = sum(map(len, runs)), max((gutter_width(*sides_of(band, x)) for band in runs), default=0.0)
        if score > best_score:
            best, best_score = x, score
    return best


def candidate_gutters(boxes: Sequence[LayoutBox], body_height: float) -> list[float]:
    """Return each x just left of a box, but not left of all boxes."""
    lefts = sorted(box.left for box in boxes)
    gutters: list[float] = []
    for left in lefts:
        x = left - GUTTER_DISTANCE * body_height
        is_inside = left > lefts[0] + body_height
        if is_inside and (not gutters or x > gutters[-1] + MIN_GUTTER_STEP * body_height):
            gutters.append(x)
    return gutters


def bands(
    boxes: Sequence[LayoutBox], x: float | None, body_height: float, min_strip: float = MIN_EMPTY_STRIP
) -> list[list[LayoutBox]]:
    """Divide boxes, from top to bottom, into runs that cross x or do not; empty strips divide them too.

    Args:
        x: None if strips alone divide the boxes.
        min_strip: height of an empty strip, in body heights.
    """
    found: list[list[LayoutBox]] = []
    crossing, bottom = None, 0.0
    for box in sorted(boxes, key=lambda box: box.center_y):
        crosses = x is not None and crosses_gutter(box, x)
        if crosses != crossing or box.top - bottom > min_strip * body_height:
            found.append([])
            crossing, bottom = crosses, box.bottom
        found[-1].append(box)
        bottom = max(bottom, box.bottom)
    return found


def crosses_gutter(box: LayoutBox, x: float) -> bool:
    margin = BOX_MARGIN * box.text_height
    return box.left + margin < x < box.right - margin


def _ordered_sides(
    band: Sequence[LayoutBox], x: float, body_height: float
) -> tuple[list[LayoutBox], list[LayoutBox]]:
    """Return left and right side; the right side first if it begins with a title above the left side."""
    left, right = sides_of(band, x)
    top = min(box.top for box in left)
    is_titled = any(box.text_height > MIN_TITLE_SIZE * body_height and box.bottom < top for box in right)
    return (right, left) if is_titled else (left, right)


# --- columns or rows ---------------------------------------------------------------------------------------


def _are_columns(band: Sequence[LayoutBox], x: float, body_height: float, is_prose: IsProse) -> bool:
    """Return whether the sides of x are columns, to be read one after the other, and not cells of rows."""
    left, right = sides_of(band, x)
    if min(len(left), len(right)) < 2 or any(crosses_gutter(box, x) for box in band):
        return False
    narrower = min(width(left), width(right))
    if narrower < MIN_SLIP_WIDTH * body_height:
        return False
    shares = [sum(map(is_prose, side)) / len(side) for side in (left, right)]
    prose, other = (left, right) if shares[0] > shares[1] else (right, left)
    has_prose = max(shares) >= MIN_PROSE_SHARE
    has_slip = has_prose and len(group_rows(other)) >= MIN_SLIP_ROWS
    if has_slip and level_share(left, right) < MAX_LEVEL_SHARE:
        return True
    if narrower < MIN_COLUMN_WIDTH * body_height:
        return False
    if min(shares) >= MIN_PROSE_SHARE:
        return True
    if has_prose and is_dense(prose, other) and level_share(left, right) < MIN_LABEL_LEVEL_SHARE:
        return True
    if _are_receipts(left, right, body_height):
        return True
    return _are_balanced(left, right) and level_share(left, right) < MAX_LEVEL_SHARE


def _are_receipts(left: Sequence[LayoutBox], right: Sequence[LayoutBox], body_height: float) -> bool:
    """Return whether the left side, and the right one or each part of it, has rows of its own."""
    found: dict[int, bool] = {}

    def are_receipts(rest: Sequence[LayoutBox]) -> bool:
        # Each rest is a part of the longer ones. Without `found`, their number would be exponential.
        if len(rest) not in found:
            gutters = candidate_gutters(rest, body_height)
            free = [x for x in gutters if not any(crosses_gutter(box, x) for box in rest)]
            divided = (sides_of(rest, x) for x in free if len(free) <= MAX_RECEIPT_GUTTERS)
            found[len(rest)] = has_own_rows(rest) or any(
                has_own_rows(first) and are_receipts(others) for first, others in divided
            )
        return found[len(rest)]

    return has_own_rows(left) and are_receipts(right)


def _are_balanced(left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> bool:
    """Return whether neither side is small beside the other, so that either may be a text of its own."""
    narrower, wider = sorted((width(left), width(right)))
    rows = min(len(group_rows(left)), len(group_rows(right)))
    return rows >= MIN_ROWS and narrower >= MIN_WIDTH_SHARE * wider


def prose_boxes(boxes: Sequence[LayoutBox]) -> frozenset[LayoutBox]:
    """Return the boxes that have a line of their paragraph above or below."""
    wide = [box for box in boxes if box.width >= MIN_COLUMN_WIDTH * box.text_height]
    by_height = sorted(boxes, key=lambda box: box.center_y)
    centers = [box.center_y for box in by_height]
    found = set()
    for box in wide:
        reach = MAX_LINE_DISTANCE * box.text_height
        near = by_height[
            bisect_left(centers, box.center_y - reach) : bisect_right(centers, box.center_y + reach)
        ]
        if any(is_adjacent_line(box, other) for other in near):
            found.add(box)
    return frozenset(found)


def is_adjacent_line(box: LayoutBox, other: LayoutBox) -> bool:
    distance = abs(box.center_y - other.center_y)
    if not MIN_LINE_DISTANCE * box.text_height < distance < MAX_LINE_DISTANCE * box.text_height:
        return False
    smaller, larger = sorted((box.text_height, other.text_height))
    if larger > MAX_LINE_HEIGHT_RATIO * smaller:
        return False
    if min(abs(box.left - other.left), abs(box.right - other.right)) > MAX_EDGE_DISTANCE * box.text_height:
        return False
    common = min(box.right, other.right) - max(box.left, other.left)
    return common >= MIN_COMMON_WIDTH_SHARE * (max(box.right, other.right) - min(box.left, other.left))
