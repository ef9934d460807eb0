"""Elements of a line of text: which of its words and signs may belong to a formula.

A letter in a font for formulas is a formula. Numbers, signs and single letters in other fonts belong to one
only beside it. Without such fonts, raised and lowered text on letters makes a formula where signs connect it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..documents.styled_text import TextPiece
from ..output.latex import CLOSING, FUNCTIONS, LARGE_OPERATORS, OPENING, OPERATORS, RELATIONS
from .formula_latex import MAX_FACTORS, MAX_ITALIC_VARIABLE

ElementKind = Literal["operand", "function", "sign", "relation", "open", "close", "comma", "prime", "text"]
Position = tuple[int, int]
"""A piece, and a character in it."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+[\u0300-\u036f\u20d7]*|.[\u0300-\u036f]*", re.DOTALL)
MATH_LETTERS = ("\U0001d400", "\U0001d7ff")
"""Unicode's mathematical alphabets."""
_OPERANDS = frozenset("∞∂∇∅∀∃ℓℏ…⋯°√△⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪⎮⎞⎟⎠⎤⎥⎦⎫⎬⎭⏐") | LARGE_OPERATORS
_GREEK = ("\u0370", "\u03ff")
_ROMAN_OF_TEX = re.compile("^(?:CMR|CMBX|SFRM|LMRoman)", re.IGNORECASE)
"""TeX's text fonts have capital Greek letters for formulas."""


@dataclass(slots=True)
class Element:
    """A word or sign with its scripts.

    `is_strong`: a letter in a font for formulas. `is_candidate`: a letter with scripts in any font.
    """

    kind: ElementKind
    text: str
    start: Position
    end: Position
    after_space: bool
    is_strong: bool = False
    is_candidate: bool = False
    has_script: bool = False
    match: int | None = None
    """Place of the bracket that matches this one."""


def elements_of(pieces: Sequence[TextPiece]) -> list[Element]:
    """Return the elements of a line, with its brackets matched."""
    elements: list[Element] = []
    for number, piece in enumerate(pieces):
        if piece.latex:
            end = (number, len(piece.text))
            elements.append(
                Element("operand", piece.text, (number, 0), end, piece.starts_word, is_strong=True)
            )
        elif piece.script:
            _add_script(elements, piece, number)
        else:
            elements += _piece_elements(piece, number)
    elements = _with_dots(_with_decimals(elements))
    _find_products(elements)
    _match_brackets(elements)
    _find_functions(elements)
    return elements


def cut(pieces: Sequence[TextPiece], start: Position, end: Position) -> list[TextPiece]:
    """Return the pieces between two positions; a piece that is cut keeps its place."""
    found: list[TextPiece] = []
    for number in range(start[0], min(end[0] + 1, len(pieces))):
        piece = pieces[number]
        first = start[1] if number == start[0] else 0
        last = end[1] if number == end[0] else len(piece.text)
        if text := piece.text[first:last]:
            found.append(replace(piece, text=text, starts_word=piece.starts_word and first == 0))
    return found


def _piece_elements(piece: TextPiece, number: int) -> list[Element]:
    elements = []
    for found in _TOKEN.finditer(piece.text):
        kind, is_strong = _kind(found[0], piece)
        start, end = (number, found.start()), (number, found.end())
        after_space = piece.starts_word and found.start() == 0
        elements.append(Element(kind, found[0], start, end, after_space, is_strong))
    return elements


def _kind(token: str, piece: TextPiece) -> tuple[ElementKind, bool]:
    if token[0].isalpha():
        return _kind_of_letters(token, piece)
    if token[0] in "∆\u2126":
        return "operand", bool(_ROMAN_OF_TEX.search(piece.style.font.name))
    if token[0].isdigit() or token in _OPERANDS:
        return "operand", MATH_LETTERS[0] <= token[0] <= MATH_LETTERS[1]
    for kind, signs in _SIGNS.items():
        if token[0] in signs:
            return kind, False
    return "text", False


