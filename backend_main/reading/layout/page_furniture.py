"""Detection of page furniture: headers, footers and page numbers, which are not part of the text."""

import re
from collections.abc import Sequence
from itertools import pairwise

from .geometry import LayoutBox
from .layout_model import Region
from .rows import (
    Row,
    gap,
    group_rows,
    has_wide_gap,
)

MARGIN_SHARE = 0.12
"""Share of the page's height, at its top and bottom, in which furniture is looked for."""
MAX_ROWS = 3
"""Rows of furniture at each edge."""
MIN_GAP = 0.5
"""In body heights: a row nearer to the next one belongs to the text."""
MIN_SCORE = 0.4
MIN_PROSE_SHARE = 0.25
"""Share of the boxes that are lines of paragraphs: only pages with more have headers beside page numbers."""

_PAGE_NUMBER = re.compile(
    r"(?:[-–—|·]\s*)?(?:(?:page|seite|p\.|s\.|第)\s*)?(?:\d{1,4}|[ivxlc]{1,7})"
    r"(?:\s*(?:/|of|von|de|sur|共)\s*\d{1,4})?\s*页?(?:\s*[-–—|·])?",
    re.IGNORECASE,
)
_BARRED_PAGE_NUMBER = re.compile(r"\d{1,4}\s*\|.+|.+\|\s*\d{1,4}")


def find_page_furniture(
    boxes: Sequence[LayoutBox],
    texts: Sequence[str],
    regions: Sequence[Region],
    page_edges: tuple[float, float],
    body_height: float,
    prose_share: float,
) -> frozenset[int]:
    """Return the indices of the boxes in headers and footers.

    Args:
        texts: by the index of the box.
        page_edges: top and bottom of the page in the frame.
        body_height: height of running text.
        prose_share: share of the boxes that are lines of paragraphs.
    """
    top, bottom = page_edges
    margin = MARGIN_SHARE * (bottom - top)
    rows = group_rows(boxes)
    is_text_page = prose_share >= MIN_PROSE_SHARE
    hints = [
        region for region in regions if region.kind in ("header", "footer") and region.score >= MIN_SCORE
    ]
    found: set[int] = set()
    for from_edge, is_top in ((rows, True), (rows[::-1], False)):
        for row, inner in list(pairwise(from_edge))[:MAX_ROWS]:
            center_y = row[0].center_y
            if not (center_y < top + margin if is_top else center_y > bottom - margin):
                break
            is_apart = max(gap(row, inner), gap(inner, row)) > MIN_GAP * body_height
            is_hinted = all(any(region.contains(box) for region in hints) for box in row)
            is_furniture = is_text_page and (is_hinted or (is_apart and _has_number(row, texts)))
            if is_furniture or (is_apart and is_page_number(_text(row, texts))):
                found |= {box.index for box in row}
    return frozenset(found)


def is_page_number(text: str) -> bool:
    """Return whether the whole text is a page number, such as “17”, “- 3 -” or “Page 3 of 9”."""
    return bool(_PAGE_NUMBER.fullmatch(text.strip()))


def _has_number(row: Row, texts: Sequence[str]) -> bool:
    """Return whether a page number stands at an end of the row, separated by a wide gap or a bar."""
    ends = (texts[row[0].index], texts[row[-1].index])
    is_separated = has_wide_gap(row) and any(map(is_page_number, ends))
    return is_separated or bool(_BARRED_PAGE_NUMBER.fullmatch(_text(row, texts)))


def _text(row: Row, texts: Sequence[str]) -> str:
    return " ".join(texts[box.index] for box in row)
