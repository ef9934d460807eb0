"""Notes of a page as quotes: text that readers of a file attached to a place, and that is not printed."""

from collections.abc import Sequence

from ..documents.pdf_text_layer import PageNote
from ..documents.styled_text import TextPiece, TextStyle
from ..layout.geometry import Rect
from ..output.escaping import escape
from ..output.formatted_page import FormattedPage, join_blocks, join_formatted
from ..output.plain_text import to_plain_text
from ..types import Line
from .blocks import DigitalBlock
from .markdown import blocks_markdown


def note_text(note: PageNote) -> str:
    """Return a note on one line, with its author."""
    return f"{_title(note)} {' '.join(note.text.split())}"


def note_lines(notes: Sequence[PageNote], number: int, *, is_first: bool) -> list[Line]:
    """Return notes as lines after the others of page `number`; `is_first`: there are no others."""
    lines = []
    for index, note in enumerate(notes):
        separator = "" if is_first and not index else "\n\n"
        lines.append(Line(number, note_text(note), f"{separator}> {escape(note_text(note))}", note.box))
    return lines


def append_notes(formatted: FormattedPage, notes: Sequence[PageNote]) -> FormattedPage:
    """Return a page with its notes at the end."""
    if not notes:
        return formatted
    markdown, placed = join_blocks(blocks_markdown(with_notes([], notes)))
    return join_formatted([formatted, FormattedPage(markdown, to_plain_text(markdown), {}, placed)])


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
