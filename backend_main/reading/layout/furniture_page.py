"""A page as the detection of page furniture compares it with others: rows at its edges, and other boxes."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from math import atan2, degrees, hypot

from ..documents.styled_text import TextStyle
from ..types import Box, LineRole
from .furniture_text import (
    has_barred_page_number,
    has_leading_number,
    is_marked_page_number,
    is_page_number,
    letter_count,
    masked,
    numbers,
)
from .geometry import MIN_TEXT_HEIGHT, LayoutBox, PageFrame, Rect
from .rows import Row, body_text_height, gap, group_rows, has_wide_gap, height
from .sequences import weighted_median

Roles = dict[int, LineRole]
"""Roles by the index of the box; boxes of the body are not in it."""
Place = tuple[float, float]
"""Two numbers in widths or heights of the page."""

EDGE_SHARE = 0.15
"""Share of the page's height, at its top and bottom, in which repeated rows are looked for."""
SMALL_PRINT_SHARE, MAX_SMALL_PRINT = 0.25, 0.8
"""Small print that begins there may go on to this share; sizes are in sizes of the text."""
MAX_EDGE_ROWS = 8
"""Rows at each edge: company details at the foot of a letter have five or six."""
MIN_GAP = 0.5
"""In body heights: a row nearer to the next one belongs to the text."""
MAX_LINE_GAP = 2.0
"""In body heights: wider gaps are not between lines of one text."""
MIN_EXTRA_GAP = 0.25
"""In body heights, above the usual gap: lines that are set wide have wide gaps too."""
MIN_VERTICAL_RATIO = 2.5
"""A box that is higher than wide by this factor, and has several characters, is vertical text."""
MIN_VERTICAL_CHARACTERS = 4
MAX_VERTICAL_SHARE = 0.5
"""On pages with more vertical boxes, vertical text is the text of the page, as in Japanese books."""
MAX_SIZE_DIFFERENCE, MAX_HEIGHT_DIFFERENCE = 0.04, 0.15
"""Share of the larger: sizes of one print in a text layer, and heights of boxes that are recognized."""
MIN_WORD_LETTERS = 3
MIN_OBLIQUE_DEGREES, MAX_OBLIQUE_DEGREES = 12.0, 78.0
"""Lines of a page are level within its skew; text that climbs more is a watermark or a stamp."""


@dataclass(frozen=True)
class EdgeRow:
    """A row near the top or bottom edge; `distance` is from its center to the edge, in page heights."""

    row: Row
    texts: tuple[str, ...]
    distance: float
    sides: tuple[Place, ...]
    """Left and right of the boxes, in widths of the page."""
    is_apart: bool
    """Whether the gap to the next row away from the edge is wider than the gaps of the text."""
    is_exact: bool = False
    """Whether the texts are those of a text layer, so that they have no errors of recognition."""

    @cached_property
    def text(self) -> str:
        return " ".join(self.texts)

    @cached_property
    def masked(self) -> str:
        return masked(self.text)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        return numbers(self.text)

    @cached_property
    def letters(self) -> int:
        return letter_count(self.text)

    @cached_property
    def height(self) -> float:
        return height(self.row)

    @cached_property
    def is_page_number(self) -> bool:
        return is_page_number(self.text)

    @cached_property
    def has_page_number(self) -> bool:
        """Return whether a page number stands at an end of the row, apart from its other words."""
        if self.is_page_number or has_barred_page_number(self.text):
            return True
        if any(map(is_marked_page_number, self.texts)):
            return True
        return has_wide_gap(self.row) and any(map(is_page_number, (self.texts[0], self.texts[-1])))

    @cached_property
    def is_numbered(self) -> bool:
        """Return whether a number at an end of the row may be that of the page."""
        return self.has_page_number or has_leading_number(self.text)

    def roles(self, *, is_top: bool) -> Roles:
        """Return the roles of the boxes of a header or footer."""
        other: LineRole = "header" if is_top else "footer"
        return {
            box.index: "page_number" if is_page_number(text) else other
            for box, text in zip(self.row, self.texts, strict=True)
        }


