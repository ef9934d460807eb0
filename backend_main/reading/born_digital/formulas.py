"""Displayed formulas of a page: which texts belong to one, and its Markdown.

A displayed formula has no running text beside it. Its parts are texts of their own: a numerator, a limit, a
sign. They stay together, as LaTeX if that is certain, and else as text in one piece.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..documents.pdf_graphics import Rule
from ..documents.styled_text import TextPiece, text_of_pieces
from ..layout.formula_clusters import TextKind, formula_clusters
from ..layout.geometry import LayoutBox, Rect, bounding_rect
from ..output.escaping import escape
from .formula_elements import Element, elements_of
from .formula_layout import Part, formula_latex, parts_of
from .page import DigitalPage

MAX_TEXT_SHARE = 0.35
"""Share of a formula's letters that are in words."""
MAX_NEUTRAL_CHARACTERS = 24
"""A longer text of numbers and signs is not a numerator or a limit."""
# In text heights.
MIN_CLEARANCE = 0.9
"""Running text is farther away at the sides."""
MIN_OVERLAP_BESIDE, MIN_OVERLAP_ABOVE = 0.33, 0.6
"""Overlap in y with text at the side, and with a line of text above or below, which limits may reach into."""
MIN_NUMBER_GAP = 0.3
MIN_LINE_GAP = 0.25
MAX_ROW_HEIGHT, MAX_LINE_GAP, MAX_INDENT = 1.5, 0.6, 1.2
"""A row that is as near to a line of text, and as little indented, is a line of its paragraph."""
MIN_ELEMENTS, MIN_ELEMENTS_WITHOUT_SIGN = 3, 5
_NUMBER = re.compile(r"\(\s*(?:[A-Z]\.?)?\d+(?:\.\d+)*[a-z]?\s*\)")


@dataclass(frozen=True)
class DigitalFormula:
    """A displayed formula: its rectangle, the texts in it, and its Markdown."""

    rect: Rect
    boxes: frozenset[int]
    markdown: str

    @property
    def is_latex(self) -> bool:
        """Whether the formula could be put together; else it is plain text."""
        return self.markdown.startswith("$$")


def find_formulas(page: DigitalPage, boxes: Sequence[LayoutBox]) -> list[DigitalFormula]:
    """Return the displayed formulas among the texts of a page, from top to bottom."""
    if not any(piece.style.font.is_math or piece.script for run in page.layer.runs for piece in run.pieces):
        return []
    kinds = {box.index: text_kind(page.pieces(box)) for box in boxes}
    clusters = formula_clusters(boxes, kinds)
    texts = [box for box in boxes if kinds[box.index] == "text"]
    numbers = [box for box in boxes if _NUMBER.fullmatch(page.text(box).strip())]
    formulas = []
    for cluster in clusters:
        own = [box for box in cluster.boxes if box not in numbers]
        if not cluster.is_formula or not _is_displayed(page, own) or _has_text_beside(own, texts):
            continue
        number = _number_of(cluster.boxes, own, numbers)
        if markdown := _markdown(page, own, page.text(number).strip() if number else ""):
            used = [*own, number] if number else own
            formulas.append(
                DigitalFormula(bounding_rect(used), frozenset(box.index for box in used), markdown)
            )
    return formulas


def is_formula(page: DigitalPage, boxes: Sequence[LayoutBox]) -> bool:
    """Return whether texts in rows and columns are a formula, as of a matrix: most are, none has words."""
    kinds = [text_kind(page.pieces(box)) for box in boxes]
    return "text" not in kinds and 2 * kinds.count("formula") > len(kinds)


def text_kind(pieces: Sequence[TextPiece]) -> TextKind:
    """Return the kind of a text by the fonts, letters and signs in it."""
    elements = elements_of(pieces)
    words = sum(len(element.text) for element in elements if element.kind == "text")
    signs = sum(len(element.text) for element in elements if element.kind != "text")
    has_font = any(piece.style.font.is_math for piece in pieces)
    if words > (MAX_TEXT_SHARE if has_font else 0) * (words + signs):
        return "text"
    has_relation = any(element.kind in {"relation", "sign"} for element in elements)
    if any(element.is_strong for element in elements) or (has_relation and _has_candidate(elements)):
        return "formula"
    is_math = all(piece.style.font.is_math for piece in pieces)
    return "neutral" if is_math or (not words and signs <= MAX_NEUTRAL_CHARACTERS) else "text"


def _is_displayed(page: DigitalPage, boxes: Sequence[LayoutBox]) -> bool:
    """Return whether a formula is more than a letter, such as the label of an axis."""
    elements = [element for box in boxes for element in elements_of(page.pieces(box))]
    has_sign = any(element.kind in {"relation", "sign"} for element in elements)
    return len(elements) >= (MIN_ELEMENTS if has_sign else MIN_ELEMENTS_WITHOUT_SIGN)


