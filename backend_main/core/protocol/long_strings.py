"""Long strings inside JSON: their position and their value, without a JSON parser.

A parser would copy hundreds of megabytes and hold the interpreter lock meanwhile. The functions here work in
chunks, between which other threads can run. Their time and memory are linear in the length of the string.
"""

from __future__ import annotations

import re
from itertools import islice
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in typeshed
from typing import NamedTuple

from .base64_text import Base64Text

# A search or copy holds the interpreter lock for one chunk: a few milliseconds at most.
SEARCH_CHUNK_CHARACTERS = 4 * 1024 * 1024
DECODE_CHUNK_CHARACTERS = 256 * 1024
# A valid message has one field of each name. Without a limit, many would make the search quadratic.
MAX_CANDIDATES = 4
_ESCAPE_CHARACTERS = len(r"\u0416")
# A character beyond U+FFFF is written as two escapes, of which this is the first.
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB]")


class LongString(NamedTuple):
    """A field's value: a slice of the text, or a copy if the slice has escapes.

    `start` and `end` are its position in the text, without the quotes.
    """

    name: str
    start: int
    end: int
    value: str | Base64Text


def find_long_string(
    text: str, field: re.Pattern[str], *, before: int, min_characters: int, max_decoded: dict[str, int]
) -> LongString | None:
    """Return the first field whose value is a long string.

    Args:
        text: The text to search.
        field: Pattern of a field up to the opening quote; its first group is the name.
        before: Position before which the field must begin.
        min_characters: Length from which a string is long.
        max_decoded: Largest number of characters by name of the field. A longer value is cut, but still
            longer than this. The value of a field without a limit may be a slice.

    Raises:
        ValueError: The value is not valid in JSON.
    """
    for match in islice(field.finditer(text, 0, before), MAX_CANDIDATES):
        found = _read_string(text, match[1], match.end(), max_decoded.get(match[1]))
        if found.end - found.start >= min_characters:
            return found
    return None


def _read_string(text: str, name: str, start: int, max_characters: int | None) -> LongString:
    quote = _find('"', text, start, len(text))
    if quote < 0:
        raise ValueError("an unterminated string")
    if max_characters is None and not any(_find(unusual, text, start, quote) >= 0 for unusual in "\\\n\r\t"):
        return LongString(name, start, quote, Base64Text(text, start, quote))
    pieces, characters, position = [], 0, start
    while True:
        cut = _safe_cut(text, position, position + DECODE_CHUNK_CHARACTERS)
        piece, used = scanstring(text[position:cut] + '"', 0)
        if max_characters is None or characters <= max_characters:
            pieces.append(piece)
            characters += len(piece)
        if position + used <= cut:  # the string ended inside the chunk
            return LongString(name, start, position + used - 1, "".join(pieces))
        if cut == len(text):
            raise ValueError("an unterminated string")
        position = cut


def _safe_cut(text: str, start: int, cut: int) -> int:
    """Return the first position from `cut` on that is not inside an escape or a pair of escapes.

    `start` is such a position.
    """
    backslash = text.rfind("\\", max(start, cut - _ESCAPE_CHARACTERS), cut)
    run = text[start : backslash + 1]
    if backslash < 0 or (len(run) - len(run.rstrip("\\"))) % 2 == 0:  # no escape, or an escaped backslash
        return min(cut, len(text))
    escape = text[backslash : backslash + _ESCAPE_CHARACTERS]
    end = backslash + (_ESCAPE_CHARACTERS if escape[1:2] == "u" else 2)
    if end >= cut and _HIGH_SURROGATE.match(escape) and text[end : end + 2] == "\\u":
        end += _ESCAPE_CHARACTERS
    return min(max(cut, end), len(text))


def _find(character: str, text: str, start: int, end: int) -> int:
    """Do `text.find(character, start, end)` in chunks, between which other threads can run."""
    for position in range(start, end, SEARCH_CHUNK_CHARACTERS):
        found = text.find(character, position, min(position + SEARCH_CHUNK_CHARACTERS, end))
        if found >= 0:
            return found
    return -1
