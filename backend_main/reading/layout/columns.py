"""Step 10 - which boxes are read one after the other, and which row by row.

Columns are looked for: an upright gutter that no box crosses over a run of lines, with text of its own on
both sides. Boxes that do cross it (titles, captions) part the page into bands above and below. What has no
such columns, as receipts, forms and tables, is read row by row.

The recursive cut is that of XY-cut (Nagy and Seth 1984); the test whether two sides are columns or the cells
of rows is our own. Its reason: the lines of a paragraph are no rows of a table, so what stands beside every
one of them is another column, and what stands beside a few of them is their label.
"""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from .geometry import LayoutBox
from .rows import group_rows

# In heights of running text: an empty strip that high, across the page, parts what is above it and below.
EMPTY_STRIP = 2.5
# A box so much higher than wide is written sideways, if no more than that share of the page is.
SIDEWAYS, MAX_SIDEWAYS_SHARE = 2.5, 0.2
TITLE_SIZE = 1.4
# In heights of running text: a column is as wide at least; what is narrower is a row of figures.
MIN_WIDTH = 8.0
# Two lines of a paragraph begin or end at one edge, and have this share of their widths in common.
COMMON_SHARE = 0.6
PROSE_SHARE = 0.4
# What a text without paragraphs must have to be a column: rows, and a share of the other side's width.
MIN_ROWS, MIN_SHARE = 12, 0.5
# In heights of text: rows as near as that are level. Of two texts of their own a third are so by chance.
LEVEL, MAX_LEVEL_SHARE = 0.2, 0.5
# The share of a paragraph's lines that has something beside it, where that is a column.
DENSE = 0.6

IsProse = Callable[[LayoutBox], bool]


def split_columns(items: Sequence[LayoutBox], usual: float) -> list[list[LayoutBox]]:
    """Groups in reading order, each to be read row by row. `usual` is the height of running text.

    What runs up or down a page of level lines, as stamps and tabs in margins do, is read last.
    """
    sideways = [item for item in items if item.height > SIDEWAYS * item.width]
    if len(sideways) > MAX_SIDEWAYS_SHARE * len(items):
        sideways = []
    level = [item for item in items if item not in sideways]
    blocks = _blocks(level, usual, prose_items(level).__contains__)
    return [*blocks, *([item] for item in sideways)]


def _blocks(items: Sequence[LayoutBox], usual: float, is_prose: IsProse) -> list[list[LayoutBox]]:
    if not items:
        return []
    gutter = _best_gutter(items, usual, is_prose)
    if gutter is None:
        return [list(items)]
    parts_of = partial(_blocks, usual=usual, is_prose=is_prose)
    blocks: list[list[LayoutBox]] = []
    between: list[
        LayoutBox
    ] = []  # whole, for a row of a table may reach over the gutter with one of its cells
    for band in _bands(items, gutter, usual):
        if not _are_columns(band, gutter, usual, is_prose):
            between += band
            continue
        for part in (between, *_interleave_bands(*_sides(band, gutter), usual)):
            blocks += parts_of(part)
        between = []
    return blocks + parts_of(between)


# --- gutters -----------------------------------------------------------------------------------------------


def _best_gutter(items: Sequence[LayoutBox], usual: float, is_prose: IsProse) -> float | None:
    """The x that parts the most items into columns, if any does."""
    if len(items) < 4:
        return None
    best, best_score = None, 0
    for x in _gutters(items, usual):
        bands = _bands(items, x, usual)
        score = sum(len(band) for band in bands if _are_columns(band, x, usual, is_prose))
        if score > best_score:
            best, best_score = x, score
    return best


def _gutters(items: Sequence[LayoutBox], usual: float) -> list[float]:
    """Candidates: just left of where several items begin, at most one in half a line's height."""
    lefts = sorted(item.left for item in items)
    found: list[float] = []
    for x in lefts:
        if x > lefts[0] + usual and (not found or x - 0.3 * usual > found[-1] + 0.5 * usual):
            found.append(x - 0.3 * usual)
    return found


