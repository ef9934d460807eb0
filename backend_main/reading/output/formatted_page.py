"""Final text of a page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..types import BlockType, Box, LineRole

PARAGRAPH_GAP = "\n\n"
CellLines = Mapping[tuple[int, int], tuple[int, ...]]
"""Lines of the cells of a table, by row and column."""


@dataclass(frozen=True)
class FormattedBlock:
    """A block of a page: its Markdown from `start` to `end`, and the places of its lines in their order.

    `lines` are places in the page's lines, or those of runs in its text layer. `box` is that of a picture.
    `cells` are the lines of cells by row and column, where an assembly knows them.
    """

    type: BlockType
    start: int
    end: int
    lines: tuple[int, ...] = ()
    box: Box | None = None
    cells: CellLines = field(default_factory=dict)

    def moved(self, distance: int) -> "FormattedBlock":
        """Return the block at another place of the Markdown."""
        return replace(self, start=self.start + distance, end=self.end + distance)


@dataclass(frozen=True)
class FormattedPage:
    """A finished page: its Markdown, its plain text, and the roles of the lines that are page furniture.

    `roles` are by the place of a line in the page's lines, or of a run in its text layer. `blocks` are None
    if the Markdown alone is known.
    """

    markdown: str
    text: str
    roles: Mapping[int, LineRole] = field(default_factory=dict)
    blocks: Sequence[FormattedBlock] | None = None

    def with_places(self, place: Callable[[int], int]) -> "FormattedPage":
        """Return the page with other places of its lines."""
        blocks = self.blocks
        if blocks is not None:
            blocks = [
                replace(
                    block,
                    lines=tuple(map(place, block.lines)),
                    cells={cell: tuple(map(place, lines)) for cell, lines in block.cells.items()},
                )
                for block in blocks
            ]
        roles = {place(index): role for index, role in self.roles.items()}
        return replace(self, roles=roles, blocks=blocks)

    def with_boxes(self, place: Callable[[Box], Box]) -> "FormattedPage":
        """Return the page with the boxes of its pictures in another frame."""
        if self.blocks is None:
            return self
        blocks = [replace(block, box=block.box and place(block.box)) for block in self.blocks]
        return replace(self, blocks=blocks)


def join_formatted(pages: Iterable[FormattedPage]) -> FormattedPage:
    """Join parts of a page, which have blank lines between them."""
    markdown, texts, roles = "", list[str](), dict[int, LineRole]()
    blocks: list[FormattedBlock] = []
    is_known = True
    for page in pages:
        gap = PARAGRAPH_GAP if markdown and page.markdown else ""
        start = len(markdown) + len(gap)
        markdown += gap + page.markdown
        texts += [page.text] if page.text else []
        roles.update(page.roles)
        is_known &= page.blocks is not None
        blocks += [block.moved(start) for block in page.blocks or ()]
    return FormattedPage(markdown, PARAGRAPH_GAP.join(texts), roles, blocks if is_known else None)


@dataclass(frozen=True)
class BlockMarkdown:
    """Markdown of a block without a place in a page; `is_item`: a list item for Markdown too."""

    type: BlockType
    markdown: str
    lines: tuple[int, ...] = ()
    box: Box | None = None
    is_item: bool = False
    cells: CellLines = field(default_factory=dict)


def join_blocks(blocks: Sequence[BlockMarkdown]) -> tuple[str, list[FormattedBlock]]:
    """Return the Markdown of a page, and its blocks at their places.

    Blank lines are between blocks, single newlines between list items.
    """
    parts: list[str] = []
    placed: list[FormattedBlock] = []
    start = 0
    for number, block in enumerate(blocks):
        if number:
            parts.append("\n" if block.is_item and blocks[number - 1].is_item else PARAGRAPH_GAP)
            start += len(parts[-1])
        parts.append(block.markdown)
        end = start + len(block.markdown)
        placed.append(FormattedBlock(block.type, start, end, block.lines, block.box, block.cells))
        start = end
    return "".join(parts), placed
