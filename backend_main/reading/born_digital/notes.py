"""Notes of a page as quotes: text that readers of a file attached to a place, and that is not printed."""

from collections.abc import Sequence

from ..documents.pdf_text_layer import PageNote
from ..documents.styled_text import TextPiece, TextStyle
from ..layout.geometry import Rect
from .blocks import DigitalBlock


def note_text(note: PageNote) -> str:
    """Return a note on one line, with its author."""
    return f"{_title(note)} {' '.join(note.text.split())}"


def with_notes(blocks: Sequence[DigitalBlock], notes: Sequence[PageNote]) -> list[DigitalBlock]:
    """Return the blocks of a page, with each note after the block that is nearest to its place."""
    result = list(blocks)
    for note in notes:
        block = _block(note)
        nearest = min(blocks, key=lambda other: _distance(other.rect, block.rect), default=None)
        place = len(result) if nearest is None else result.index(nearest) + 1
        while place < len(result) and result[place].kind == "quote" and result[place] not in blocks:
            place += 1
        result.insert(place, block)
    return result


def _block(note: PageNote) -> DigitalBlock:
    (left, top), _, (right, bottom), _ = note.box
    lines = [line.split() for line in note.text.split("\n") if line.split()]
    lines[0][:0] = _title(note).split()
    pieces = [[TextPiece(word, left, right, bottom, TextStyle()) for word in line] for line in lines]
    return DigitalBlock("quote", (left, top, right, bottom), pieces)


def _title(note: PageNote) -> str:
    return f"Note by {note.author}:" if note.author else "Note:"


def _distance(first: Rect, second: Rect) -> float:
    """Return the distance of two rectangles, in both directions together."""
    across = max(0.0, first[0] - second[2], second[0] - first[2])
    down = max(0.0, first[1] - second[3], second[1] - first[3])
    return across + down
