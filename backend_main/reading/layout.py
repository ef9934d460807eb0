"""Step 10 - boxes → reading order, and what stands before each, known before anything is recognised.

Coordinates are deskewed first. Then columns are looked for: an upright gutter that no box crosses over a run of
lines, with running text on its sides. Boxes that do cross it (titles, wide figures' captions) part the page into
bands above and below. What has no such columns, as receipts, forms and tables, is read row by row.

The idea of the recursive cut is that of XY-cut (Nagy and Seth 1984); the test whether two sides are columns or
the cells of rows is our own, and its constants were chosen by measuring character errors over whole page sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, hypot, sin
from statistics import median

from .types import Box

SPACE, NEW_LINE, NEW_PARAGRAPH = " ", "\n", "\n\n"


@dataclass(frozen=True)
class Placed:
    """Box number `index`, and its lead: what its Markdown puts before the text."""

    index: int
    lead: str


@dataclass(frozen=True)
class _Item:
    """A box upright after deskewing. `size` is its text's height: the shorter side, also of upright writing."""

    index: int
    left: float
    top: float
    right: float
    bottom: float
    size: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


_Row = list[_Item]


def order(boxes: Sequence[Box]) -> list[Placed]:
    """Every box once, in reading order. Unmoved by shifting and scaling the page."""
    items = _deskewed(boxes)
    if not items:
        return []
    usual = _usual_size(items)
    blocks = [_rows(block) for block in _blocks(items, usual)]
    return _placed(blocks, usual)


def _usual_size(items: Sequence[_Item]) -> float:
    """The height of the page's running text: the median over boxes, each counted by its width."""
    ranked = sorted(items, key=lambda item: item.size)
    half, passed = sum(item.width for item in ranked) / 2, 0.0
    for item in ranked:
        passed += item.width
        if passed >= half:
            return max(item.size, 1e-6)
    return 1e-6


# --- deskewing ---------------------------------------------------------------------------------------------


def _deskewed(boxes: Sequence[Box]) -> list[_Item]:
    angle = _skew(boxes)
    turn, rise = cos(-angle), sin(-angle)
    items = []
    for index, box in enumerate(boxes):
        xs = [x * turn - y * rise for x, y in box]
        ys = [x * rise + y * turn for x, y in box]
        # Means of two corners: a slanted box's extremes would reach into its neighbours' rows.
        left, right = sorted(((xs[0] + xs[3]) / 2, (xs[1] + xs[2]) / 2))
        top, bottom = sorted(((ys[0] + ys[1]) / 2, (ys[2] + ys[3]) / 2))
        items.append(_Item(index, left, top, right, bottom, max(min(right - left, bottom - top), 1e-6)))
    return items


def _skew(boxes: Sequence[Box]) -> float:
    """The page's angle in radians: the median slope of the long boxes' upper edges, counted by length."""
    edges = []
    for (x0, y0), (x1, y1), _, (x3, y3) in boxes:
        length, height = hypot(x1 - x0, y1 - y0), hypot(x3 - x0, y3 - y0)
        if length > 3 * height:
            edges.append((atan2(y1 - y0, x1 - x0), length))
    half, passed = sum(length for _, length in edges) / 2, 0.0
    for angle, length in sorted(edges):
        passed += length
        if passed >= half:
            return angle
    return 0.0


# --- rows --------------------------------------------------------------------------------------------------


def _rows(items: Sequence[_Item]) -> list[_Row]:
    """Items side by side form a row; rows from top to bottom, each from left to right."""
    rows: list[_Row] = []
    for item in sorted(items, key=lambda item: item.middle):
        if rows and _same_row(rows[-1], item):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def _same_row(row: _Row, item: _Item) -> bool:
    middle = median(other.middle for other in row)
    size = min(item.size, *(other.size for other in row)) if len(row) else item.size
    if abs(item.middle - middle) > 0.5 * size:
        return False
    return all(min(item.right, other.right) - max(item.left, other.left) < 0.5 * size for other in row)


# --- columns -----------------------------------------------------------------------------------------------


def _blocks(items: Sequence[_Item], usual: float) -> list[list[_Item]]:
    """Groups in reading order, each to be read row by row."""
    if len(items) < 4:
        return [list(items)]
    gutter = _best_gutter(items, usual)
    if gutter is None:
        return [list(items)]
    blocks: list[list[_Item]] = []
    for band in _bands(items, gutter):
        if _are_columns(band, gutter, usual):
            for side in _sides(band, gutter):
                blocks += _blocks(side, usual)
        elif len(band) < len(items):
            blocks += _blocks(band, usual)
        else:
            blocks.append(band)
    return blocks