@dataclass(frozen=True)
class FurniturePage:
    """The boxes of a page in its frame, and their texts by the index of the box.

    `edges` are left, top, right and bottom of the page. `oblique` has the height of print of the boxes that
    are neither level nor upright. `styles` are those of a text layer. Both are by the index of the box.
    """

    number: int
    edges: Rect
    boxes: Sequence[LayoutBox]
    texts: Sequence[str]
    oblique: Mapping[int, float] = field(default_factory=dict)
    styles: Sequence[TextStyle] = ()

    @property
    def width(self) -> float:
        return self.edges[2] - self.edges[0]

    @property
    def height(self) -> float:
        return self.edges[3] - self.edges[1]

    @cached_property
    def vertical_boxes(self) -> list[LayoutBox]:
        """The boxes of text that runs up or down, on a page whose other text is level."""
        vertical = [box for box in self.boxes if box.index not in self.oblique and self._is_vertical(box)]
        return vertical if len(vertical) <= MAX_VERTICAL_SHARE * len(self.boxes) else []

    @cached_property
    def level_boxes(self) -> list[LayoutBox]:
        apart = {box.index for box in self.vertical_boxes} | self.oblique.keys()
        return [box for box in self.boxes if box.index not in apart]

    @cached_property
    def rows(self) -> list[Row]:
        return group_rows(self.level_boxes)

    @cached_property
    def body_height(self) -> float:
        return body_text_height(self.level_boxes or self.boxes)

    @cached_property
    def body_style(self) -> TextStyle | None:
        """The style of most letters; None if no styles are known."""
        if not self.styles:
            return None
        letters: Counter[TextStyle] = Counter()
        for box in self.level_boxes or self.boxes:
            style = self.styles[box.index]
            letters[TextStyle(style.font, round(style.size, 1))] += len(self.texts[box.index])
        return letters.most_common(1)[0][0] if letters else None

    @cached_property
    def line_width(self) -> float:
        """The width of most lines in the print of the text: that of a column."""
        lines = [box for box in self.level_boxes if self.size_ratio(box) == 1]
        return weighted_median((box.width, box.width) for box in lines or self.level_boxes)

    @cached_property
    def middle_words(self) -> list[tuple[str, Place]]:
        """The first words of the rows that are not at an edge, with their places. They may be labels."""
        words = []
        for row in self.rows[len(self.top_rows) : len(self.rows) - len(self.bottom_rows)]:
            word, *_ = self.texts[row[0].index].casefold().split(maxsplit=1) or [""]
            if letter_count(word) >= MIN_WORD_LETTERS:
                words.append((word, self.place(row[0])))
        return words

    @cached_property
    def usual_gap(self) -> float:
        """The gap between most lines that are near each other; 0 if there are none."""
        gaps = sorted(gap(above, row) for above, row in pairwise(self.rows))
        gaps = [each for each in gaps if each < MAX_LINE_GAP * self.body_height]
        return max(0.0, gaps[len(gaps) // 2]) if gaps else 0.0

    @cached_property
    def top_rows(self) -> list[EdgeRow]:
        """The rows in the top margin, from the edge inwards."""
        return self._edge_rows(self.rows, is_top=True)

    @cached_property
    def bottom_rows(self) -> list[EdgeRow]:
        """The rows in the bottom margin, from the edge inwards."""
        return self._edge_rows(self.rows[::-1], is_top=False)

    def without(self, indices: Container[int]) -> "FurniturePage":
        """Return the page without some boxes."""
        if not any(box.index in indices for box in self.boxes):
            return self
        return replace(self, boxes=[box for box in self.boxes if box.index not in indices])

    def place(self, box: LayoutBox) -> tuple[float, float]:
        """Return the center of a box, in widths and heights of the page."""
        left, top, _, _ = self.edges
        return (box.center_x - left) / max(1.0, self.width), (box.center_y - top) / max(1.0, self.height)

    def edge_rows(self, *, is_top: bool) -> list[EdgeRow]:
        return self.top_rows if is_top else self.bottom_rows

    def row_beyond(self, count: int, *, is_top: bool) -> Row | None:
        """Return the row after `count` rows from an edge, None if there is none."""
        rows = self.rows if is_top else self.rows[::-1]
        return rows[count] if count < len(rows) else None

    def size_ratio(self, box: LayoutBox) -> float:
        """Return the size of print in sizes of the text; 1 if they differ no more than one print does."""
        if self.body_style is None:
            return _ratio(box.text_height, self.body_height, MAX_HEIGHT_DIFFERENCE)
        return _ratio(self.styles[box.index].size, self.body_style.size, MAX_SIZE_DIFFERENCE)

    def is_small_print(self, row: Row) -> bool:
        """Return whether a row is in print that is clearly smaller than that of the text."""
        return all(self.size_ratio(box) < MAX_SMALL_PRINT for box in row)

    def has_same_print(self, box: LayoutBox, other: LayoutBox) -> bool:
        """Return whether two boxes have one size of print, and one font and color where they are known."""
        if not self.styles:
            return _ratio(box.text_height, other.text_height, MAX_HEIGHT_DIFFERENCE) == 1
        one, two = self.styles[box.index], self.styles[other.index]
        is_same_size = _ratio(one.size, two.size, MAX_SIZE_DIFFERENCE) == 1
        return is_same_size and (one.font, one.color) == (two.font, two.color)

    def text_of(self, row: Row) -> str:
        return " ".join(self.texts[box.index] for box in row)

    def _is_vertical(self, box: LayoutBox) -> bool:
        is_tall = box.height > MIN_VERTICAL_RATIO * box.width
        return is_tall and len(self.texts[box.index].strip()) >= MIN_VERTICAL_CHARACTERS

    def _edge_rows(self, rows: Sequence[Row], *, is_top: bool) -> list[EdgeRow]:
        found = []
        for number, row in enumerate(rows[:MAX_EDGE_ROWS]):
            place = self.place(row[0])[1]
            distance = place if is_top else 1 - place
            if distance > EDGE_SHARE and not (
                number and self._continues_small_print(rows[number - 1], row, distance)
            ):
                break
            texts = tuple(self.texts[box.index] for box in row)
            sides = tuple(self._sides(box) for box in row)
            inner = rows[number + 1] if number + 1 < len(rows) else None
            found.append(
                EdgeRow(
                    row,
                    texts,
                    distance,
                    sides,
                    is_apart=inner is not None and self.is_apart(row, inner),
                    is_exact=bool(self.styles),
                )
            )
        return found

    def is_beside(self, place: int, other: int) -> bool:
        """Return whether `rows[other]` is on the page, and no gap sets `rows[place]` apart from it."""
        return 0 <= other < len(self.rows) and not self.is_apart(self.rows[place], self.rows[other])

    def _continues_small_print(self, outer: Row, row: Row, distance: float) -> bool:
        """Return whether a row further inside is of the small print at the edge, as company details are."""
        if distance > SMALL_PRINT_SHARE or self.is_apart(outer, row):
            return False
        return self.is_small_print([*outer, *row])

    def _sides(self, box: LayoutBox) -> Place:
        left, width = self.edges[0], max(1.0, self.width)
        return (box.left - left) / width, (box.right - left) / width

    def distance(self, row: Row, other: Row) -> float:
        """Return the vertical distance between two rows, whichever is above."""
        return max(gap(row, other), gap(other, row))

    def is_apart(self, row: Row, inner: Row) -> bool:
        """Return whether the gap between two rows is wider than between lines of the text."""
        distance = self.distance(row, inner)
        return distance > max(MIN_GAP * self.body_height, self.usual_gap + MIN_EXTRA_GAP * self.body_height)


def _ratio(one: float, other: float, tolerance: float) -> float:
    return 1.0 if abs(one - other) <= tolerance * max(one, other) else one / max(other, MIN_TEXT_HEIGHT)


def oblique_heights(frame: PageFrame, quads: Sequence[Box]) -> dict[int, float]:
    """Return the heights of print of the boxes that climb or fall, by their place."""
    heights = {}
    for index, ((x0, y0), (x1, y1), _, (x3, y3)) in enumerate(quads):
        length, print_height = hypot(x1 - x0, y1 - y0), hypot(x3 - x0, y3 - y0)
        angle = abs(degrees(atan2(y1 - y0, x1 - x0) - frame.angle)) % 90
        if length > print_height and MIN_OBLIQUE_DEGREES < angle < MAX_OBLIQUE_DEGREES:
            heights[index] = print_height
    return heights
