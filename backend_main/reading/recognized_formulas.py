"""Share of a recognized page that is in formulas, for the choice of another engine.

An engine reads a formula as some lines of letters, numbers and signs, in no order.
"""

import re
from collections.abc import Sequence

from .layout.formula_clusters import TextKind, formula_clusters
from .layout.geometry import PageFrame
from .output.latex import FUNCTIONS, LARGE_OPERATORS, OPERATORS, RELATIONS
from .types import Line

MAX_WORD_SHARE = 0.35
"""Share of a formula's letters that are in words."""
MAX_NEUTRAL_CHARACTERS = 24
"""A longer text of numbers and signs is not a numerator or a limit."""
_PRICE = re.compile(r"\d[.,]\d\d(?!\d)|[@#%€$£¥]")
"""Amounts of money and signs that receipts have, and hardly any formula."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_OPERANDS = frozenset("∞∂∇∀∃√")
_SIGNS = (RELATIONS | OPERATORS | LARGE_OPERATORS | _OPERANDS) - frozenset(":-*·∗∣•")
"""Signs of formulas, without those that lists, numbers and dates have."""


def recognized_formula_share(lines: Sequence[Line]) -> float:
    """Return the share of the area of the recognized text that is in formulas, from 0 to 1."""
    quads = [line.box for line in lines if line.box is not None]
    if not quads:
        return 0.0
    boxes = PageFrame.from_boxes(quads).layout_boxes(quads)
    texts = [line.text for line in lines if line.box is not None]
    kinds = {box.index: _kind(texts[box.index]) for box in boxes}
    formulas = [cluster for cluster in formula_clusters(boxes, kinds) if cluster.is_formula]
    used = {box.index for cluster in formulas for box in cluster.boxes}
    rects = (cluster.rect for cluster in formulas)
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in rects)
    rest = sum(box.width * (box.bottom - box.top) for box in boxes if box.index not in used)
    return area / max(1.0, area + rest)


def _kind(text: str) -> TextKind:
    words = [word for word in _WORD.findall(text) if word.lower() not in FUNCTIONS]
    letters = sum(letter.isalnum() for letter in text)
    if sum(map(len, words)) > MAX_WORD_SHARE * letters or _PRICE.search(text):
        return "text"
    has_operand = any(letter.isalpha() or letter in LARGE_OPERATORS | _OPERANDS for letter in text)
    if has_operand and not _SIGNS.isdisjoint(text):
        return "formula"
    return "neutral" if not words and len(text) <= MAX_NEUTRAL_CHARACTERS else "text"
