"""Matrices, vectors and case distinctions in a line: one piece of it, instead of lines of their own.

TeX draws a tall bracket as a stack of parts. The rows between two of them are texts of their own.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import mean

from ..documents.pdf_text_layer import TextRun
from ..documents.styled_text import TextPiece, text_of_pieces
from ..layout.sequences import group_runs
from ..types import level_box
from .formula_layout import formula_latex, parts_of
from .page import DigitalPage

_OPENING = {"⎛": "(", "⎜": "(", "⎝": "(", "⎡": "[", "⎢": "[", "⎣": "[", "⎧": "{", "⎨": "{", "⎩": "{"}
_CLOSING = {"⎞": ")", "⎟": ")", "⎠": ")", "⎤": "]", "⎥": "]", "⎦": "]", "⎫": "}", "⎬": "}", "⎭": "}"}
_EITHER, _BAR = "⎪", "|"
_SIGNS = _OPENING | _CLOSING | {_BAR: _BAR}
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_ENVIRONMENTS = {"(": "pmatrix", "[": "bmatrix", "{": "cases"}
MAX_BRACKETS = 1000
"""Tall brackets of a page. For each, all pieces of the page are compared: more are not joined."""
# In font sizes.
MAX_PART_PITCH, MAX_PART_SHIFT = 1.8, 0.3
"""Distance of the parts of a bracket, one below the other, and difference of their places."""
ROW_REACH = 1.0
"""Rows begin and end as far above and below the outermost parts."""
SAME_ROW, CELL_GAP = 0.5, 0.8
SAME_AXIS, MAX_HOST_GAP = 0.35, 2.0
"""Distance of a line's baseline from the middle of the bracket, and of its text from it."""
MAX_CASE_GAP = 4.0
"""Gap between the value and the condition of a case."""
_DOTS = {".", "·"}


@dataclass(frozen=True)
class _Placed:
    """A piece, and the run that it is in."""

    run: int
    piece: TextPiece


@dataclass(frozen=True)
class _Bracket:
    """A tall bracket: `top` and `bottom` are the baselines of its outermost parts."""

    sign: str
    parts: tuple[_Placed, ...]

    @property
    def left(self) -> float:
        return min(part.piece.left for part in self.parts)

    @property
    def right(self) -> float:
        return max(part.piece.right for part in self.parts)

    @property
    def top(self) -> float:
        return self.parts[0].piece.baseline

    @property
    def bottom(self) -> float:
        return self.parts[-1].piece.baseline

    @property
    def size(self) -> float:
        return self.parts[0].piece.style.size

    def has_beside(self, piece: TextPiece) -> bool:
        """Return whether a piece is as high as one of the rows in the bracket."""
        reach = ROW_REACH * self.size
        return self.top - reach < piece.baseline < self.bottom + reach


def find_matrices(page: DigitalPage) -> tuple[Mapping[int, TextRun], frozenset[int]]:
    """Return the runs that hold a matrix, with it, and the indices of the runs that are parts of one."""
    brackets = _brackets(page)
    if not brackets:
        return {}, frozenset()
    content = _Content(page)
    for opening, closing in _pairs(brackets):
        content.join(opening, closing)
    for bracket in brackets:
        content.join_parts(bracket)
    return content.runs()


def _brackets(page: DigitalPage) -> list[_Bracket]:
    """Return the tall brackets of a page, and the tall bars between them, from left to right."""
    brackets = _stacks(page, {*_OPENING, *_CLOSING, _EITHER})
    if not 0 < len(brackets) <= MAX_BRACKETS:
        return []
    bars = [bar for bar in _stacks(page, {_BAR}) if _is_between(bar, brackets)]
    return sorted([*brackets, *bars], key=lambda bracket: bracket.left)


def _is_between(bar: _Bracket, brackets: Sequence[_Bracket]) -> bool:
    """Return whether a tall bar is in a pair of brackets; the bars of a table are not."""
    beside = [one for one in brackets if all(one.has_beside(part.piece) for part in bar.parts)]
    return any(one.left < bar.left for one in beside) and any(one.left > bar.left for one in beside)


