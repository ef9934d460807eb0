"""Styled text of a born-digital page: pieces of words with their font and their place."""

from dataclasses import dataclass
from typing import Literal

Script = Literal["", "super", "sub"]
"""Whether text is raised or lowered."""
BLACK = 0x000000


@dataclass(frozen=True, slots=True)
class FontStyle:
    """A font as a PDF names it, without the prefix of a subset, and how it looks.

    Any program draws a font that is not embedded with another one.
    """

    name: str = ""
    is_bold: bool = False
    is_italic: bool = False
    is_monospaced: bool = False
    is_math: bool = False
    is_embedded: bool = True


PLAIN = FontStyle()


@dataclass(frozen=True, slots=True)
class TextStyle:
    """Style of drawn text: `size` is in pixels of the rendered page, `color` is 0xRRGGBB."""

    font: FontStyle = PLAIN
    size: float = 0.0
    color: int = BLACK


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A word, or the part of a word that has one style.

    `left`, `right` and `baseline` are pixels of the rendered page; a piece of rotated text has the bounds of
    its line in x. `starts_word`: a space separates it from the piece before. `link`: address of a link.
    `latex`: formula that the text stands for. `is_struck`: a line is drawn through the text.
    """

    text: str
    left: float
    right: float
    baseline: float
    style: TextStyle
    script: Script = ""
    starts_word: bool = True
    link: str | None = None
    latex: str | None = None
    is_struck: bool = False


def text_of_pieces(pieces: "tuple[TextPiece, ...] | list[TextPiece]") -> str:
    """Return the text of pieces in logical order, with single spaces between words."""
    parts: list[str] = []
    for piece in pieces:
        if parts and piece.starts_word:
            parts.append(" ")
        parts.append(piece.text)
    return "".join(parts)
