"""Pieces of text as a text layer has them, written as short texts."""

import re
from collections.abc import Sequence

from backend_main.reading.documents.styled_text import FontStyle, Script, TextPiece, TextStyle

ROMAN = FontStyle("Times")
ITALIC = FontStyle("Times-Italic", is_italic=True)
BOLD = FontStyle("Times-Bold", is_bold=True)
CODE = FontStyle("Courier", is_monospaced=True)
MATH_ITALIC = FontStyle("CMMI10", is_italic=True, is_math=True)
MATH_SYMBOLS = FontStyle("CMSY10", is_math=True)
SIZE = 30.0
_MARKED = re.compile(r"(\^|_)\{([^}]*)\}")


def piece(
    text: str,
    font: FontStyle = ROMAN,
    *,
    script: Script = "",
    starts_word: bool = True,
    link: str | None = None,
    left: float = 0.0,
    baseline: float = 100.0,
    size: float = SIZE,
) -> TextPiece:
    right = left + 0.5 * size * len(text)
    return TextPiece(text, left, right, baseline, TextStyle(font, size), script, starts_word, link)


def marked(text: str, font: FontStyle = ROMAN) -> list[TextPiece]:
    """Return the pieces of a line in which `^{2}` is raised and `_{2}` lowered."""
    pieces: list[TextPiece] = []
    for word in text.split():
        starts_word = True
        for part in re.split(r"((?:\^|_)\{[^}]*\})", word):
            if not part:
                continue
            found = _MARKED.fullmatch(part)
            script: Script = "" if found is None else "super" if found[1] == "^" else "sub"
            pieces.append(piece(found[2] if found else part, font, script=script, starts_word=starts_word))
            starts_word = False
    return pieces


def joined(*lines: Sequence[TextPiece]) -> list[TextPiece]:
    return [one for line in lines for one in line]
