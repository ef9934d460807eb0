"""Reading order of a born-digital page: boxes → groups in reading order, each to be read row by row.

The recursive split is XY-cut (Nagy and Seth 1984), as in layout/columns.py, but for exact boxes. Most
programs draw a page in its logical order. So the order of the page's content decides where positions alone do
not: two texts side by side are columns if one is drawn after the other, and rows if they are drawn in turns.
Positions decide where a program draws from top to bottom, whatever belongs together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ..layout.column_sides import (
    are_side_by_side,
    gutter_width,
    is_dense,
    is_marker_of,
    level_share,
    sides_of,
    width,
)
from ..layout.columns import is_adjacent_line
from ..layout.geometry import LayoutBox
from ..layout.rows import group_rows
from .side_blocks import are_blocks, without_ends, without_last_row
from .side_texts import are_figures, are_labels

MIN_VERTICAL_ASPECT_RATIO, MAX_VERTICAL_SHARE = 2.5, 0.2
"""Higher boxes are vertical text, unless they are a larger share of the page."""
MIN_VERTICAL_CHARACTERS = 3
"""Shorter text is a narrow character of a level line, such as a bullet."""
MAX_GUTTERS = 24
"""Gutters that are examined, those that the fewest boxes cross first."""
# In heights of running text.
MIN_EMPTY_STRIP = 2.5
"""An empty strip across the page of this height separates two bands."""
MIN_GUTTER = 0.5
MIN_COLUMN_WIDTH = 8.0
"""Narrower text is a column of figures, unless it is drawn apart from the text beside it."""
MIN_SIDE_WIDTH = 3.0
"""Narrower text is a number or a bullet beside its text."""
MIN_SIDE_ROWS, MIN_SIDE_GUTTER = 3, 1.5
"""Rows beside a single row, and width of the gutter, at which the row is a heading or a note of its own."""
MIN_PITCH_RATIO = 1.1
"""Ratio of the distance below the last line of a paragraph to that above it."""
MAX_EDGE_OVERLAP = 0.15
"""Boxes that reach as far across an edge do not cross it: italics and kerning."""
MAX_OVERFLOW, MAX_OVERFLOW_SHARE = 1.5, 0.08
"""In heights of running text, and in widths of the text: it may flow over the edge of its column by less."""
MIN_TITLE_SIZE = 1.4
MAX_SIDEBAR_WIDTH = 0.6
"""In widths of the other side: a narrower column may be a sidebar, which is read where it is drawn."""
MIN_PROSE_SHARE = 0.4
"""Share of a column's boxes that are lines of paragraphs."""
MIN_ROWS, MIN_WIDTH_SHARE = 12, 0.5
"""A column without paragraphs has at least these rows, and this share of the other side's width."""
MAX_LEVEL_SHARE = 0.5
"""Share of level rows. In two independent texts, a third of the rows are level by chance."""
MAX_CHANGE_SHARE = 0.2
"""Share of the rows after which the content changes sides: at fewer, one side is drawn after the other."""
MAX_ALTERNATION = 0.75
"""Share of the rows after which the content changes sides: at more, rows are drawn one after the other."""
MIN_PAIRS, MIN_PAIR_ROWS = 2, 2
"""Pairs of paragraphs side by side that are drawn pair by pair, and rows of the longer one at the mean."""
MIN_TEXT_ROWS, MIN_LINE_CHARACTERS = 3, 12
"""Rows of a column of text, and characters of a row at the mean."""
MAX_TEXT_CHANGES = 0.15
"""Share of the boxes after which the content changes columns, beside once for each column."""
MIN_TEXT_SHARE, MIN_FILLED_SHARE = 0.6, 0.3
"""Share of boxes in columns of text, and share of a column's width that half of its rows fill."""
MAX_FIGURE_WIDTH = 10.0
"""In heights of running text: width of a column of figures."""


@dataclass(frozen=True)
class OrderHints:
    """Places and texts of boxes, by index.

    `places` order the boxes by the page's content; insets without text have none. Insets have no `texts`.
    """

    body_height: float
    places: Mapping[int, int]
    texts: Mapping[int, str]
    is_from_right: bool = False


def reading_groups(boxes: Sequence[LayoutBox], hints: OrderHints) -> list[list[LayoutBox]]:
    """Split boxes into groups in reading order; vertical text on a page of level lines comes last."""
    vertical = [box for box in boxes if box.height > MIN_VERTICAL_ASPECT_RATIO * box.width]
    vertical = [box for box in vertical if len(hints.texts.get(box.index, "")) >= MIN_VERTICAL_CHARACTERS]
    if len(vertical) > MAX_VERTICAL_SHARE * len(boxes):
        vertical = []
    aside = {box.index for box in vertical}
    level = sorted((box for box in boxes if box.index not in aside), key=lambda box: box.center_y)
    groups = _Splitter(hints, prose_indices(level)).split(level)
    return [*groups, *([box] for box in vertical)]