_SIGNS: dict[ElementKind, frozenset[str] | str] = {
    "relation": RELATIONS,
    "sign": frozenset(OPERATORS | {"/", "|"}),
    "open": OPENING,
    "close": CLOSING,
    "comma": ",;",
    "prime": "′",
}


def _kind_of_letters(token: str, piece: TextPiece) -> tuple[ElementKind, bool]:
    font = piece.style.font
    if font.is_math or all(MATH_LETTERS[0] <= letter <= MATH_LETTERS[1] for letter in token):
        return "operand", True
    if token in FUNCTIONS:
        return "function", False
    if _GREEK[0] <= token <= _GREEK[1] and _ROMAN_OF_TEX.search(font.name):
        return "operand", True
    length = sum(letter.isalpha() for letter in token)
    is_variable = length == 1 or (font.is_italic and length <= MAX_ITALIC_VARIABLE)
    return "operand" if is_variable else "text", False


def _add_script(elements: list[Element], piece: TextPiece, number: int) -> None:
    """Add raised or lowered text to the element before it; without one it is text."""
    last = elements[-1] if elements else None
    is_apart = piece.starts_word and not piece.style.font.is_math
    if last is None or (is_apart and not last.has_script):
        end = (number, len(piece.text))
        elements.append(Element("text", piece.text, (number, 0), end, piece.starts_word))
        return
    last.end = (number, len(piece.text))
    last.has_script = True
    is_short = last.text.isalpha() and len(last.text) <= MAX_ITALIC_VARIABLE
    if is_short and last.kind in {"operand", "text"}:
        last.kind = "operand"
        last.is_candidate = True
        last.is_strong |= piece.style.font.is_math and len(last.text) == 1


def _with_decimals(elements: Sequence[Element]) -> list[Element]:
    """Return the elements with numbers joined whose point is in another font."""
    joined: list[Element] = []
    for element in elements:
        if len(joined) > 1 and _are_decimal(joined[-2], joined[-1], element):
            whole = joined[-2]
            del joined[-1]
            whole.text += f".{element.text}"
            whole.end, whole.has_script = element.end, element.has_script
        else:
            joined.append(element)
    return joined


def _with_dots(elements: Sequence[Element]) -> list[Element]:
    """Return the elements with three points that are set apart as one sign."""
    joined: list[Element] = []
    for element in elements:
        joined.append(element)
        points = joined[-3:]
        if len(points) == 3 and all(point.text == "." and not point.has_script for point in points):
            first = points[0]
            joined[-3:] = [replace(first, kind="sign", text="…", end=element.end)]
    return joined


def _are_decimal(whole: Element, point: Element, decimals: Element) -> bool:
    """Return whether three elements are a number, a point and its decimals, without spaces."""
    is_close = not (point.after_space or decimals.after_space or whole.has_script)
    return is_close and point.text == "." and whole.text[-1].isdigit() and decimals.text[0].isdigit()


def _find_products(elements: Sequence[Element]) -> None:
    """Mark short words of letters that are variables elsewhere in the line: `2xy` beside `x²`."""
    variables = {one.text for one in elements if one.is_strong or one.is_candidate}
    for element in elements:
        if element.kind == "text" and len(element.text) <= MAX_FACTORS and variables.issuperset(element.text):
            element.kind = "operand"


def _match_brackets(elements: Sequence[Element]) -> None:
    opened: list[int] = []
    for place, element in enumerate(elements):
        if element.kind == "open":
            opened.append(place)
        elif element.kind == "close" and opened:
            other = opened.pop()
            if OPENING.index(elements[other].text) == CLOSING.index(element.text):
                element.match, elements[other].match = other, place


def _find_functions(elements: Sequence[Element]) -> None:
    """Mark words right before a bracket that contains a formula: `softmax(A)`."""
    for place, element in enumerate(elements[:-1]):
        after = elements[place + 1]
        is_word = element.kind == "text" and element.text.isalpha()
        if is_word and not after.after_space and after.match:
            group = elements[place + 2 : after.match]
            if any(one.is_strong or one.text == "√" for one in group) and all(
                one.kind != "text" for one in group
            ):
                element.kind, element.is_strong = "function", True
