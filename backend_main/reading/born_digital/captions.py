"""Captions of the figures of a born-digital page: the paragraph beside a figure that begins like one."""

from collections.abc import Iterator, Sequence

from ..documents.styled_text import text_of_pieces
from ..layout.geometry import Rect
from ..layout.text_joining import FIGURE_CAPTION
from .blocks import DigitalBlock

MAX_DISTANCE = 3.0
"""In heights of running text, from a figure to its caption."""
MAX_BLOCKS = 4
"""Blocks that are examined before and after a figure; its own words may stand between it and its caption."""


def with_captions(blocks: Sequence[DigitalBlock], body_height: float) -> list[DigitalBlock]:
    """Move the caption of each figure into its block; first the one below a figure, else the one above."""
    merged = list(blocks)
    for figure in blocks:
        if figure.kind != "figure" or figure.lines:
            continue
        number = next(index for index, block in enumerate(merged) if block is figure)
        for index in _candidates(number, len(merged)):
            block = merged[index]
            if _is_caption(block) and _is_near(figure.rect, block.rect, MAX_DISTANCE * body_height):
                figure.lines, figure.boxes = block.lines, block.boxes
                del merged[index]
                break
    return merged


def _candidates(number: int, count: int) -> Iterator[int]:
    yield from range(number + 1, min(number + 1 + MAX_BLOCKS, count))
    yield from range(number - 1, max(-1, number - 1 - MAX_BLOCKS), -1)


def _is_caption(block: DigitalBlock) -> bool:
    is_text = block.kind in ("paragraph", "caption") and bool(block.lines)
    return is_text and bool(FIGURE_CAPTION.match(text_of_pieces(block.lines[0])))


def _is_near(figure: Rect, caption: Rect, distance: float) -> bool:
    dx = max(figure[0] - caption[2], caption[0] - figure[2], 0.0)
    dy = max(figure[1] - caption[3], caption[1] - figure[3], 0.0)
    return max(dx, dy) <= distance
