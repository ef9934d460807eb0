"""Upright lines that go through words: center lines and diagrams below the text, which divide no columns."""

from dataclasses import replace

import numpy as np

from ..documents.pdf_graphics import Rule
from ..documents.pdf_text_layer import TextLayer

INSET = 0.15
"""In font sizes: words may reach as far over a line between two columns."""
MIN_CROSSED_WORDS = 3
MIN_CROSSED_SHARE = 0.2
"""Share of the lines of text on both sides, whose words it goes through. Spaces are a sixth of a line."""
MAX_RULES = 400
"""A page with more upright lines has a drawing, and comparing each with all words takes too long."""


def without_crossing_rules(layer: TextLayer) -> TextLayer:
    """Return a layer without the upright lines that go through the words of several lines."""
    upright = [rule for rule in layer.graphics.rules if not rule.is_horizontal]
    pieces = [piece for run in layer.runs for piece in run.pieces]
    if not upright or len(upright) > MAX_RULES or len(pieces) < MIN_CROSSED_WORDS:
        return layer
    words = np.array(
        [(p.left + INSET * p.style.size, p.right - INSET * p.style.size, p.baseline) for p in pieces]
    )
    lines = np.array(
        [(run.pieces[0].left, run.pieces[-1].right, run.pieces[0].baseline) for run in layer.runs]
    )
    crossing = {rule for rule in upright if _is_crossing(rule, words, lines)}
    if not crossing:
        return layer
    rules = tuple(rule for rule in layer.graphics.rules if rule not in crossing)
    return replace(layer, graphics=replace(layer.graphics, rules=rules))


def _is_crossing(rule: Rule, words: np.ndarray, lines: np.ndarray) -> bool:
    crossed, reached = _count_at(rule, words), _count_at(rule, lines)
    return crossed >= MIN_CROSSED_WORDS and crossed >= MIN_CROSSED_SHARE * reached


def _count_at(rule: Rule, spans: np.ndarray) -> int:
    """Return the number of spans, of (left, right, baseline), that are on both sides of an upright line."""
    x = (rule.x0 + rule.x1) / 2
    lefts, rights, baselines = spans.T
    return int(((lefts < x) & (x < rights) & (rule.y0 < baselines) & (baselines < rule.y1)).sum())
