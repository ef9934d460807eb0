"""Comparison of rows at the edges of two pages: whether both have a header or footer in the same place.

Numbers are masked if they count the pages. Recognized text may have errors, and a scan may be shifted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from .furniture_page import MIN_WORD_LETTERS, EdgeRow, FurniturePage, Place
from .furniture_text import is_page_number, letter_count, letters_of, numbers

MAX_DISTANCE_DIFFERENCE = 0.02
"""In heights of a page: rows of two pages in the same place. Scanners shift a page by a few millimetres."""
MAX_SHIFT = 0.05
"""In heights of a page: rows of the same text, on scans that are shifted more."""
MAX_SIDE_DIFFERENCE = 0.03
"""In widths of a page: parts of two rows that begin, end or have their center in the same place."""
MAX_HEIGHT_DIFFERENCE = 1.3
"""Ratio of the heights of print of a row on two pages; text recognition measures heights roughly."""
MIN_SIMILARITY = 0.85
"""Ratio of `difflib` above which two texts differ by errors of text recognition only."""
MIN_SIMILAR_CHARACTERS = 8
MAX_REMEMBERED_COMPARISONS = 1024
"""Each page is compared with several others, which have the same texts."""
MIN_CONSTANT_LETTERS = 10
"""Letters beside a number that changes: fewer could be “Figure 3” or “Question 4”."""
MIN_COMMON_SHARE = 0.6
"""Share of a row's letters in parts that the other page has: recognition may group rows differently."""


def has_row(other: FurniturePage, row: EdgeRow, number: int, *, is_top: bool) -> bool:
    """Return whether another page has the text of a row of page `number` in the same place."""
    pages_apart = number - other.number
    rows = [each for each in other.edge_rows(is_top=is_top) if _distance(row, each) < MAX_SHIFT]
    if any(_is_same_row(row, each, pages_apart) for each in rows):
        return True
    return _has_most_parts([each for each in rows if _is_near(row, each)], row)


@lru_cache(MAX_REMEMBERED_COMPARISONS)
def is_similar(one: str, two: str) -> bool:
    """Return whether two texts differ by errors of text recognition only."""
    shorter, longer = sorted((len(one), len(two)))
    if shorter < MIN_SIMILAR_CHARACTERS or 2 * shorter < MIN_SIMILARITY * (shorter + longer):
        return False
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    return matcher.quick_ratio() >= MIN_SIMILARITY and matcher.ratio() >= MIN_SIMILARITY


def _distance(row: EdgeRow, other: EdgeRow) -> float:
    return abs(row.distance - other.distance)


def _is_near(row: EdgeRow, other: EdgeRow) -> bool:
    return _distance(row, other) < MAX_DISTANCE_DIFFERENCE and _has_equal_print(row, other)


def _has_equal_print(row: EdgeRow, other: EdgeRow) -> bool:
    smaller, larger = sorted((row.height, other.height))
    return larger <= MAX_HEIGHT_DIFFERENCE * smaller


def _is_same_row(row: EdgeRow, other: EdgeRow, pages_apart: int) -> bool:
    is_near = _is_near(row, other)
    if row.is_page_number and other.is_page_number:
        return is_near and _is_same_count(row.text, other.text, pages_apart)
    if (row.letters or row.has_page_number) and _numbers_agree(row, other, pages_apart):
        if row.masked == other.masked:
            return _has_equal_print(row, other)
        if is_near and _is_similar_row(row, other):
            return True
    return is_near and _has_common_part(row, other, pages_apart)


def _is_similar_row(row: EdgeRow, other: EdgeRow) -> bool:
    """Return whether recognition may have changed one row into the other; or only their numbers moved."""
    if row.is_exact:
        return row.letters >= MIN_CONSTANT_LETTERS and letters_of(row.text) == letters_of(other.text)
    return is_similar(row.masked, other.masked)


def _is_same_count(text: str, other: str, pages_apart: int) -> bool:
    """Return whether two page numbers differ as their pages do. Roman numbers have no figures."""
    count, other_count = numbers(text)[:1], numbers(other)[:1]
    if not count or not other_count:
        return not count and not other_count
    return count[0] - other_count[0] == pages_apart


def _numbers_agree(row: EdgeRow, other: EdgeRow, pages_apart: int) -> bool:
    """Return whether the numbers of two rows are equal, or count pages.

    Other numbers that differ, such as that of an invoice, are what a reader looks for.
    """
    if len(row.numbers) != len(other.numbers):
        return False
    # A page number is at the left of left pages, and at the right of right pages.
    changed, other_changed = _differences(row.numbers, other.numbers)
    steps = [one - two for one, two in zip(changed, other_changed, strict=True)]
    is_long = min(row.letters, other.letters) >= MIN_CONSTANT_LETTERS
    if set(steps) <= {pages_apart}:
        return not steps or is_long or row.has_page_number
    if not (row.is_numbered and other.is_numbered):
        return False
    # The pages of an excerpt need not follow each other.
    return pages_apart in steps or (is_long and any(step * pages_apart > 0 for step in steps))


def _differences(one: Sequence[int], two: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the numbers that only one of two rows has, in their order."""
    left, right = Counter(one), Counter(two)
    return list((left - right).elements()), list((right - left).elements())


# --- parts of rows -----------------------------------------------------------------------------------------


def _has_common_part(row: EdgeRow, other: EdgeRow, pages_apart: int) -> bool:
    """Return whether a part of the row, set apart from a part that changes, is in the other row too.

    The part is a text, or a number that counts the pages, in the same place of both rows.
    """
    if not (row.is_apart and other.is_apart) or max(len(row.row), len(other.row)) < 2:
        return False
    return any(
        _is_aligned(sides, other_sides)
        and (_is_common_text(text, there, is_exact=row.is_exact) or _counts_pages(text, there, pages_apart))
        for sides, text in _parts(row)
        for other_sides, there in _parts(other)
    )


def _has_most_parts(others: Sequence[EdgeRow], row: EdgeRow) -> bool:
    """Return whether most of the row is in any of the other rows, which are in the same place."""
    common = sum(
        letter_count(text)
        for sides, text in _parts(row)
        if any(
            _is_aligned(sides, other_sides) and _is_constant_text(text, there, is_exact=row.is_exact)
            for other in others
            for other_sides, there in _parts(other)
        )
    )
    return common >= max(MIN_WORD_LETTERS, MIN_COMMON_SHARE * row.letters)


def _parts(row: EdgeRow) -> Iterator[tuple[Place, str]]:
    return zip(row.sides, row.texts, strict=True)


def _is_aligned(sides: Place, other: Place) -> bool:
    left, right = sides[0] - other[0], sides[1] - other[1]
    return min(abs(left), abs(right), abs(left + right) / 2) < MAX_SIDE_DIFFERENCE


def _is_common_text(text: str, other: str, *, is_exact: bool) -> bool:
    text, other = text.casefold(), other.casefold()
    if text == other:
        return letter_count(text) >= MIN_WORD_LETTERS
    return not is_exact and letter_count(text) >= MIN_WORD_LETTERS and is_similar(text, other)


def _is_constant_text(text: str, other: str, *, is_exact: bool) -> bool:
    """Return whether two parts are equal, but for errors of recognition."""
    return numbers(text) == numbers(other) and _is_common_text(text, other, is_exact=is_exact)


def _counts_pages(text: str, other: str, pages_apart: int) -> bool:
    if not (is_page_number(text) and is_page_number(other) and numbers(text)):
        return False
    return _is_same_count(text, other, pages_apart)
