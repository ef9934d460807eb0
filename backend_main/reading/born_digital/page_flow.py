"""Flow of a page: paragraphs that go on in the next column, and footnotes at the end."""

from collections.abc import Iterable, Sequence

from ..documents.pdf_bidi import direction, is_right_to_left
from ..layout.text_joining import HYPHENATED, starts_lower
from .blocks import DigitalBlock
from .document_profile import is_same_size
from .joined_rows import NO_VOCABULARY, Vocabulary, join_rows
from .lines import fits_first_word
from .page import main_style

FLOATS = frozenset({"table", "figure", "caption", "footnote"})
"""Blocks that a paragraph may go on behind."""
JOINED = frozenset({"paragraph", "list_item", "quote"})


def page_blocks(
    columns: Iterable[Sequence[DigitalBlock]], vocabulary: Vocabulary = NO_VOCABULARY
) -> list[DigitalBlock]:
    """Return the blocks of a page: paragraphs joined over columns and floats, footnotes last."""
    blocks: list[DigitalBlock] = []
    for column in columns:
        is_first = True
        for block in column:
            open_block = _open_block(blocks)
            is_near = is_first or (blocks and blocks[-1] is not open_block)
            if open_block and is_near and _goes_on(open_block, block, starts_column=is_first):
                _join(open_block, block, vocabulary)
            else:
                blocks.append(block)
            is_first = is_first and block.kind in FLOATS
    text = [block for block in blocks if block.kind != "footnote"]
    return text + _joined_notes([block for block in blocks if block.kind == "footnote"], vocabulary)


def _joined_notes(notes: Iterable[DigitalBlock], vocabulary: Vocabulary) -> list[DigitalBlock]:
    """Return footnotes, each joined with the rest of it at the foot of the next column."""
    joined: list[DigitalBlock] = []
    for note in notes:
        if joined and joined[-1].space_left is not None and starts_lower(note.lines[0][0].text):
            _join(joined[-1], note, vocabulary)
        else:
            joined.append(note)
    return joined


def _open_block(blocks: Sequence[DigitalBlock]) -> DigitalBlock | None:
    """Return the last block that is not a float, if its text is not finished."""
    last = next((block for block in reversed(blocks) if block.kind not in FLOATS), None)
    return last if last and last.space_left is not None and last.kind in JOINED else None


def _goes_on(above: DigitalBlock, block: DigitalBlock, *, starts_column: bool) -> bool:
    """Return whether a block is the rest of the open one, whose last line had no space for its first word.

    In a column, it begins with a small letter.
    """
    if block.kind != "paragraph" or not block.lines or not block.lines[0]:
        return False
    one, other = main_style(above.lines[-1]), main_style(block.lines[0])
    if above.kind == "list_item" and not starts_column and _starts_before_text(above, block, other.size):
        return False
    is_divided = HYPHENATED.search(above.lines[-1][-1].text[-2:])
    if not is_divided and fits_first_word(block.lines[0], other.size, above.space_left or 0.0):
        return False
    if not is_same_size(one.size, other.size) or one.font.is_bold != other.font.is_bold:
        return False
    return starts_column or starts_lower(block.lines[0][0].text)


def _starts_before_text(item: DigitalBlock, block: DigitalBlock, size: float) -> bool:
    """Return whether a block begins at the marker of a list item, or before it."""
    if is_right_to_left([direction(piece.text) for piece in block.lines[0]]):
        return block.rect[2] > item.rect[2] - size / 2
    return block.rect[0] < item.rect[0] + size / 2


def _join(above: DigitalBlock, block: DigitalBlock, vocabulary: Vocabulary) -> None:
    above.lines[-1] = join_rows([above.lines[-1], block.lines[0]], vocabulary)
    above.lines += block.lines[1:]
    above.boxes += block.boxes
    above.space_left = block.space_left
