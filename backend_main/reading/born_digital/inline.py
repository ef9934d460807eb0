"""Inline Markdown of pieces of words: bold, italic, code, links, raised and lowered text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ..documents.styled_text import TextPiece
from ..layout.text_joining import CJK, HYPHENATED, SOFT_HYPHEN
from ..output.escaping import escape

_CHECK_BOXES = str.maketrans({"\u2610": "[ ]", "\u2611": "[x]", "\u2612": "[x]"})
"""Ballot boxes: empty, checked, and crossed."""
_SCRIPT_TAGS = {"super": "sup", "sub": "sub"}


@dataclass(frozen=True)
class InlineOptions:
    """What the block shows by itself: a heading is bold anyway."""

    ignores_bold: bool = False
    ignores_italic: bool = False


PLAIN_BLOCK = InlineOptions()


def join_rows(rows: Iterable[Sequence[TextPiece]]) -> list[TextPiece]:
    """Join the rows of a paragraph: without hyphens of divided words, and CJK without spaces."""
    joined: list[TextPiece] = []
    for row in rows:
        if not row:
            continue
        first = row[0]
        if joined:
            end = joined[-1].text
            if HYPHENATED.fullmatch(end[-2:]) and first.text[0].isalnum():
                if first.text[0].islower() or end[-1] == SOFT_HYPHEN:
                    joined[-1] = replace(joined[-1], text=end[:-1])
                first = replace(first, starts_word=False)
            elif CJK.match(end[-1]) and CJK.match(first.text[0]):
                first = replace(first, starts_word=False)
            else:
                first = replace(first, starts_word=True)
        joined += [first, *row[1:]]
    return [piece for piece in joined if piece.text]


def inline_markdown(
    pieces: Sequence[TextPiece], options: InlineOptions = PLAIN_BLOCK, *, at_line_start: bool = True
) -> str:
    """Return pieces as inline Markdown, with every mark of their text escaped."""

    def look(piece: TextPiece) -> tuple[bool, bool, bool, str | None]:
        font = piece.style.font
        return (
            font.is_bold and not options.ignores_bold,
            font.is_italic and not options.ignores_italic,
            font.is_monospaced,
            piece.link,
        )

    parts: list[str] = []
    for (is_bold, is_italic, is_monospaced, link), group in groupby(pieces, key=look):
        run = list(group)
        text = _code(run) if is_monospaced else _text(run, at_line_start=at_line_start and not parts)
        if any(letter.isalnum() for piece in run for letter in piece.text):
            marks = "**" * is_bold + "*" * is_italic
            text = f"{marks}{text}{marks[::-1]}"
        if link:
            text = f"[{text}]({link})"
        parts.append((" " if parts and run[0].starts_word else "") + text)
    return "".join(parts)


def _text(pieces: Sequence[TextPiece], *, at_line_start: bool) -> str:
    parts: list[str] = []
    for script, group in groupby(pieces, key=lambda piece: piece.script):
        run = list(group)
        text = escape(_plain(run), at_line_start=at_line_start and not parts).translate(_CHECK_BOXES)
        if script:
            tag = _SCRIPT_TAGS[script]
            text = f"<{tag}>{text}</{tag}>"
        parts.append((" " if parts and run[0].starts_word else "") + text)
    return "".join(parts)


def _code(pieces: Sequence[TextPiece]) -> str:
    text = _plain(pieces)
    fence = "``" if "`" in text else "`"
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _plain(pieces: Sequence[TextPiece]) -> str:
    parts: list[str] = []
    for piece in pieces:
        parts += [" "] if parts and piece.starts_word else []
        parts.append(piece.text)
    return "".join(parts)