def _bands(items: Sequence[LayoutBox], x: float, usual: float) -> list[list[LayoutBox]]:
    """Runs from top to bottom of items that keep clear of x, or cross it; parted by empty strips too."""
    bands: list[list[LayoutBox]] = []
    crossing, bottom = None, 0.0
    for item in sorted(items, key=lambda item: item.center_y):
        crosses = _crosses(item, x)
        if crosses != crossing or item.top - bottom > EMPTY_STRIP * usual:
            bands.append([])
            crossing, bottom = crosses, item.bottom
        bands[-1].append(item)
        bottom = max(bottom, item.bottom)
    return bands


def _crosses(item: LayoutBox, x: float) -> bool:
    # Detected boxes reach out of their text by about a third of its height.
    return item.left + 0.4 * item.text_height < x < item.right - 0.4 * item.text_height


def _sides(band: Sequence[LayoutBox], x: float) -> tuple[list[LayoutBox], list[LayoutBox]]:
    left = [item for item in band if item.center_x < x]
    return left, [item for item in band if item.center_x >= x]


def _interleave_bands(
    left: list[LayoutBox], right: list[LayoutBox], usual: float
) -> tuple[list[LayoutBox], list[LayoutBox]]:
    """From left to right, but a column that begins with a title is read before a margin below that."""
    top = min(item.top for item in left)
    titled = any(item.text_height > TITLE_SIZE * usual and item.bottom < top for item in right)
    return (right, left) if titled else (left, right)


# --- columns or rows ---------------------------------------------------------------------------------------


def _are_columns(band: Sequence[LayoutBox], x: float, usual: float, is_prose: IsProse) -> bool:
    """Whether the two sides of x are to be read one after the other, and not row by row."""
    left, right = _sides(band, x)
    if min(len(left), len(right)) < 2 or any(_crosses(item, x) for item in band):
        return False
    if min(_width(left), _width(right)) < MIN_WIDTH * usual:
        return False
    shares = [sum(map(is_prose, side)) / len(side) for side in (left, right)]
    if min(shares) >= PROSE_SHARE:
        return True
    if max(shares) >= PROSE_SHARE and _is_dense(*((left, right) if shares[0] > shares[1] else (right, left))):
        return True
    return _are_even(left, right) and _level_share(left, right) < MAX_LEVEL_SHARE


def _are_even(left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> bool:
    """Whether neither side is small beside the other, so that either may be a text of its own."""
    widths = sorted((_width(left), _width(right)))
    return min(_rows(left), _rows(right)) >= MIN_ROWS and widths[0] >= MIN_SHARE * widths[1]


def _width(side: Sequence[LayoutBox]) -> float:
    return max(item.right for item in side) - min(item.left for item in side)


def _rows(side: Sequence[LayoutBox]) -> int:
    return len(group_rows(side))


def _is_dense(prose: Sequence[LayoutBox], other: Sequence[LayoutBox]) -> bool:
    """Whether nearly every line of the prose, as far as the other side reaches, has something beside it."""
    top, bottom = min(item.top for item in other), max(item.bottom for item in other)
    lines = [item for item in prose if top < item.center_y < bottom]
    return len(lines) >= 3 and _rows(other) >= DENSE * len(lines)


def _level_share(left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> float:
    """The share of the rows, on the side with fewer, that have one level with them on the other side."""
    fewer, more = sorted(([_middle(row) for row in group_rows(side)] for side in (left, right)), key=len)
    near = LEVEL * median(item.text_height for item in (*left, *right))
    return sum(any(abs(one - other) < near for other in more) for one in fewer) / len(fewer)


def _middle(row: Sequence[LayoutBox]) -> float:
    return median(item.center_y for item in row)


def prose_items(items: Sequence[LayoutBox]) -> frozenset[LayoutBox]:
    """Those that have a line of their paragraph above or below: close, as high, from or to one edge."""
    wide = [item for item in items if item.width >= MIN_WIDTH * item.text_height]
    return frozenset(item for item in wide if any(_is_next_line(item, other) for other in items))


def _is_next_line(item: LayoutBox, other: LayoutBox) -> bool:
    apart = abs(item.center_y - other.center_y)
    smaller, larger = sorted((item.text_height, other.text_height))
    if not 0.7 * item.text_height < apart < 2.2 * item.text_height or larger > 1.4 * smaller:
        return False
    if min(abs(item.left - other.left), abs(item.right - other.right)) > 0.6 * item.text_height:
        return False
    common = min(item.right, other.right) - max(item.left, other.left)
    return common >= COMMON_SHARE * (max(item.right, other.right) - min(item.left, other.left))