def _stacks(page: DigitalPage, signs: Set[str]) -> list[_Bracket]:
    """Return the stacks of parts of brackets with these signs, from left to right."""
    parts = [
        _Placed(number, piece)
        for number, run in enumerate(page.layer.runs)
        for piece in run.pieces
        if piece.text in signs
    ]
    parts.sort(key=lambda part: part.piece.left)
    columns = group_runs(parts, lambda column, part: _is_level(column[0].piece, part.piece))
    found = []
    for column in columns:
        column.sort(key=lambda part: part.piece.baseline)
        for stack in group_runs(column, lambda stack, part: _is_below(stack[-1].piece, part.piece)):
            sign = next((_SIGNS[part.piece.text] for part in stack if part.piece.text != _EITHER), "")
            found += [_Bracket(sign, tuple(stack))] if sign and len(stack) > 1 else []
    return found


def _is_level(one: TextPiece, other: TextPiece) -> bool:
    return abs(one.left - other.left) < MAX_PART_SHIFT * one.style.size


def _is_below(above: TextPiece, piece: TextPiece) -> bool:
    ends = above.text in "⎝⎠⎣⎦⎩⎭"
    return not ends and piece.baseline - above.baseline < MAX_PART_PITCH * above.style.size


def _pairs(brackets: Sequence[_Bracket]) -> Iterator[tuple[_Bracket, _Bracket | None]]:
    """Yield the opening brackets, inner ones first, with the closing ones of the same height."""
    for opening in reversed([bracket for bracket in brackets if bracket.sign in _PAIRS]):
        slack = MAX_PART_SHIFT * opening.size
        closing = next(
            (
                other
                for other in brackets
                if other.sign == _PAIRS[opening.sign]
                and other.left > opening.left
                and max(abs(other.top - opening.top), abs(other.bottom - opening.bottom)) < slack
            ),
            None,
        )
        if (closing is None) == (opening.sign == "{"):
            yield opening, closing