def _best_gutter(items: Sequence[_Item], usual: float) -> float | None:
    """The x that parts the most items into columns, if any does."""
    best, best_score = None, 0
    for x in _gutters(items, usual):
        score = sum(len(band) for band in _bands(items, x) if _are_columns(band, x, usual))
        if score > best_score:
            best, best_score = x, score
    return best


def _gutters(items: Sequence[_Item], usual: float) -> list[float]:
    """Candidates: just left of where several items begin, at most one in half a line's height."""
    lefts = sorted(item.left for item in items)
    found: list[float] = []
    for x in lefts:
        if x > lefts[0] + usual and (not found or x - 0.3 * usual > found[-1] + 0.5 * usual):
            found.append(x - 0.3 * usual)
    return found


def _bands(items: Sequence[_Item], x: float) -> list[list[_Item]]:
    """Runs from top to bottom, alternately of items that keep clear of x and of such that cross it."""
    bands: list[list[_Item]] = []
    crossing = None
    for item in sorted(items, key=lambda item: item.middle):
        crosses = item.left < x < item.right
        if crosses != crossing:
            bands.append([])
            crossing = crosses
        bands[-1].append(item)
    return bands


def _sides(band: Sequence[_Item], x: float) -> tuple[list[_Item], list[_Item]]:
    return [item for item in band if item.right <= x], [item for item in band if item.left >= x]


def _are_columns(band: Sequence[_Item], x: float, usual: float) -> bool:
    """Whether the two sides of x are to be read one after the other, and not row by row."""
    left, right = _sides(band, x)
    if len(left) + len(right) < len(band) or min(len(left), len(right)) < 2:
        return False
    running = _is_running_text(left, usual) + _is_running_text(right, usual)
    if running == 2:
        return True
    return running == 1 and _aligned(left, right) < 0.5


def _is_running_text(side: Sequence[_Item], usual: float) -> bool:
    """Lines that mostly fill their column's width, which is wider than a column of figures."""
    begin, end = min(item.left for item in side), max(item.right for item in side)
    if end - begin < 8 * usual:
        return False
    full = sum(item.width >= 0.7 * (end - begin) for item in side)
    return full >= 0.4 * len(side)


def _aligned(left: Sequence[_Item], right: Sequence[_Item]) -> float:
    """The share of the smaller side's items that have one beside them on the other."""
    fewer, more = sorted((left, right), key=len)
    beside = sum(any(abs(item.middle - other.middle) < 0.35 * item.size for other in more) for item in fewer)
    return beside / len(fewer)


# --- leads -------------------------------------------------------------------------------------------------


def _placed(blocks: Sequence[Sequence[_Row]], usual: float) -> list[Placed]:
    placed: list[Placed] = []
    for rows in blocks:
        leads = _row_leads(rows, usual)
        for row, lead in zip(rows, leads, strict=True):
            for item in row:
                first = item is row[0]
                placed.append(Placed(item.index, lead if first else SPACE))
    if placed:
        placed[0] = Placed(placed[0].index, placed[0].lead.lstrip())
    return placed


def _row_leads(rows: Sequence[_Row], usual: float) -> list[str]:
    """A block's rows: a new paragraph after a wider gap or at an indent; headings are their own."""
    gap = _usual_gap(rows)
    edge = median(row[0].left for row in rows)
    leads: list[str] = []
    marks_above = ""
    for number, row in enumerate(rows):
        above = rows[number - 1] if number else None
        marks = _heading_marks(row, usual)
        if above is None:
            leads.append(NEW_PARAGRAPH + marks)
        elif marks and marks == marks_above and _gap(above, row) <= usual:
            leads.append(SPACE)  # a heading of two rows is one heading
        elif marks or marks_above or _breaks(above, row, gap, edge, usual):
            leads.append(NEW_PARAGRAPH + marks)
        else:
            leads.append(NEW_LINE)
        marks_above = marks
    return leads


def _usual_gap(rows: Sequence[_Row]) -> float:
    return median(_gap(above, row) for above, row in pairwise(rows)) if len(rows) > 1 else 0.0


def _gap(above: _Row, row: _Row) -> float:
    return min(item.top for item in row) - max(item.bottom for item in above)


def _breaks(above: _Row, row: _Row, gap: float, edge: float, usual: float) -> bool:
    if _gap(above, row) > gap + 0.5 * usual:
        return True
    indented = 0.8 * usual < row[0].left - edge < 5 * usual
    return indented and above[0].left - edge < 0.4 * usual and len(row) == 1


def _heading_marks(row: _Row, usual: float) -> str:
    """Marks of a heading for a row alone on its line, markedly taller than running text, and short."""
    if len(row) > 1 or row[0].width > 40 * row[0].size or row[0].width < 2 * row[0].size:
        return ""
    size = row[0].bottom - row[0].top
    return "# " if size > 1.8 * usual else "## " if size > 1.4 * usual else ""
