"""LaTeX of the parts of a formula: characters of a piece of text, and atoms one beside the other."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..documents.styled_text import FontStyle
from ..output.latex import (
    ACCENTS,
    CLOSING,
    COMMANDS,
    FUNCTIONS,
    LARGE_OPERATORS,
    OPENING,
    OPERATORS,
    RELATIONS,
)

AtomKind = Literal[
    "operand", "operator", "relation", "open", "close", "punctuation", "function", "large", "word"
]
MAX_FACTORS = 3
"""As many letters right after a number are factors: 2xy."""
MAX_ITALIC_VARIABLE = 2
"""An italic word with more letters is one name, not a product."""

_TOKEN = re.compile(
    r".[\u0300-\u036f\u20d7]+|\d+(?:[.,]\d+)*|[A-Za-z]+(?![\u0300-\u036f\u20d7])|\s+|.", re.DOTALL
)
_STYLES = (
    (re.compile("MATHEMATICAL BOLD"), "mathbf"),
    (re.compile("DOUBLE-STRUCK"), "mathbb"),
    (re.compile("SCRIPT (?:CAPITAL|SMALL)"), "mathcal"),
    (re.compile("FRAKTUR|BLACK-LETTER"), "mathfrak"),
)
_FONTS = ((re.compile("^MSBM", re.I), "mathbb"), (re.compile("^EUF|^EUB", re.I), "mathfrak"))
_CALLIGRAPHIC = re.compile("^CMB?SY|^RSFS|^EUS|^LMMathSymbols", re.IGNORECASE)
_DOTS = re.compile(r"(\\cdot|\.)(?: ?\1){2}")
_DOTS_BESIDE = re.compile(r"(?<=dots)(?=[A-Za-z0-9])|(?<=[A-Za-z0-9}])(?=\\c?dots)")
_DOTS_COMMANDS = {"\\cdot": "\\cdots", ".": "\\dots"}
_NAMES = {name: f"\\operatorname{{{name}}}" for name in ("argmax", "argmin")}
_COMMAND_END = re.compile(r"\\[A-Za-z]+$")


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of a formula in LaTeX; a word stands for text."""

    latex: str
    kind: AtomKind = "operand"


def atoms_of(text: str, font: FontStyle) -> list[Atom] | None:
    """Return the atoms of a text in one font, None if a character has no place in LaTeX."""
    atoms: list[Atom] = []
    last = ""
    for token in _TOKEN.findall(_with_dots(text)):
        before, last = last, token
        if token.isspace():
            continue
        if token[0].isascii() and token.isalpha():
            is_product = before[-1:].isdigit() and len(token) <= MAX_FACTORS
            atoms += [Atom(letter) for letter in token] if is_product else _letters(token, font)
        elif (atom := _symbol(token, font)) is not None:
            atoms.append(atom)
        else:
            return None
    return atoms


def _with_dots(text: str) -> str:
    return text.replace("···", "⋯").replace("...", "…")


def _letters(word: str, font: FontStyle) -> list[Atom]:
    if word in FUNCTIONS and not font.is_italic:
        return [Atom(_NAMES.get(word, f"\\{word}"), "function")]
    for pattern, command in _FONTS:
        if pattern.search(font.name):
            return [Atom(f"\\{command}{{{word}}}")]
    if _CALLIGRAPHIC.search(font.name) and word.isupper():
        return [Atom(f"\\mathcal{{{word}}}")]
    if font.is_bold:
        return [Atom(f"\\mathbf{{{word}}}")]
    is_product = font.is_math or len(word) == 1 or (font.is_italic and len(word) <= MAX_ITALIC_VARIABLE)
    if is_product:
        return [Atom(letter) for letter in word]
    return [Atom(word, "word")]


def _symbol(token: str, font: FontStyle) -> Atom | None:
    """Return the atom of a number, or of a symbol with its accents."""
    if token[0].isdigit() and token.isascii():
        return Atom(token)
    letter, marks = unicodedata.normalize("NFD", token)[0], unicodedata.normalize("NFD", token)[1:]
    if token in COMMANDS or token in RELATIONS:
        letter, marks = token, ""
    if (atom := _bare_symbol(letter, font)) is None:
        return None
    for mark in marks:
        if mark == "\u0338":
            atom = Atom(f"\\not{atom.latex}", atom.kind)
        elif mark in ACCENTS:
            atom = Atom(f"\\{ACCENTS[mark]}{{{atom.latex}}}", atom.kind)
        else:
            return None
    return atom


