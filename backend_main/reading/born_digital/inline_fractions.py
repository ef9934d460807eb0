"""Fractions in running text: their parts are texts of their own, above and below a bar."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..documents.pdf_graphics import Rule
from ..documents.pdf_text_layer import TextRun
from ..documents.styled_text import TextPiece, text_of_pieces
from ..layout.geometry import LayoutBox
from .formula_layout import formula_latex, parts_of
from .formulas import text_kind
from .page import DigitalPage

# In heights of the text beside it.
MAX_WIDTH = 8.0
MAX_ASIDE = 0.4
"""Distance by which a numerator may be wider than its bar."""
MAX_DISTANCE = 1.3
"""Distance of the center of a numerator or denominator from the bar."""
MAX_FROM_AXIS = 0.2
"""Distance of the bar from the middle of the text; an underline is farther."""
MAX_GAP = 1.0
"""Distance of the bar from the text before or after it."""
MIN_FILLED_SHARE = 0.5
"""Share of the bar's length: TeX draws a bar of 0.74 sizes over a digit of 0.5."""
MAX_ASPECT_RATIO = 2.0
"""Height by width of a text of several letters; a higher one is rotated, as labels of a drawing are."""


def find_inline_fractions(page: DigitalPage) -> tuple[Mapping[int, TextRun], frozenset[int]]:
    """Return the runs that hold a fraction, with it, and the indices of the runs that are its parts."""
    changed: dict[int, TextRun] = {}
    used: set[int] = set()
    rules = [rule for rule in page.graphics.rules if rule.is_horizontal]
    for rule in rules:
        if (host := _host(page, rule)) is None:
            continue
        parts = [box for box in page.boxes if box.index not in used and _is_part(box, rule, host.height)]
        if any(_is_rotated(page, box) for box in parts):
            continue
        above = [box for box in parts if box.center_y < rule.y0]
        below = [box for box in parts if box.center_y > rule.y0]
        if above and below and host not in parts and _is_filled(rule, (above, below)):
            run = changed.get(host.index, page.layer.runs[host.index])
            changed[host.index] = _with_fraction(run, page, (above, below), rule)
            used.update(box.index for box in parts)
    return changed, frozenset(used)


def _host(page: DigitalPage, rule: Rule) -> LayoutBox | None:
    """Return the running text beside a bar."""
    for box in page.boxes:
        if _is_rotated(page, box):
            continue
        gap = max(rule.x0 - box.right, box.left - rule.x1)
        is_on_axis = abs(rule.y0 - box.center_y) < MAX_FROM_AXIS * box.height
        is_beside = is_on_axis and -MAX_ASIDE * box.height < gap < MAX_GAP * box.height
        is_short = rule.x1 - rule.x0 < MAX_WIDTH * box.height
        if is_beside and is_short and text_kind(page.pieces(box)) == "text":
            return box
    return None


def _is_filled(rule: Rule, rows: Iterable[Sequence[LayoutBox]]) -> bool:
    """Return whether a row is about as wide as the bar, which may be the border of a cell."""
    widths = [max(box.right for box in row) - min(box.left for box in row) for row in rows]
    return max(widths) > MIN_FILLED_SHARE * (rule.x1 - rule.x0)


def _is_rotated(page: DigitalPage, box: LayoutBox) -> bool:
    return len(page.text(box)) > 1 and box.height > MAX_ASPECT_RATIO * box.width


def _is_part(box: LayoutBox, rule: Rule, height: float) -> bool:
    slack = MAX_ASIDE * height
    is_within = rule.x0 - slack < box.left and box.right < rule.x1 + slack
    return is_within and abs(box.center_y - rule.y0) < MAX_DISTANCE * height


def _with_fraction(
    run: TextRun, page: DigitalPage, rows: tuple[Sequence[LayoutBox], Sequence[LayoutBox]], rule: Rule
) -> TextRun:
    above, below = ([piece for box in row for piece in page.pieces(box)] for row in rows)
    parts = parts_of([*above, *below])
    latex = formula_latex(parts, [rule]) if parts else None
    text = "/".join(_bracketed(text_of_pieces(pieces)) for pieces in (above, below))
    near = run.pieces[-1] if run.pieces[-1].right <= rule.x1 else run.pieces[0]
    fraction = TextPiece(text, rule.x0, rule.x1, near.baseline, near.style, latex=latex)
    pieces = sorted([*run.pieces, fraction], key=lambda piece: piece.left)
    return replace(run, text=text_of_pieces(pieces), pieces=tuple(pieces))


def _bracketed(text: str) -> str:
    return text if text.isalnum() else f"({text})"