class _Content:
    """The pieces of a page's runs, while matrices are joined to one piece each."""

    def __init__(self, page: DigitalPage) -> None:
        self._page = page
        self._pieces = {number: list(run.pieces) for number, run in enumerate(page.layer.runs)}
        self._changed: set[int] = set()

    def runs(self) -> tuple[dict[int, TextRun], frozenset[int]]:
        """Return the changed runs, and the indices of those that have no text of their own any more."""
        used = frozenset(number for number in self._changed if not self._pieces[number])
        return {number: self._run(number) for number in self._changed - used}, used

    def _run(self, number: int) -> TextRun:
        run, box = self._page.layer.runs[number], self._page.boxes[number]
        pieces = sorted(self._pieces[number], key=lambda piece: piece.left)
        left, right = min(piece.left for piece in pieces), max(piece.right for piece in pieces)
        place = level_box(left, box.top, right, box.bottom)
        return replace(run, text=text_of_pieces(pieces), pieces=tuple(pieces), box=place)

    def join(self, opening: _Bracket, closing: _Bracket | None) -> None:
        """Join the rows behind an opening bracket to one piece, with the brackets; one row stays as it is."""
        inside = list(self._inside(opening, closing))
        rows = _rows([placed.piece for placed in inside], opening.size)
        if len(rows) < 2:
            return
        latex = _latex(opening.sign, rows)
        inner = "; ".join(text_of_pieces(sorted(row, key=lambda piece: piece.left)) for row in rows)
        text = f"{opening.sign}{inner}{closing.sign if closing else ''}"
        parts = [*opening.parts, *inside, *(closing.parts if closing else ())]
        self._put(opening, parts, text, latex)

    def join_parts(self, bracket: _Bracket) -> None:
        """Join the parts of a bracket that is left to one sign."""
        if bracket.parts[0].piece in self._pieces[bracket.parts[0].run]:
            self._put(bracket, bracket.parts, bracket.sign, None)

    def _inside(self, opening: _Bracket, closing: _Bracket | None) -> Iterator[_Placed]:
        """Yield the pieces behind an opening bracket: up to the closing one, or to a wide gap."""
        beside = [
            _Placed(number, piece)
            for number, pieces in self._pieces.items()
            for piece in pieces
            if piece.left > opening.left and opening.has_beside(piece) and piece.text != _EITHER
        ]
        end = opening.right
        for placed in sorted(beside, key=lambda placed: placed.piece.left):
            if any(placed.piece is part.piece for part in opening.parts):
                continue
            is_behind = placed.piece.left >= closing.left if closing else False
            if is_behind or placed.piece.left - end > MAX_CASE_GAP * opening.size:
                return
            end = max(end, placed.piece.right)
            yield placed

    def _put(self, bracket: _Bracket, parts: Sequence[_Placed], text: str, latex: str | None) -> None:
        """Replace pieces by one, on the line in the middle of the bracket."""
        for part in parts:
            self._changed.add(part.run)
            self._pieces[part.run] = [piece for piece in self._pieces[part.run] if piece is not part.piece]
        left, right = (f(x for p in parts for x in (p.piece.left, p.piece.right)) for f in (min, max))
        host, baseline = self._host(bracket, left, right)
        first = bracket.parts[0].piece
        joined = replace(first, text=text, left=left, right=right, baseline=baseline, latex=latex)
        self._pieces[host].append(replace(joined, starts_word=True))
        self._changed.add(host)

    def _host(self, bracket: _Bracket, left: float, right: float) -> tuple[int, float]:
        """Return the run beside a matrix, and its baseline; that of its first part if there is none."""
        axis = mean((bracket.top, bracket.bottom))
        near = [
            (max(left - piece.right, piece.left - right), number, piece.baseline)
            for number, pieces in self._pieces.items()
            for piece in pieces
            if abs(piece.baseline - axis) < SAME_AXIS * bracket.size and not piece.script
        ]
        gap, number, baseline = min(near, default=(MAX_HOST_GAP * bracket.size, 0, axis))
        return (number, baseline) if gap < MAX_HOST_GAP * bracket.size else (bracket.parts[0].run, axis)


def _rows(pieces: Sequence[TextPiece], size: float) -> list[list[TextPiece]]:
    """Return the rows of a matrix. Three dots, one below the other, are one row."""
    ordered = sorted(pieces, key=lambda piece: piece.baseline)
    rows = group_runs(
        ordered, lambda row, piece: bool(piece.script) or piece.baseline - row[0].baseline < SAME_ROW * size
    )
    merged: list[list[TextPiece]] = []
    for row in rows:
        is_dots = {piece.text for piece in row} <= _DOTS
        if is_dots and merged and {piece.text for piece in merged[-1]} <= {"⋮"}:
            continue
        merged.append([replace(piece, text="⋮") for piece in row] if is_dots else row)
    return merged


def _latex(sign: str, rows: Sequence[Sequence[TextPiece]]) -> str | None:
    """Return the LaTeX of rows, None if a cell has none."""
    lines = []
    for row in rows:
        cells = [_cell_latex(cell) for cell in _cells(row)]
        if None in cells:
            return None
        lines.append(" & ".join(filter(None, cells)))
    environment = _ENVIRONMENTS[sign]
    inner = r" \\ ".join(lines)
    return rf"\begin{{{environment}}} {inner} \end{{{environment}}}"


def _cells(row: Sequence[TextPiece]) -> list[list[TextPiece]]:
    ordered = sorted(row, key=lambda piece: piece.left)
    cells = [[ordered[0]]]
    for before, piece in pairwise(ordered):
        if piece.left - before.right > CELL_GAP * piece.style.size:
            cells.append([])
        cells[-1].append(piece)
    return cells


def _cell_latex(cell: Sequence[TextPiece]) -> str | None:
    if all(piece.text == "⋮" for piece in cell):
        return r"\vdots"
    parts = parts_of(cell)
    return formula_latex(parts, []) if parts else None
