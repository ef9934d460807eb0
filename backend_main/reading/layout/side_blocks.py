"""Blocks of short lines side by side: the addresses, dates and slips of letters, invoices and forms.

Neither prose nor figures show that such blocks are not the cells of a table. The kinds of their lines do.
Cells of a column are alike: names, or amounts, or dates. An address has a name, a street with a number, and a
town behind a number; the facts of an invoice are a number, a date and a code.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from .blocks import FontMetrics, relative_size
from .column_sides import gutter_width, level_share, sides_of, vertical_overlap, width
from .columns import bands, candidate_gutters, crosses_gutter, prose_boxes
from .geometry import LayoutBox
from .headings import FINAL_HEADING_THRESHOLDS
from .rows import Row, gap, group_rows
from .text_joining import CJK, is_figure

Side = list[LayoutBox]

# In text heights.
MIN_EMPTY_STRIP, MIN_GUTTER = 1.0, 2.0
"""Between blocks above each other, and between blocks side by side."""
MIN_WIDTH = 5.0
"""Narrower text is a column of figures or marks."""
MAX_ROW_GAP = 1.6
"""Between the lines of a block that only their heights show, and not their kinds."""
MIN_ROWS, MAX_ROWS, MIN_ROWS_BESIDE_TITLE = 3, 12, 2
MAX_SAME_KIND, MAX_LEVEL_SHARE = 0.75, 0.5
"""Mean share of lines of one kind, without the first line, which may be the head of a column. One side alone
shows it if no more lines than this share are level with lines of the other."""
MIN_WORDED, MAX_AMOUNTS = 0.6, 0.6
"""Shares of lines with words, and of lines that end with an amount, as the positions of an invoice do."""
MAX_CELLS_SHARE = 0.34
"""Share of lines with more than two boxes."""
MIN_OVERLAP = 0.5
"""Share of the height of the lower side."""
MIN_TITLE_SIZE, MAX_TITLE_ROWS, MIN_TITLE_LETTERS = FINAL_HEADING_THRESHOLDS[-1][0], 2, 4
MIN_PROSE_WIDTH, MIN_PROSE_SHARE = 15.0, 0.4
"""Width in body heights, and share of boxes that are lines of paragraphs: `columns` orders such sides."""

MIN_LETTERS, MIN_CJK_LETTERS = 3, 2
"""Shorter words are initials, marks and the letters of formulas."""

WORDED = frozenset({"words", "web", "mail"})

_AMOUNT = re.compile(r"[-+(]?\d[\d.,' ]{0,30}[.,]\d\d[-)]?")
_WEB_ADDRESS = re.compile(r"\S*(?:@|www\.|://)\S*")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{2,4}")
_MARKS = ".,:;()[]€$£¥#*'\"|_-–"


def blocks_side_by_side(
    boxes: Sequence[LayoutBox], texts: Sequence[str], body: FontMetrics
) -> Iterator[list[Side]]:
    """Yield the sides of each group of blocks side by side, from left to right.

    Args:
        texts: by the index of the box.
    """
    for strip in bands(boxes, None, body.height, MIN_EMPTY_STRIP):
        yield from _groups(strip, texts, body)


def _groups(strip: Sequence[LayoutBox], texts: Sequence[str], body: FontMetrics) -> Iterator[list[Side]]:
    best: tuple[float, list[LayoutBox], float] | None = None
    for x in candidate_gutters(strip, body.height):
        for band in bands(strip, x, body.height, MIN_EMPTY_STRIP):
            if any(crosses_gutter(box, x) for box in band):
                continue
            left, right = sides_of(band, x)
            if _are_blocks(left, right, texts, body):
                gutter = gutter_width(left, right)
                if best is None or (len(band), gutter) > (len(best[1]), best[0]):
                    best = gutter, band, x
    if best is not None:
        _, band, x = best
        yield [part for side in sides_of(band, x) for part in _parts(side, texts, body)]


def _parts(side: Side, texts: Sequence[str], body: FontMetrics) -> list[Side]:
    """Divide a side that is blocks side by side itself."""
    for group in _groups(side, texts, body):
        if sum(map(len, group)) == len(side):
            return group
    return [side]


def _are_blocks(left: Side, right: Side, texts: Sequence[str], body: FontMetrics) -> bool:
    """Return whether two sides are blocks of their own, and not the cells of rows."""
    if not left or not right or not _are_apart(left, right, body.height):
        return False
    rows = group_rows(left), group_rows(right)
    titles = [_is_title(side, texts, body) for side in rows]
    if any(titles):
        return not all(titles) and _is_beside_title(rows[titles.index(False)], texts, body)
    if _is_prose(left, body.height) or _is_prose(right, body.height):
        return False
    if not all(MIN_ROWS <= len(side) <= MAX_ROWS and _has_own_words(side, texts) for side in rows):
        return False
    shares = [_share_of_one_kind(side, texts) for side in rows]
    if max(shares) < 1 and sum(shares) <= 2 * MAX_SAME_KIND:
        return True
    are_dense = all(gap(*pair) <= MAX_ROW_GAP * body.height for side in rows for pair in pairwise(side))
    return are_dense and min(shares) <= MAX_SAME_KIND and level_share(left, right) <= MAX_LEVEL_SHARE


def _are_apart(left: Side, right: Side, body_height: float) -> bool:
    """Return whether two sides are wide, have a wide gutter, and are beside each other."""
    text_height = min(body_height, median(box.text_height for box in (*left, *right)))
    return (
        gutter_width(left, right) >= MIN_GUTTER * text_height
        and min(width(left), width(right)) >= MIN_WIDTH * text_height
        and vertical_overlap(left, right) >= MIN_OVERLAP
    )


def _is_prose(side: Side, body_height: float) -> bool:
    is_wide = width(side) >= MIN_PROSE_WIDTH * body_height
    return is_wide and len(prose_boxes(side)) >= MIN_PROSE_SHARE * len(side)


def _is_title(rows: Sequence[Row], texts: Sequence[str], body: FontMetrics) -> bool:
    """Return whether a side is a title in large print."""
    boxes = [box for row in rows for box in row]
    return (
        len(boxes) <= MAX_TITLE_ROWS
        and all(relative_size([box], texts, body) > MIN_TITLE_SIZE for box in boxes)
        and sum(letter.isalpha() for box in boxes for letter in texts[box.index]) >= MIN_TITLE_LETTERS
    )


def _is_beside_title(rows: Sequence[Row], texts: Sequence[str], body: FontMetrics) -> bool:
    is_small = all(relative_size(row, texts, body) <= MIN_TITLE_SIZE for row in rows)
    return is_small and len(rows) >= MIN_ROWS_BESIDE_TITLE and _has_own_words(rows, texts)


def _share_of_one_kind(rows: Sequence[Row], texts: Sequence[str]) -> float:
    """Return the share of lines of the most common kind, without the first line."""
    kinds = Counter(_kinds(row, texts) for row in rows[1:])
    return max(kinds.values()) / kinds.total()


def _has_own_words(rows: Sequence[Row], texts: Sequence[str]) -> bool:
    """Return whether lines have words of their own, and are not the figures of a row of cells."""
    kinds = [_kinds(row, texts) for row in rows]
    return (
        sum(not WORDED.isdisjoint(kind) for kind in kinds) >= MIN_WORDED * len(rows)
        and sum(kind[-1:] == ("amount",) for kind in kinds) <= MAX_AMOUNTS * len(rows)
        and sum(len(row) > 2 for row in rows) <= MAX_CELLS_SHARE * len(rows)
    )


def _kinds(row: Row, texts: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of the words of a row, without repetition: (words, number) for “Mill Lane 24”."""
    kinds = (kind for box in row for kind in _box_kinds(texts[box.index]) if kind)
    return tuple(kind for kind, _ in groupby(kinds))


def _box_kinds(text: str) -> list[str]:
    if is_figure(text):  # with its currency, which is not a word
        return ["amount" if _AMOUNT.search(text) else "number"]
    return [_kind(word) for word in text.split()]


def _kind(word: str) -> str:
    bare = word.strip(_MARKS)
    if _WEB_ADDRESS.fullmatch(word):
        return "mail" if "@" in word else "web"
    if _DATE.fullmatch(bare):
        return "date"
    if _AMOUNT.fullmatch(bare):
        return "amount"
    letters = sum(map(str.isalpha, bare))
    if any(map(str.isdigit, bare)):
        return "code" if letters else "number"
    return "words" if letters >= (MIN_CJK_LETTERS if CJK.search(bare) else MIN_LETTERS) else ""
