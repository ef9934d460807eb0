"""Strikethrough: words with a thin line through the middle of their small letters."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..documents.pdf_graphics import Rule
from ..documents.pdf_text_layer import TextLayer, TextRun
from ..documents.styled_text import TextPiece

# In font sizes.
MIN_HEIGHT, MAX_HEIGHT = 0.15, 0.42
"""From the baseline to the line. Browsers draw it at 0.2 to 0.35."""
MAX_THICKNESS = 0.15
MAX_OVERHANG = 0.5
"""The line ends as near to the first and the last word; a line of a table is longer."""
MIN_COVERED_SHARE = 0.8
"""Share of the width of a word that the line covers."""


def with_strikethrough(layer: TextLayer) -> TextLayer:
    """Return a layer with its words that are struck through marked, without the lines through them."""
    level = sorted((rule for rule in layer.graphics.rules if rule.is_horizontal), key=lambda rule: rule.y0)
    if not level:
        return layer
    ys = [rule.y0 for rule in level]
    used: set[Rule] = set()
    runs = []
    for run in layer.runs:
        _, top, _, bottom = _bounds(run)
        near = level[bisect_left(ys, top) : bisect_right(ys, bottom)]
        through = [rule for rule in near if _is_through(rule, run.pieces)]
        used.update(through)
        runs.append(_struck(run, through) if through else run)
    if not used:
        return layer
    rules = tuple(rule for rule in layer.graphics.rules if rule not in used)
    return replace(layer, runs=tuple(runs), graphics=replace(layer.graphics, rules=rules))


def _bounds(run: TextRun) -> tuple[float, float, float, float]:
    xs, ys = zip(*run.box, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _is_through(rule: Rule, pieces: Sequence[TextPiece]) -> bool:
    """Return whether a line goes through some words, and ends with the first and the last of them."""
    covered = [piece for piece in pieces if _is_covered(piece, (rule,))]
    if not covered:
        return False
    overhang = MAX_OVERHANG * covered[0].style.size
    return (
        min(piece.left for piece in covered) - rule.x0 < overhang
        and rule.x1 - max(piece.right for piece in covered) < overhang
    )


def _is_covered(piece: TextPiece, rules: Iterable[Rule]) -> bool:
    size = piece.style.size
    covered = sum(
        max(0.0, min(rule.x1, piece.right) - max(rule.x0, piece.left))
        for rule in rules
        if MIN_HEIGHT * size < piece.baseline - (rule.y0 + rule.y1) / 2 < MAX_HEIGHT * size
        and rule.thickness < MAX_THICKNESS * size
    )
    has_letters = any(map(str.isalnum, piece.text))
    return has_letters and covered >= MIN_COVERED_SHARE * (piece.right - piece.left)


def _struck(run: TextRun, rules: Sequence[Rule]) -> TextRun:
    pieces = tuple(
        replace(piece, is_struck=True) if _is_covered(piece, rules) else piece for piece in run.pieces
    )
    return replace(run, pieces=pieces)
