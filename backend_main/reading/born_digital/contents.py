"""Tables of contents: lines that end with a page number, behind leader dots or a wide gap."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..documents.styled_text import TextPiece
from .lines import Line
from .numbering import section_depth

MIN_LINES = 3
MAX_OTHER_LINES = 2
"""Lines between two entries that have no page number: titles of parts, and first lines of long entries."""
_LEADER = r"(?<![.\u2026\u00b7_])(?<![.\u2026\u00b7_]\s)(?:[.\u2026\u00b7_]\s?){4,}"
"""It begins at its first dot: a search from each of thousands takes the square of the time."""
_LEADER_ENTRY = re.compile(rf"{_LEADER}\s*(?:\d{{1,4}}|[ivxlc]{{1,7}})$", re.IGNORECASE)
_LEADER_PIECE = re.compile(r"^[.\u2026\u00b7_]{2,}$")
_LEADER_END = re.compile(r"(?:(?<![.\u00b7_])[.\u00b7_]{4,}|(?<!\u2026)\u2026{2,})$")
_LEADER_START = re.compile(r"^(?:[.\u00b7_]{4,}|\u2026{2,})(?=.)")


def contents_lines(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return the ranges of lines that are tables of contents, each as first line and end."""
    entries = [number for number, line in enumerate(lines) if is_entry(line)]
    ranges: list[tuple[int, int]] = []
    counts: list[int] = []
    for number in entries:
        if ranges and number - ranges[-1][1] <= MAX_OTHER_LINES:
            ranges[-1] = (ranges[-1][0], number + 1)
            counts[-1] += 1
        else:
            ranges.append((number, number + 1))
            counts.append(1)
    return [found for found, count in zip(ranges, counts, strict=True) if count >= MIN_LINES]


def is_entry(line: Line) -> bool:
    return bool(_LEADER_ENTRY.search(line.text)) or _ends_with_distant_number(line)


def _ends_with_distant_number(line: Line) -> bool:
    """Return whether a line is a text and, far to its right, a page number."""
    if len(line.boxes) < 2 or line.is_from_right:
        return False
    last, others = line.boxes[-1], line.boxes[:-1]
    number = [piece.text for piece in line.pieces if piece.left >= last.left - 1]
    if len(number) != 1 or not number[0].isdigit() or len(number[0]) > 4:
        return False
    is_alone = all(right.left - left.right < 4 * line.size for left, right in pairwise(others))
    has_words = any(letter.isalpha() for piece in line.pieces for letter in piece.text)
    return is_alone and has_words and last.left - others[-1].right > 2 * line.size


def is_rest_of_entry(above: Line, line: Line) -> bool:
    """Return whether a line is the second line of the entry above it, which has no page number."""
    if is_entry(above) or not is_entry(line):
        return False
    return line.starts_lower or (bool(section_depth(above.text)) and not section_depth(line.text))


def without_leader(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return the pieces of an entry without its leader dots."""
    dots = [number for number, piece in enumerate(pieces) if piece.text in (".", "·")]
    is_spaced = len(dots) >= MIN_LINES
    kept: list[TextPiece] = []
    has_gap = False
    for number, piece in enumerate(pieces):
        if _LEADER_PIECE.match(piece.text) or (is_spaced and number in dots):
            has_gap = True
            continue
        text = _LEADER_START.sub("", _LEADER_END.sub("", piece.text))
        kept.append(replace(piece, text=text, starts_word=piece.starts_word or has_gap or text != piece.text))
        has_gap = text != piece.text
    return [piece for piece in kept if piece.text]
