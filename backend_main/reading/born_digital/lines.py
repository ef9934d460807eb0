"""Lines of a column: runs on one baseline, with their text, their style and their place.

Places are in writing direction: `start` is the left end of text that runs from the left. In text that runs
from the right, it is the right end, and both are negative.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, takewhile, zip_longest
from statistics import median

from ..documents.pdf_bidi import direction, is_right_to_left
from ..documents.styled_text import TextPiece, TextStyle, text_of_pieces
from ..layout.geometry import LayoutBox, Rect, bounding_rect
from ..layout.sequences import group_runs
from ..layout.text_joining import CJK, HYPHENATED, starts_lower
from .page import DigitalPage, main_style

MAX_BASELINE_DISTANCE = 0.35
"""In sizes of the smaller text: runs of one line have baselines as near."""
MAX_OVERLAP = 0.5
"""In sizes: runs of one line overlap by less."""
MIN_STYLE_SHARE = 0.9
"""Share of the letters of a line that are bold if the line is called bold."""
WIDE_GAP = 1.5
"""In sizes: words of one line are nearer, also behind a heading in the line."""
MAX_MARKER_WIDTH = 2.5
"""In sizes: width of a list marker or of a section number that is a run of its own."""
MAX_GAP_RATIO = 1.5
"""Between the widest and the narrowest gap between words of a justified line."""
MIN_JUSTIFIED_GAPS = 2
"""A line with one gap may be a row of two cells."""
MAX_MARK_SIZE = 0.85
"""In sizes: size of a raised mark."""
SAME_START = 0.3
"""In sizes: lines that start there are aligned."""
EDGE_SLACK = 0.4
"""In sizes: a word fits if it leaves so much of the line empty; kerning and rounding make less."""
ROW_END = r"\\ "
"""LaTeX between the rows of a matrix."""
SPACE = 0.25
"""In sizes: width of a space."""


@dataclass(frozen=True)
class Line:
    """A line of a column; `start` and `end` are in writing direction, `baseline` grows downwards."""

    boxes: tuple[LayoutBox, ...]
    pieces: tuple[TextPiece, ...]
    start: float
    end: float
    is_from_right: bool = False

    @cached_property
    def text(self) -> str:
        return text_of_pieces(self.pieces)

    @cached_property
    def style(self) -> TextStyle:
        """Style of most letters."""
        return main_style(self.pieces)

    @property
    def size(self) -> float:
        return self.style.size or self.boxes[0].text_height

    @cached_property
    def baseline(self) -> float:
        return _baseline(self.pieces, self.style)

    @cached_property
    def rect(self) -> Rect:
        return bounding_rect(self.boxes)

    @cached_property
    def is_bold(self) -> bool:
        return _has_style(self.pieces, lambda style: style.font.is_bold)

    @cached_property
    def is_italic(self) -> bool:
        return _has_style(self.pieces, lambda style: style.font.is_italic)

    @cached_property
    def is_monospaced(self) -> bool:
        return _has_style(self.pieces, lambda style: style.font.is_monospaced)

    @cached_property
    def starts_lower(self) -> bool:
        """Whether the line begins with a small letter, which is not the raised mark of a note."""
        return starts_lower(self.text) and not self.pieces[0].script

    @cached_property
    def has_wide_gap(self) -> bool:
        """Whether runs of the line are further apart than its words; a marker or number before it may be."""
        boxes = self.boxes[1:] if self.boxes[0].width < MAX_MARKER_WIDTH * self.size else self.boxes
        return any(_distance(one, other) > WIDE_GAP * self.size for one, other in pairwise(boxes))

    @cached_property
    def is_evenly_spaced(self) -> bool:
        """Whether all gaps between words are about equal, as those of a justified line are."""
        pieces = sorted(self.pieces, key=lambda piece: piece.left)
        words = [(one, other) for one, other in pairwise(pieces) if other.starts_word]
        gaps = [other.left - one.right for one, other in words]
        return bool(gaps) and max(gaps) <= MAX_GAP_RATIO * min(gaps)

    @cached_property
    def is_tall(self) -> bool:
        """Whether something in the line explains a larger distance to its neighbours."""
        has_large = any(piece.script or piece.style.size > 1.05 * self.size for piece in self.pieces)
        return has_large or self.row_count > 1

    @cached_property
    def row_count(self) -> int:
        """Rows of the highest matrix in the line, 1 without one."""
        return 1 + max((piece.latex.count(ROW_END) for piece in self.pieces if piece.latex), default=0)


def column_lines(page: DigitalPage, boxes: Sequence[LayoutBox]) -> list[Line]:
    """Return the lines of a column from top to bottom."""
    is_from_right = is_right_to_left([direction(page.text(box)) for box in boxes])
    placed = sorted((_placed(page, box) for box in boxes), key=lambda placed: placed.baseline)
    rows = group_runs(placed, _belongs_to_line)
    return [_line(page, [placed.box for placed in row], is_from_right=is_from_right) for row in rows]


@dataclass(frozen=True)
class _Placed:
    """A run with its baseline and its size; the box of a narrow run, such as a bullet, has another height."""

    baseline: float
    size: float
    box: LayoutBox


def _distance(one: LayoutBox, other: LayoutBox) -> float:
    return max(one.left, other.left) - min(one.right, other.right)


def _placed(page: DigitalPage, box: LayoutBox) -> _Placed:
    pieces = page.pieces(box)
    if not pieces:
        return _Placed(box.bottom, box.text_height, box)
    style = main_style(pieces)
    return _Placed(_baseline(pieces, style), style.size or box.text_height, box)


def _belongs_to_line(row: list[_Placed], placed: _Placed) -> bool:
    box = placed.box
    if any(_is_raised_beside(other.box, box) for other in row):
        return True
    size = min(placed.size, *(other.size for other in row))
    if abs(placed.baseline - median(other.baseline for other in row)) > MAX_BASELINE_DISTANCE * size:
        return False
    overlap = max(min(box.right, other.box.right) - max(box.left, other.box.left) for other in row)
    return overlap < MAX_OVERLAP * size


def _is_raised_beside(mark: LayoutBox, box: LayoutBox) -> bool:
    """Return whether a small run is a raised mark right before a text, such as the number of a footnote."""
    if mark.text_height > MAX_MARK_SIZE * box.text_height or mark.width > MAX_MARKER_WIDTH * box.text_height:
        return False
    common = min(mark.bottom, box.bottom) - max(mark.top, box.top)
    return 0 <= box.left - mark.right < WIDE_GAP * box.text_height and common > 0.5 * mark.height


def _pieces(page: DigitalPage, box: LayoutBox, next_box: LayoutBox | None) -> Sequence[TextPiece]:
    """Return the pieces of a box, raised if it is the mark of a footnote."""
    pieces = page.pieces(box)
    is_mark = next_box is not None and _is_raised_beside(box, next_box) and box.bottom < next_box.bottom
    return [replace(piece, script="super") for piece in pieces] if is_mark else pieces


def _line(page: DigitalPage, boxes: list[LayoutBox], *, is_from_right: bool) -> Line:
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    boxes.sort(key=lambda box: -box.right if is_from_right else box.left)
    pieces = tuple(
        piece for box, below in zip_longest(boxes, boxes[1:]) for piece in _pieces(page, box, below)
    )
    start, end = (-right, -left) if is_from_right else (left, right)
    return Line(tuple(boxes), _beside_large_bullet(pieces), start, end, is_from_right)


def _beside_large_bullet(pieces: tuple[TextPiece, ...]) -> tuple[TextPiece, ...]:
    """Return the pieces of a line, not raised if all of them are beside a bullet in larger type."""
    first, *rest = pieces
    is_raised = bool(rest) and not first.script and all(piece.script for piece in rest)
    if not is_raised or any(map(str.isalnum, first.text)):
        return pieces
    return (first, *(replace(piece, script="") for piece in rest))


def _baseline(pieces: Sequence[TextPiece], style: TextStyle) -> float:
    return median(piece.baseline for piece in pieces if piece.style == style)


def _has_style(pieces: Sequence[TextPiece], has_it: Callable[[TextStyle], bool]) -> bool:
    """Return whether nearly all letters have a property; marks count only where nothing else is."""
    counted = [piece for piece in pieces if any(map(str.isalnum, piece.text))] or pieces
    count = sum(len(piece.text) for piece in counted if has_it(piece.style))
    return count >= MIN_STYLE_SHARE * sum(len(piece.text) for piece in counted)


def continues_last_box(above: Line, line: Line) -> bool:
    """Return whether a line starts where the text behind a label of the line above does."""
    if len(above.boxes) < 2 or line.has_wide_gap:
        return False
    last = above.boxes[-1]
    start = -last.right if above.is_from_right else last.left
    return abs(line.start - start) < SAME_START * line.size


def _is_justified(line: Line) -> bool:
    words = sum(piece.starts_word for piece in line.pieces)
    return line.is_evenly_spaced and words > MIN_JUSTIFIED_GAPS


def wraps(above: Line, line: Line, edge: float) -> bool:
    """Return whether the line goes on because the one above it was full, up to `edge`."""
    if HYPHENATED.fullmatch(above.text[-2:]) and line.starts_lower:
        return True
    if above.has_wide_gap and not (continues_last_box(above, line) or _is_justified(above)):
        return False
    return not fits_first_word(line.pieces, line.size, edge - above.end)


def fits_first_word(pieces: Sequence[TextPiece], size: float, space: float) -> bool:
    """Return whether the shortest text that could have been moved to the line above fits into its space."""
    first = pieces[0]
    if CJK.match(first.text[0]):
        return size + EDGE_SLACK * size <= space
    word = [first, *takewhile(lambda piece: not piece.starts_word, pieces[1:])]
    width = max(piece.right for piece in word) - min(piece.left for piece in word)
    return width + (SPACE + EDGE_SLACK) * size <= space
