"""Inline Markdown of pieces of words: bold, italic, struck, code, links, formulas, raised and lowered text.

Emphasis stands only where CommonMark reads it: its marks are outside of a word, or punctuation is outside of
the marks (CommonMark 0.31, "left-flanking delimiter run").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ..documents.styled_text import TextPiece
from ..output.escaping import escape, escape_dollars
from ..output.latex import FORMULA
from .formula_elements import cut
from .formula_spans import find_formulas_in_line
from .joined_rows import join_rows as join_rows

_STOPS = ".,;"
_SCRIPT_TAGS = {"super": "sup", "sub": "sub"}
_URL_ESCAPES = str.maketrans(
    {letter: f"%{ord(letter):02X}" for letter in " ()<>\"'\\`|{}[]^*_"[:-1]} | {"\n": "", "\r": "", "\t": ""}
)
MAX_CODE_WORDS = 8
"""A block of more words in a monospaced font alone is typed text."""


@dataclass(frozen=True)
class InlineOptions:
    """Styles that the block shows by itself: a heading is bold anyway."""

    ignores_bold: bool = False
    ignores_italic: bool = False
    ignores_monospaced: bool = False


PLAIN_BLOCK = InlineOptions()


@dataclass(frozen=True, slots=True)
class _Part:
    """Inline Markdown; `marks` are those of emphasis that stand around it."""

    text: str
    after_space: bool
    marks: str = ""
    is_formula: bool = False


def inline_markdown(
    pieces: Sequence[TextPiece], options: InlineOptions = PLAIN_BLOCK, *, at_line_start: bool = True
) -> str:
    """Return pieces as inline Markdown, with every mark of their text escaped."""
    is_typed = len(pieces) > MAX_CODE_WORDS and all(piece.style.font.is_monospaced for piece in pieces)
    has_code = not (is_typed or options.ignores_monospaced)
    parts: list[_Part] = []
    for link, group in groupby(pieces, key=lambda piece: piece.link):
        run = list(group)
        is_start = at_line_start and not parts
        if link and (target := _target(run, link)):
            inner = _joined(_parts(run, options, has_code=has_code, at_line_start=False))
            text = inner if _is_address(run, link) else f"[{_link_text(inner)}]({target})"
            parts.append(_Part(text, run[0].starts_word))
        else:
            parts += _parts(run, options, has_code=has_code, at_line_start=is_start)
    return _with_escaped_dollars(_joined(parts), [part.text for part in parts if part.is_formula])


def _parts(
    pieces: Sequence[TextPiece], options: InlineOptions, *, has_code: bool, at_line_start: bool
) -> list[_Part]:
    """Return the formulas of a line, and the styled runs between them."""
    parts: list[_Part] = []
    start = (0, 0)
    for span in find_formulas_in_line(pieces):
        before = cut(pieces, start, span.start)
        parts += _styled(before, options, has_code=has_code, at_line_start=at_line_start and not parts)
        latex = span.latex.rstrip(_STOPS)
        parts.append(_Part(f"${latex}$", span.after_space, is_formula=True))
        if stop := span.latex[len(latex) :]:
            parts.append(_Part(stop, after_space=False))
        start = span.end
    rest = cut(pieces, start, (len(pieces), 0))
    return parts + _styled(rest, options, has_code=has_code, at_line_start=at_line_start and not parts)


def _styled(
    pieces: Sequence[TextPiece], options: InlineOptions, *, has_code: bool, at_line_start: bool
) -> list[_Part]:
    def look(piece: TextPiece) -> tuple[bool, bool, bool, bool]:
        font = piece.style.font
        return (
            piece.is_struck,
            font.is_bold and not options.ignores_bold,
            font.is_italic and not font.is_math and not options.ignores_italic,
            font.is_monospaced and has_code and not piece.script,
        )

    parts: list[_Part] = []
    for (is_struck, is_bold, is_italic, is_code), group in groupby(pieces, key=look):
        run = list(group)
        if is_code:
            parts.append(_Part(_code(run), run[0].starts_word))
            continue
        text = _text(run, at_line_start=at_line_start and not parts)
        has_letters = any(letter.isalnum() for piece in run for letter in piece.text)
        marks = ("~~" * is_struck + "**" * is_bold + "*" * is_italic) if has_letters else ""
        parts.append(_Part(text, run[0].starts_word, marks))
    return parts


def _joined(parts: Sequence[_Part]) -> str:
    """Return the parts with the spaces between them, and with their emphasis where it can be read."""
    text = ""
    for number, part in enumerate(parts):
        gap = " " if text and part.after_space else ""
        before = "" if gap else text[-1:]
        following = parts[number + 1] if number + 1 < len(parts) else None
        after = following.text[:1] if following is not None and not following.after_space else ""
        if following is not None and after and following.marks:
            after = "*"
        shown = _emphasized(part, before, after)
        if before == "!" and shown.startswith("["):
            text = text[:-1] + "\\!"  # not an image
        text += gap + shown
    return text


def _emphasized(part: _Part, before: str, after: str) -> str:
    """Return a part with its marks.

    Args:
        part: text with the marks that shall stand around it.
        before: the character right before it, "" if there is a space or nothing.
        after: the character right after it.
    """
    marks, text = part.marks, part.text
    if not marks or before == "*" or after == "*":
        return text
    first, last = 0, len(text)
    if before.isalnum() or after.isalnum():
        first = next((place for place, letter in enumerate(text) if letter.isalnum()), last)
        last = next((place for place in range(last, 0, -1) if text[place - 1].isalnum()), 0)
    inner = text[first:last]
    if not inner or "<" in text[:first] + text[last:]:
        return text
    return f"{text[:first]}{marks}{inner}{marks[::-1]}{text[last:]}"


def _text(pieces: Sequence[TextPiece], *, at_line_start: bool) -> str:
    parts: list[str] = []
    for script, group in groupby(pieces, key=lambda piece: piece.script):
        run = list(group)
        text = escape(_plain(run), at_line_start=at_line_start and not parts)
        if script:
            tag = _SCRIPT_TAGS[script]
            text = f"<{tag}>{text}</{tag}>"
        parts.append((" " if parts and run[0].starts_word else "") + text)
    return "".join(parts)


def _code(pieces: Sequence[TextPiece]) -> str:
    text = _plain(pieces)
    longest = max((len(list(run)) for mark, run in groupby(text) if mark == "`"), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _plain(pieces: Sequence[TextPiece]) -> str:
    parts: list[str] = []
    for piece in pieces:
        parts += [" "] if parts and piece.starts_word else []
        parts.append(piece.text)
    return "".join(parts)


def _target(pieces: Sequence[TextPiece], link: str) -> str:
    """Return the address of a link as Markdown has it; "" for a link without words."""
    has_letters = any(letter.isalnum() for piece in pieces for letter in piece.text)
    return link.translate(_URL_ESCAPES) if has_letters else ""


def _is_address(pieces: Sequence[TextPiece], link: str) -> bool:
    """Return whether the text of a link is its address, perhaps without the scheme."""
    text = "".join(piece.text for piece in pieces).rstrip("/.,").lower()
    address = link.rstrip("/").lower()
    bare = address.split("://")[-1].removeprefix("mailto:").removeprefix("tel:")
    return text in {address, bare, bare.removeprefix("www.")}


def _link_text(markdown: str) -> str:
    """Return inline Markdown with its closing brackets escaped; the opening ones are."""
    return markdown.replace("]", "\\]")


def _with_escaped_dollars(markdown: str, formulas: Sequence[str]) -> str:
    """Return Markdown with a backslash before the dollar signs that could open a formula, if one would."""
    if markdown.count("$") <= 2 * len(formulas):
        return markdown
    if [found[0] for found in FORMULA.finditer(markdown)] == list(formulas):
        return markdown
    text, place = "", 0
    for formula in formulas:
        start = markdown.index(formula, place)
        text += escape_dollars(markdown[place:start]) + formula
        place = start + len(formula)
    return text + escape_dollars(markdown[place:])
