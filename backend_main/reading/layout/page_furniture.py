"""Step 10 - what stands at a page's edges and is not read: running heads and feet, page numbers."""

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

# Where heads and feet are looked for, in shares of the page's height, and how many rows of them there may be.
MARGIN_SHARE = 0.12
MAX_ROWS = 3
# In heights of running text: what is nearer to the body belongs to it.
MIN_GAP = 0.5
MIN_SCORE = 0.4
# The least share of prose that makes a page one of running text; only such a page has a running head.
MIN_PROSE = 0.25

_NUMBER = re.compile(
    r"(?:[-–—|·]\s*)?(?:(?:page|seite|p\.|s\.|第)\s*)?(?:\d{1,4}|[ivxlc]{1,7})"
    r"(?:\s*(?:/|of|von|de|sur|共)\s*\d{1,4})?\s*页?(?:\s*[-–—|·])?",
    re.IGNORECASE,
)
_BARRED_NUMBER = re.compile(r"\d{1,4}\s*\|.+|.+\|\s*\d{1,4}")


def find_page_furniture(
    items: Sequence[LayoutBox],
    texts: Sequence[str],
    regions: Sequence[Region],
    edges: tuple[float, float],
    usual: float,
    prose_share: float,
) -> frozenset[int]:
    """Indices of the boxes in heads and feet. `edges` are the page's top and bottom in the frame."""
    top, bottom = edges
    reach = MARGIN_SHARE * (bottom - top)
    rows = group_rows(items)
    is_text_page = prose_share >= MIN_PROSE
    hinted = [
        region for region in regions if region.kind in ("header", "footer") and region.score >= MIN_SCORE
    ]
    found: set[int] = set()
    for ordered, at_top in ((rows, True), (rows[::-1], False)):
        for row, inner in list(pairwise(ordered))[:MAX_ROWS]:
            if not (row[0].center_y < top + reach if at_top else row[0].center_y > bottom - reach):
                break
            apart = max(gap(row, inner), gap(inner, row)) > MIN_GAP * usual
            said = is_text_page and (_is_hinted(row, hinted) or (apart and _has_number(row, texts)))
            if said or (apart and is_page_number(_text(row, texts))):
                found |= {item.index for item in row}
    return frozenset(found)


def is_page_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip()))


def _has_number(row: Row, texts: Sequence[str]) -> bool:
    """A row at whose end a page number stands apart."""
    ends = (texts[row[0].index], texts[row[-1].index])
    stands_apart = has_wide_gap(row) and any(map(is_page_number, ends))
    return stands_apart or bool(_BARRED_NUMBER.fullmatch(_text(row, texts)))


def _is_hinted(row: Row, regions: Sequence[Region]) -> bool:
    return all(any(region.contains(item) for region in regions) for item in row)


def _text(row: Row, texts: Sequence[str]) -> str:
    return " ".join(texts[item.index] for item in row)