def are_text_columns(boxes: Sequence[LayoutBox], hints: OrderHints) -> bool:
    """Return whether boxes are columns of text that are drawn one after the other, and not a table."""
    ordered = sorted(boxes, key=lambda box: box.center_y)
    return _Splitter(hints, prose_indices(ordered)).are_text_columns(ordered)


def prose_indices(boxes: Sequence[LayoutBox]) -> frozenset[int]:
    """Return the indices of the boxes that have a line of their paragraph above or below.

    `boxes` are ordered by their centers.
    """
    centers = [box.center_y for box in boxes]
    found: set[int] = set()
    for box in boxes:
        if box.width < MIN_COLUMN_WIDTH * box.text_height:
            continue
        reach = 2.2 * box.text_height
        near = boxes[bisect_left(centers, box.center_y - reach) : bisect_right(centers, box.center_y + reach)]
        if any(is_adjacent_line(box, other) for other in near):
            found.add(box.index)
    return frozenset(found)


class _Splitter:
    """Recursive split of the boxes of one page; every sequence of boxes is ordered by centers."""

    def __init__(self, hints: OrderHints, prose: frozenset[int]) -> None:
        self._hints = hints
        self._body = hints.body_height
        self._prose = prose

    def split(self, boxes: Sequence[LayoutBox]) -> list[list[LayoutBox]]:
        """Split boxes into groups in reading order."""
        if not boxes:
            return []
        gutter = self._best_gutter(boxes)
        if gutter is None:
            return [list(boxes)]
        groups: list[list[LayoutBox]] = []
        # Bands between columns stay together: a row of a table may cross the gutter with one of its cells.
        between: list[LayoutBox] = []
        for band in self._bands(boxes, gutter):
            if not self._are_columns(band, gutter):
                between += band
                continue
            groups += self.split(between)
            between = []
            for pair in self._pairs(band, gutter):
                for side in self._ordered_sides(pair, gutter):
                    groups += self.split(side)
        return groups + self.split(between)

    def are_text_columns(self, boxes: Sequence[LayoutBox]) -> bool:
        """Return whether most boxes are columns of text that are drawn one after the other."""
        columns = self.split(boxes)
        if len(columns) < 2:
            return False
        places = self._hints.places
        drawn = sorted(
            (places[box.index], number)
            for number, column in enumerate(columns)
            for box in column
            if box.index in places
        )
        changes = sum(one[1] != other[1] for one, other in pairwise(drawn))
        filled = [column for column in columns if self._is_filled(column)]
        in_text = sum(len(one) for one in filled if any(are_side_by_side(one, other) for other in filled))
        max_changes = len(columns) - 1 + MAX_TEXT_CHANGES * len(boxes)
        return changes <= max_changes and in_text >= MIN_TEXT_SHARE * len(boxes)

    def _is_filled(self, side: Sequence[LayoutBox]) -> bool:
        """Return whether most rows of a side are as long as lines of text, and fill it."""
        rows = group_rows(side)
        lengths = [sum(len(self._hints.texts.get(box.index, "")) for box in row) for row in rows]
        full = sum(row[-1].right - row[0].left >= MIN_FILLED_SHARE * width(side) for row in rows)
        is_text = sum(lengths) >= MIN_LINE_CHARACTERS * len(rows)
        return len(rows) >= MIN_TEXT_ROWS and is_text and 2 * full >= len(rows)

    # --- gutters -------------------------------------------------------------------------------------------

    def _best_gutter(self, boxes: Sequence[LayoutBox]) -> float | None:
        """Return the x that splits the most boxes into columns, None if no x does."""
        best, best_score = None, 0
        if len(boxes) < 2:
            return None
        for x in self._candidate_gutters(boxes):
            bands = self._bands(boxes, x)
            score = sum(len(band) for band in bands if self._are_columns(band, x))
            if score > best_score:
                best, best_score = x, score
        return best

    def _candidate_gutters(self, boxes: Sequence[LayoutBox]) -> list[float]:
        """Return the centers of the gaps between boxes that fewer boxes cross than the parts beside them.

        Those with the fewest crossing boxes come first, and of these, the widest.
        """
        changes: dict[float, int] = {}
        for box in boxes:
            margin = self._margin(box)
            left, right = box.left + margin, max(box.left + margin, box.right - margin)
            changes[left] = changes.get(left, 0) + 1
            changes[right] = changes.get(right, 0) - 1
        edges = sorted(edge for edge, change in changes.items() if change)
        gaps: list[tuple[int, float, float]] = []
        crossing = 0
        for left, right in pairwise(edges):
            crossing += changes[left]
            if changes[left] < 0 < changes[right]:
                gaps.append((crossing, left - right, (left + right) / 2))
        return [x for _, _, x in sorted(gaps)[:MAX_GUTTERS]]

    def _bands(self, boxes: Sequence[LayoutBox], x: float) -> list[list[LayoutBox]]:
        """Divide boxes, from top to bottom, into runs that cross x or do not.

        Empty strips divide them too, unless one column is drawn as a whole across them.
        """
        bands: list[list[LayoutBox]] = []
        crossing, bottom = None, 0.0
        last: LayoutBox | None = None
        for box, below in zip(boxes, [*boxes[1:], None], strict=True):
            if crosses := self._crosses(box, x):
                last = box
            elif last and crossing:
                crosses = is_marker_of(
                    last, box, is_from_right=self._hints.is_from_right
                ) or self._ends_paragraph(last, box, below)
            is_apart = box.top - bottom > MIN_EMPTY_STRIP * self._body
            if crosses != crossing or is_apart:
                bands.append([])
                crossing, bottom = crosses, box.bottom
            bands[-1].append(box)
            bottom = max(bottom, box.bottom)
        places, from_right = self._hints.places, self._hints.is_from_right
        joined = self._joined_bands(bands, x)
        parts = [part for band in joined for part in without_last_row(band, x, places, self._body)]
        return [
            part
            for band in parts
            for part in without_ends(band, x, places, self._body, is_from_right=from_right)
        ]

    def _ends_paragraph(self, above: LayoutBox, box: LayoutBox, below: LayoutBox | None) -> bool:
        """Return whether a box is the last line of the paragraph above it, and not the first of a column."""
        pitch = box.center_y - above.center_y
        offset = abs(box.right - above.right if self._hints.is_from_right else box.left - above.left)
        is_alike = abs(box.text_height - above.text_height) < MAX_EDGE_OVERLAP * above.text_height
        is_near = box.text_height / 2 < pitch < 2 * box.text_height and offset < MIN_GUTTER * self._body
        is_apart = below is None or below.center_y - box.center_y > MIN_PITCH_RATIO * pitch
        return is_alike and is_near and is_apart

    def _joined_bands(self, bands: list[list[LayoutBox]], x: float) -> list[list[LayoutBox]]:
        """Join bands that an empty strip divides, if their left sides are drawn before their right sides."""
        joined: list[list[LayoutBox]] = []
        for band in bands:
            if joined and not any(self._crosses(box, x) for box in (joined[-1][0], band[0])):
                both = [*joined[-1], *band]
                left, right = sides_of(both, x)
                if left and right and self._side_changes(left, right) == 1:
                    joined[-1] = both
                    continue
            joined.append(band)
        return joined

    def _crosses(self, box: LayoutBox, x: float) -> bool:
        margin = self._margin(box)
        return box.left + margin < x < box.right - margin

    def _margin(self, box: LayoutBox) -> float:
        is_text = box.index in self._hints.texts
        overflow = min(MAX_OVERFLOW_SHARE * box.width, MAX_OVERFLOW * self._body) if is_text else 0.0
        return max(MAX_EDGE_OVERLAP * self._body, overflow)

    # --- columns or rows -----------------------------------------------------------------------------------

    def _are_columns(self, band: Sequence[LayoutBox], x: float) -> bool:
        """Return whether the sides of x are columns, to be read one after the other, and not in rows."""
        left, right = sides_of(band, x)
        if not left or not right or any(self._crosses(box, x) for box in band):
            return False
        narrower = min(width(left), width(right))
        if narrower < MIN_SIDE_WIDTH * self._body or gutter_width(left, right) < MIN_GUTTER * self._body:
            return False
        if are_labels(self._texts(right if self._hints.is_from_right else left)):
            return False
        rows = sorted((len(group_rows(left)), len(group_rows(right))))
        changes = self._side_changes(left, right)
        if changes <= max(1, MAX_CHANGE_SHARE * rows[0]):
            return self._are_drawn_columns(left, right, rows)
        if are_blocks(left, right, changes, self._hints.places):
            return True
        if rows[0] < 2 or narrower < MIN_COLUMN_WIDTH * self._body:
            return False
        if rows[1] < MIN_TEXT_ROWS and gutter_width(left, right) < MIN_SIDE_GUTTER * self._body:
            return False  # gaps of justified lines that are one above the other
        if changes > MAX_ALTERNATION * (2 * rows[0] - 1) and not self._are_prose(left, right):
            return False
        return self._look_like_columns(left, right, rows[0])

    def _are_drawn_columns(
        self, left: Sequence[LayoutBox], right: Sequence[LayoutBox], rows: Sequence[int]
    ) -> bool:
        """Return whether sides are columns that are drawn one after the other."""
        if rows[0] < 2 and not self._is_side_note(left, right, rows[1]):
            return False
        return self._are_prose(left, right) or not (self._are_figures(right) or self._are_figures(left))

    def _is_side_note(self, left: Sequence[LayoutBox], right: Sequence[LayoutBox], rows: int) -> bool:
        """Return whether a single row is apart from the text beside it, and not the start or end of a row."""
        if any(box.index not in self._hints.texts for box in (*left, *right)):
            return True  # beside a table, a figure or a frame
        return rows >= MIN_SIDE_ROWS and gutter_width(left, right) > MIN_SIDE_GUTTER * self._body

    def _look_like_columns(
        self, left: Sequence[LayoutBox], right: Sequence[LayoutBox], fewer_rows: int
    ) -> bool:
        if self._are_prose(left, right):
            return True
        shares = [self._prose_share(side) for side in (left, right)]
        prose, other = (left, right) if shares[0] > shares[1] else (right, left)
        if max(shares) >= MIN_PROSE_SHARE and is_dense(prose, other):
            return True
        narrower, wider = sorted((width(left), width(right)))
        is_balanced = fewer_rows >= MIN_ROWS and narrower >= MIN_WIDTH_SHARE * wider
        return is_balanced and level_share(left, right) < MAX_LEVEL_SHARE

    def _are_prose(self, left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> bool:
        return min(self._prose_share(left), self._prose_share(right)) >= MIN_PROSE_SHARE

    def _prose_share(self, side: Sequence[LayoutBox]) -> float:
        return sum(box.index in self._prose for box in side) / len(side)

    def _are_figures(self, side: Sequence[LayoutBox]) -> bool:
        """Return whether a narrow side is a column of figures."""
        texts = self._texts(side)
        is_narrow = width(side) <= MAX_FIGURE_WIDTH * self._body and 2 * len(texts) >= len(side)
        return is_narrow and are_figures(texts)

    def _texts(self, side: Sequence[LayoutBox]) -> list[str]:
        return [self._hints.texts[box.index] for box in side if box.index in self._hints.texts]

    def _side_changes(self, left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> int:
        """Return how often the content changes between two sides; 1 if one is drawn after the other.

        Text without a place in the content counts as drawn row by row; a figure without text does not count.
        """
        places, texts = self._hints.places, self._hints.texts
        sides = [(box, 0) for box in left] + [(box, 1) for box in right]
        unknown = sum(box.index in texts and box.index not in places for box, _ in sides)
        if 2 * unknown > len(sides):
            return len(sides)
        drawn = sorted((places[box.index], side) for box, side in sides if box.index in places)
        return max(1, sum(one[1] != other[1] for one, other in pairwise(drawn)))

    def _pairs(self, band: Sequence[LayoutBox], x: float) -> list[list[LayoutBox]]:
        """Divide columns into pairs of paragraphs side by side, if they are drawn pair by pair.

        A text and its translation are drawn so. Lines that are drawn in turns do not make pairs.
        """
        places = self._hints.places
        drawn = sorted(band, key=lambda box: places.get(box.index, -1))
        runs = [list(run) for _, run in groupby(drawn, key=lambda box: box.center_x < x)]
        pairs = list(zip(runs[::2], runs[1::2], strict=False))
        if len(runs) % 2 or len(pairs) < MIN_PAIRS:
            return [list(band)]
        if sum(max(len(group_rows(side)) for side in pair) for pair in pairs) < MIN_PAIR_ROWS * len(pairs):
            return [list(band)]
        tops = [(min(box.top for box in one), min(box.top for box in other)) for one, other in pairs]
        # Something may stand above one side of the first pair.
        if sorted(tops) != tops or any(abs(one - other) > self._body / 2 for one, other in tops[1:]):
            return [list(band)]
        return [sorted([*one, *other], key=lambda box: box.center_y) for one, other in pairs]

    def _ordered_sides(self, band: Sequence[LayoutBox], x: float) -> tuple[list[LayoutBox], list[LayoutBox]]:
        """Return the sides in reading order: mostly from left to right.

        The right side is first if it begins with a title above the left side, or if the left side is a
        sidebar that is drawn later.
        """
        first, second = sides_of(band, x)
        if self._hints.is_from_right:
            first, second = second, first
        top = min(box.top for box in first)
        titles = [box for box in second if box.text_height > MIN_TITLE_SIZE * self._body]
        is_titled = any(box.bottom < top and box.index in self._hints.texts for box in titles)
        is_sidebar = width(first) < MAX_SIDEBAR_WIDTH * width(second) and self._is_drawn_before(second, first)
        return (second, first) if is_titled or is_sidebar else (first, second)

    def _is_drawn_before(self, first: Sequence[LayoutBox], second: Sequence[LayoutBox]) -> bool:
        places = self._hints.places
        ends = [places[box.index] for box in first if box.index in places]
        starts = [places[box.index] for box in second if box.index in places]
        return bool(ends and starts) and max(ends) < min(starts)
