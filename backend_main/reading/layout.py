"""Step 10 - boxes → reading order, and what stands before each, known before anything is recognised.

Coordinates are deskewed first. Then columns are looked for: an upright gutter that no box crosses over a run
of lines, with running text on its sides. Boxes that do cross it (titles, captions) part the page into bands
above and below. What has no such columns, as receipts, forms and tables, is read row by row.

The recursive cut is that of XY-cut (Nagy and Seth 1984); the test whether two sides are columns or the cells
of rows is our own, and its constants were chosen by measuring character errors over sets of pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, hypot, sin
from statistics import median

from .types import Box

SPACE, NEW_LINE, NEW_PARAGRAPH = " ", "\n", "\n\n"
HEADING_ROWS = 3
# In heights of running text: an empty strip that high, across the page, parts what is above it and below.
EMPTY_STRIP = 2.5


@dataclass(frozen=True)
class Placed:
    """Box number `index`, and its lead: what its Markdown puts before the text."""

    index: int
    lead: str


@dataclass(frozen=True)
class _Item:
    """A deskewed box. `size` is its text's height: the shorter side, also where writing runs upwards."""

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
    if not items:
        return []
    gutter = _best_gutter(items, usual)
    if gutter is None:
        return [list(items)]
    blocks: list[list[_Item]] = []
    between: list[_Item] = []  # whole, for a row of a table may reach over the gutter with one of its cells
    for band in _bands(items, gutter, usual):
        if not _are_columns(band, gutter, usual):
            between += band
            continue
        for part in (between, *_sides(band, gutter)):
            blocks += _blocks(part, usual)
        between = []
    return blocks + _blocks(between, usual)


def _best_gutter(items: Sequence[_Item], usual: float) -> float | None:
    """The x that parts the most items into columns, if any does."""
    if len(items) < 4:
        return None
    best, best_score = None, 0
    for x in _gutters(items, usual):
        score = sum(len(band) for band in _bands(items, x, usual) if _are_columns(band, x, usual))
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


def _bands(items: Sequence[_Item], x: float, usual: float) -> list[list[_Item]]:
    """Runs from top to bottom of items that keep clear of x, or cross it; parted by empty strips too."""
    bands: list[list[_Item]] = []
    crossing, bottom = None, 0.0
    for item in sorted(items, key=lambda item: item.middle):
        crosses = _crosses(item, x)
        if crosses != crossing or item.top - bottom > EMPTY_STRIP * usual:
            bands.append([])
            crossing, bottom = crosses, item.bottom
        bands[-1].append(item)
        bottom = max(bottom, item.bottom)
    return bands


def _crosses(item: _Item, x: float) -> bool:
    # Detected boxes reach out of their text by about a third of its height.
    return item.left + 0.4 * item.size < x < item.right - 0.4 * item.size


def _sides(band: Sequence[_Item], x: float) -> tuple[list[_Item], list[_Item]]:
    left = [item for item in band if (item.left + item.right) / 2 < x]
    return left, [item for item in band if (item.left + item.right) / 2 >= x]


def _are_columns(band: Sequence[_Item], x: float, usual: float) -> bool:
    """Whether the two sides of x are to be read one after the other, and not row by row."""
    left, right = _sides(band, x)
    if min(len(left), len(right)) < 2 or any(_crosses(item, x) for item in band):
        return False
    if min(_share_of_strips(side, usual, full_lines=0.0) for side in (left, right)) < 0.5:
        return False  # a side of figures belongs to the rows of the other
    running = sum(_share_of_strips(side, usual, full_lines=0.4) >= 0.5 for side in (left, right))
    return running == 2 or (running == 1 and _aligned(left, right) < 0.5)


def _share_of_strips(side: Sequence[_Item], usual: float, full_lines: float) -> float:
    """The share of a side's items in strips wider than figures are, with that share of lines filling them."""
    return sum(len(strip) for strip in _strips(side) if _is_filled(strip, usual, full_lines)) / len(side)


def _strips(side: Sequence[_Item]) -> list[list[_Item]]:
    """Items that overlap sideways, directly or through others; the side may hold several columns."""
    strips: list[list[_Item]] = []
    reach = 0.0
    for item in sorted(side, key=lambda item: item.left):
        if not strips or item.left > reach:
            strips.append([])
            reach = item.right
        strips[-1].append(item)
        reach = max(reach, item.right)
    return strips


def _is_filled(strip: Sequence[_Item], usual: float, full_lines: float) -> bool:
    width = max(item.right for item in strip) - min(item.left for item in strip)
    full = sum(item.width >= 0.7 * width for item in strip)
    return width >= 8 * usual and full >= full_lines * len(strip)


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
    marks = _heading_marks(rows, usual)
    for number, row in enumerate(rows):
        if not number:
            leads.append(NEW_PARAGRAPH + marks[0])
            continue
        above = rows[number - 1]
        if marks[number] and _continues(above, row, usual) and marks[number - 1]:
            leads.append(SPACE)  # a heading of two rows is one heading
        elif marks[number] or marks[number - 1] or _breaks(above, row, gap, edge, usual):
            leads.append(NEW_PARAGRAPH + marks[number])
        else:
            leads.append(NEW_LINE)
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


def _heading_marks(rows: Sequence[_Row], usual: float) -> list[str]:
    """The marks of each row that is a heading: a run of few short rows, markedly taller than running text."""
    marks: list[str] = []
    for run in _runs(rows, usual):
        size = median(_height(row) for row in run)
        level = "# " if size > 1.8 * usual else "## " if size > 1.35 * usual else ""
        heading = len(run) <= HEADING_ROWS and all(_is_short(row) for row in run)
        marks += [level if heading else ""] * len(run)
    return marks


def _runs(rows: Sequence[_Row], usual: float) -> list[list[_Row]]:
    """Rows that go on with one another: one paragraph of running text, or one heading."""
    runs: list[list[_Row]] = []
    for row in rows:
        if runs and _continues(runs[-1][-1], row, usual):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _continues(above: _Row, row: _Row, usual: float) -> bool:
    smaller, larger = sorted((_height(above), _height(row)))
    return larger < 1.25 * smaller and _gap(above, row) < max(larger, usual)


def _height(row: _Row) -> float:
    return max(item.bottom - item.top for item in row)


def _is_short(row: _Row) -> bool:
    return len(row) == 1 and 2 * row[0].size < row[0].width < 40 * row[0].size