def _has_candidate(elements: Sequence[Element]) -> bool:
    return any(element.is_candidate for element in elements)


def _has_text_beside(boxes: Sequence[LayoutBox], texts: Sequence[LayoutBox]) -> bool:
    left, top, right, bottom = bounding_rect(boxes)
    is_row = bottom - top < MAX_ROW_HEIGHT * max(box.bottom - box.top for box in boxes)
    for text in texts:
        height = text.bottom - text.top
        if is_row and _is_line_of(left, top, bottom, text):
            return True
        overlap = min(bottom, text.bottom) - max(top, text.top)
        gap = max(left, text.left) - min(right, text.right)
        min_overlap = MIN_OVERLAP_BESIDE if gap > 0 else MIN_OVERLAP_ABOVE
        if overlap > min_overlap * height and gap < MIN_CLEARANCE * height:
            return True
    return False


def _is_line_of(left: float, top: float, bottom: float, text: LayoutBox) -> bool:
    """Return whether a row is a line of the paragraph of a text."""
    height = text.bottom - text.top
    gap = max(top, text.top) - min(bottom, text.bottom)
    return gap < MAX_LINE_GAP * height and abs(text.left - left) < MAX_INDENT * height


def _number_of(
    cluster: Sequence[LayoutBox], own: Sequence[LayoutBox], numbers: Sequence[LayoutBox]
) -> LayoutBox | None:
    """Return the number of an equation: at its right, or in the cluster."""
    left, top, right, bottom = bounding_rect(own)
    inside = [box for box in cluster if box in numbers]
    beside = [
        box
        for box in numbers
        if box.left >= right and min(bottom, box.bottom) - max(top, box.top) > 0.3 * (box.bottom - box.top)
    ]
    nearest = min(beside, key=lambda box: box.left, default=None)
    if nearest is not None and nearest.left - right < right - left + 25 * (nearest.bottom - nearest.top):
        return nearest
    return inside[0] if inside else None


def _markdown(page: DigitalPage, boxes: Sequence[LayoutBox], number: str) -> str:
    pieces = [piece for box in sorted(boxes, key=lambda box: box.right) for piece in page.pieces(box)]
    pieces, own_number = _without_number(pieces)
    number = number or own_number
    tag = f" \\tag{{{number.strip('() ')}}}" if number else ""
    rect = bounding_rect(boxes)
    rules = [rule for rule in page.graphics.rules if rule.is_horizontal and _is_inside(rule, rect)]
    lines: list[str] = []
    parts = parts_of(pieces)
    if parts:
        top_lines = _display_lines(parts, rules)
        for line in top_lines:
            latex = formula_latex(line, rules)
            if latex is None:
                return _plain(page, boxes, number)
            lines.append(latex)
    if not lines:
        return _plain(page, boxes, number)
    return "\n\n".join(
        f"$${latex}{tag if place == len(lines) - 1 else ''}$$" for place, latex in enumerate(lines)
    )


def _without_number(pieces: list[TextPiece]) -> tuple[list[TextPiece], str]:
    """Return the pieces without an equation number after a wide gap, and the number."""
    if len(pieces) < 2:
        return pieces, ""
    last, before = pieces[-1], pieces[-2]
    is_apart = last.left - before.right > MIN_NUMBER_GAP * last.style.size
    if is_apart and last.starts_word and _NUMBER.fullmatch(last.text):
        return pieces[:-1], last.text
    return pieces, ""


def _display_lines(parts: Sequence[Part], rules: Sequence[Rule]) -> list[list[Part]]:
    """Divide the parts into the lines of a displayed formula, at gaps that no rule crosses."""
    ordered = sorted(parts, key=lambda part: part.top)
    lines: list[list[Part]] = []
    bottom = 0.0
    for part in ordered:
        is_below = lines and part.top - bottom > MIN_LINE_GAP * part.size
        crosses = any(bottom - part.size < rule.y0 < part.bottom for rule in rules)
        if not lines or (is_below and not crosses):
            lines.append([])
        lines[-1].append(part)
        bottom = max(bottom, part.bottom)
    return lines


def _is_inside(rule: Rule, rect: Rect) -> bool:
    left, top, right, bottom = rect
    slack = (bottom - top) / 2
    return left - slack < rule.x0 and rule.x1 < right + slack and top <= rule.y0 <= bottom


def _plain(page: DigitalPage, boxes: Sequence[LayoutBox], number: str) -> str:
    """Return a formula as text in one piece: its rows from top to bottom."""
    rows = sorted(boxes, key=lambda box: (round(box.center_y / max(1.0, box.bottom - box.top)), box.left))
    texts = [text_of_pieces(page.pieces(box)) for box in rows]
    if number and number not in texts[-1]:
        texts.append(number)
    return escape(" ".join(texts))