def _bare_symbol(letter: str, font: FontStyle) -> Atom | None:
    latex = f"\\{COMMANDS[letter]}" if letter in COMMANDS else letter
    if letter in "−-":
        return Atom("-", "operator")
    if letter in RELATIONS:
        return Atom(latex, "relation")
    if letter in OPERATORS:
        return Atom(latex, "operator")
    if letter in LARGE_OPERATORS:
        return Atom(latex, "large")
    if letter in OPENING or letter in CLOSING:
        return Atom(latex, "open" if letter in OPENING else "close")
    if letter in ",;":
        return Atom(letter, "punctuation")
    if letter in COMMANDS or letter in "|/!.'?~`@\"":
        return Atom(latex) if letter in COMMANDS or letter in "|/!.'?" else None
    return _styled_letter(letter, font)


def _styled_letter(letter: str, font: FontStyle) -> Atom | None:
    """Return the atom of a letter of Unicode's mathematical alphabets, or of an ASCII letter."""
    plain = unicodedata.normalize("NFKC", letter)
    if plain in COMMANDS and plain != letter:
        return Atom(f"\\{COMMANDS[plain]}")
    if not (plain.isascii() and plain.isalnum()):
        return None
    if plain == letter:
        return _letters(letter, font)[0]
    name = unicodedata.name(letter, "")
    for pattern, command in _STYLES:
        if pattern.search(name):
            return Atom(f"\\{command}{{{plain}}}")
    return Atom(plain)


def braced(latex: str) -> str:
    """Return LaTeX as the argument of a script: one letter, digit or command needs no braces."""
    return latex if len(latex) == 1 or re.fullmatch(r"\\[A-Za-z]+", latex) else f"{{{latex}}}"


def with_scripts(atom: Atom, sub: str | None, sup: str | None) -> Atom:
    """Return an atom with its lower and upper script."""
    scripts = (f"_{braced(sub)}" if sub else "") + (f"^{braced(sup)}" if sup else "")
    base = f"\\text{{{atom.latex}}}" if atom.kind == "word" else atom.latex
    return Atom(base + scripts, "operand" if atom.kind == "word" else atom.kind)


def joined(atoms: Sequence[Atom]) -> str:
    """Return atoms as LaTeX: spaces around relations and operators with two operands, none elsewhere."""
    latex = ""
    last: AtomKind | None = None
    for atom in _with_joined_words(atoms):
        gap = _gap(last, atom.kind)
        text = f"\\text{{{atom.latex}}}" if atom.kind == "word" else atom.latex
        if not gap and _COMMAND_END.search(latex) and text[:1].isalpha():
            gap = " "
        latex += (gap if latex else "") + text
        is_sign = atom.kind == "operator" and last in {None, "open", "relation", "operator", "punctuation"}
        last = "open" if is_sign else atom.kind
    return _DOTS_BESIDE.sub(" ", _DOTS.sub(lambda found: _DOTS_COMMANDS[found[1]], latex))


def _with_joined_words(atoms: Sequence[Atom]) -> list[Atom]:
    """Return the atoms with words that follow each other as one text."""
    found: list[Atom] = []
    for atom in atoms:
        if found and atom.kind == found[-1].kind == "word" and not {"_", "^"} & set(found[-1].latex):
            found[-1] = Atom(f"{found[-1].latex} {atom.latex}", "word")
        else:
            found.append(atom)
    return found


def _gap(last: AtomKind | None, kind: AtomKind) -> str:
    """Return the space between two atoms."""
    if last is None or last == "open" or kind in {"close", "punctuation"}:
        return ""
    if kind == "relation" or last in {"relation", "operator", "punctuation"}:
        return " "
    if kind == "operator":
        return " "
    is_apart = last in {"word", "function", "large"} and kind != "open"
    return " " if is_apart or kind in {"word", "function", "large"} else ""
