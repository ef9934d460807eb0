"""Formulas in running text: which part of a line is one, and its LaTeX."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..documents.styled_text import Script, TextPiece
from .formula_elements import Element, Position, cut, elements_of
from .formula_latex import MAX_ITALIC_VARIABLE, Atom, atoms_of, joined, with_scripts

MAX_SCRIPT_NESTING = 4
NESTED_SCRIPT_SIZE = 0.92
"""In sizes of the script: smaller text in it is a script of it."""
_FIRST_MATH_LETTER = "\U0001d400"
_CHEMICAL = re.compile(
    r"\d*(?:[()\[\]]|A[lrsu]|B[aeri]?|C[adelorsu]?|Fe?|Ge|H[eg]?|I|Kr?|Li|M[gno]|N[abei]?|O|P[bt]?|Ra|Rb|"
    r"S[bceinr]?|T[ei]|U|V|W|Xe|Y|Z[nr]|\d)+"
)
"""Symbols of elements, with numbers and brackets."""
_CHEMICAL_SIGNS = re.compile(r"[+→⇌=↔·\s]")
_CHARGES = re.compile(r"[\d+\-−–]+")


@dataclass(frozen=True, slots=True)
class FormulaSpan:
    """A formula in a line of pieces."""

    start: Position
    end: Position
    latex: str
    after_space: bool


def find_formulas_in_line(pieces: Sequence[TextPiece]) -> list[FormulaSpan]:
    """Return the formulas of a line or paragraph from left to right; none overlaps another."""
    if not any(map(_may_be_formula, pieces)):
        return []
    elements = elements_of(pieces)
    spans: list[FormulaSpan] = []
    place = 0
    while place < len(elements):
        if elements[place].is_strong or elements[place].is_candidate:
            first, last = _grown(elements, place)
            if span := _span(pieces, elements, first, last):
                while spans and spans[-1].start >= span.start:
                    spans.pop()  # a part of this one
                spans.append(span)
                place = last
        place += 1
    return spans


def _may_be_formula(piece: TextPiece) -> bool:
    return (
        piece.style.font.is_math
        or bool(piece.script or piece.latex)
        or max(piece.text, default="") >= _FIRST_MATH_LETTER
    )


def _grown(elements: Sequence[Element], place: int) -> tuple[int, int]:
    """Return the first and last element of the formula around an element."""
    first = last = place
    while True:
        right = _right(elements, last)
        left = _left(elements, first, right)
        if (left, right) == (first, last):
            return first, last
        first, last = left, right
        last = max([last, *(one.match for one in elements[first : last + 1] if one.match is not None)])


def _right(elements: Sequence[Element], last: int) -> int:
    """Return the last element of a formula that is one step longer to the right."""
    place = last + 1
    if place >= len(elements):
        return last
    after = elements[place]
    if after.kind in {"sign", "relation"} and not (after.text == ":" and not after.after_space):
        return _operand_end(elements, place + 1, last)
    if after.kind == "operand":
        return place if after.is_strong or not after.after_space else last
    if after.kind == "function":
        return _operand_end(elements, place, last)
    if after.kind == "prime" and not after.after_space:
        return place
    if after.kind == "open" and not after.after_space:
        return _operand_end(elements, place, last)
    return last


def _operand_end(elements: Sequence[Element], place: int, default: int) -> int:
    """Return the end of the operand at a place, after a sign perhaps; the default if there is none."""
    if place < len(elements) and elements[place].kind == "sign":
        place += 1
    if place < len(elements) and elements[place].kind == "function":
        return _operand_end(elements, place + 1, place)
    if place >= len(elements):
        return default
    if elements[place].kind == "operand":
        return place
    close = elements[place].match
    is_group = elements[place].kind == "open" and close is not None and _is_math(elements[place + 1 : close])
    return close if is_group and close is not None else default


def _left(elements: Sequence[Element], first: int, last: int) -> int:
    """Return the first element of a formula that is one step longer to the left."""
    place = first - 1
    if place < 0:
        return first
    before = elements[place]
    if before.kind in {"sign", "relation"}:
        start = _operand_start(elements, place - 1)
        is_prefix = before.kind == "sign" and not elements[first].after_space and before.after_space
        return start if start is not None else place if is_prefix else first
    if before.kind == "operand":
        return place if before.is_strong or not elements[first].after_space else first
    if before.kind == "function":
        return place
    if before.kind == "open" and before.match is not None and before.match > last:
        group = elements[place + 1 : before.match]
        has_signs = any(one.kind in {"comma", "sign", "relation"} for one in group)
        return place if has_signs and _is_math(group) else first
    return first


def _operand_start(elements: Sequence[Element], place: int) -> int | None:
    """Return the start of the operand that ends at a place."""
    if place < 0:
        return None
    if elements[place].kind == "operand":
        return place
    start = elements[place].match
    is_group = elements[place].kind == "close" and start is not None and _is_math(elements[start + 1 : place])
    return start if is_group else None


def _is_math(elements: Sequence[Element]) -> bool:
    return all(element.kind != "text" for element in elements)


def _span(
    pieces: Sequence[TextPiece], elements: Sequence[Element], first: int, last: int
) -> FormulaSpan | None:
    """Return the formula from one element to another, None if it cannot be one."""
    found = elements[first : last + 1]
    if _is_torn(elements, first, last):
        return None
    parts = cut(pieces, found[0].start, found[-1].end)
    if not any(element.is_strong for element in found) and not _is_connected(elements, first, last, parts):
        return None
    latex = latex_of_line(parts)
    return FormulaSpan(found[0].start, found[-1].end, latex, found[0].after_space) if latex else None


def _is_torn(elements: Sequence[Element], first: int, last: int) -> bool:
    """Return whether a letter is right before or after the elements, without a space."""
    after = elements[last + 1] if last + 1 < len(elements) else None
    before = elements[first - 1] if first else None
    is_before = before is not None and not elements[first].after_space and before.text[-1].isalnum()
    return is_before or (after is not None and not after.after_space and after.text[0].isalnum())


def _is_connected(elements: Sequence[Element], first: int, last: int, parts: Sequence[TextPiece]) -> bool:
    """Return whether letters with scripts are connected by signs, and are neither chemistry nor units."""
    found = elements[first : last + 1]
    if not any(one.kind in {"sign", "relation"} and one.text not in "/|" for one in found):
        return False
    for place in range(first, last + 1):
        before = elements[place - 1] if place else None
        is_unit = before is not None and before.kind == "operand" and before.text[0].isdigit()
        if elements[place].is_candidate and is_unit and elements[place].after_space:
            return False
    return not _is_chemical(parts)


def _is_chemical(parts: Sequence[TextPiece]) -> bool:
    scripts = "".join(part.text for part in parts if part.script)
    letters = "|".join(_CHEMICAL_SIGNS.sub("|", part.text) for part in parts if not part.script)
    return bool(_CHARGES.fullmatch(scripts)) and all(
        map(_CHEMICAL.fullmatch, filter(None, letters.split("|")))
    )


def latex_of_line(pieces: Sequence[TextPiece], nesting: int = 0) -> str | None:
    """Return the LaTeX of pieces on one line, whose scripts are marked; None if it is not certain."""
    atoms: list[Atom] = []
    place = 0
    while place < len(pieces):
        if latex := pieces[place].latex:
            atoms.append(Atom(latex))
            place += 1
            continue
        if not pieces[place].script:
            found = atoms_of(pieces[place].text, pieces[place].style.font)
            if found is None:
                return None
            atoms += found
            place += 1
            continue
        end = place
        while end < len(pieces) and pieces[end].script:
            end += 1
        if not atoms or nesting > MAX_SCRIPT_NESTING or not _add_scripts(atoms, pieces[place:end], nesting):
            return None
        place = end
    return joined(atoms)


def _add_scripts(atoms: list[Atom], scripts: Sequence[TextPiece], nesting: int) -> bool:
    latex: dict[str, str | None] = {}
    for script in ("sub", "super"):
        if group := [piece for piece in scripts if piece.script == script]:
            latex[script] = latex_of_line(_nested(group), nesting + 1)
            if latex[script] is None:
                return False
    if atoms[-1].kind == "word" and len(atoms[-1].latex) <= MAX_ITALIC_VARIABLE:
        atoms[-1:] = [Atom(letter) for letter in atoms[-1].latex]  # a product, such as mc²
    atoms[-1] = with_scripts(atoms[-1], latex.get("sub"), latex.get("super"))
    return True


def _nested(group: Sequence[TextPiece]) -> list[TextPiece]:
    """Return the pieces of a script as a line of its own, with its own scripts marked."""
    base = max(group, key=lambda piece: piece.style.size)
    pieces = []
    for piece in group:
        is_script = piece.style.size < NESTED_SCRIPT_SIZE * base.style.size and piece is not group[0]
        side: Script = "super" if piece.baseline < base.baseline else "sub"
        pieces.append(replace(piece, script=side if is_script else ""))
    return pieces
