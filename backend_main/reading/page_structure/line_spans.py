"""Places of lines in the Markdown of their block.

The letters and digits of a line stand in the Markdown in their order, with marks, escapes and spaces between
them. So the letters of the lines are compared with those that the Markdown shows. This takes linear time
where the lines follow each other, as they do in nearly every block.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import groupby

from .markdown_letters import ShownLetters, first_and_last_letter, letters_of

Span = tuple[int, int]
"""Start and end, in code points."""
MIN_SURE_LETTERS = 8
"""As many letters may be a part of words: the end of a line divides a word."""
MAX_PLACES = 100
"""Places of a text in a block that are compared."""
MAX_GAP = 1000
"""Letters between two lines that are compared with those of the lines between them."""
MIN_COMMON_SHARE = 0.5
"""Share of the letters of a line that stand at its place: in one piece, or in a formula."""
FORMULA_MARKS = re.compile(r"[$\\]")
LINE_NUMBER = re.compile(r"\s*(\d+)(?:\s+|$)")
ITEM_DASH = re.compile(r"\s*(-) ")
MARKS = frozenset("\\*~`${}")
"""Characters of markup that may stand beside punctuation."""


class BlockText:
    """Markdown of a block, in which its lines are searched."""

    def __init__(self, markdown: str, shown: ShownLetters, span: Span, *, is_table: bool = False) -> None:
        """Args: `shown`: letters of the Markdown. `is_table`: a short line is a whole cell."""
        self._markdown = markdown
        self._shown = shown
        self._span = span
        self._is_table = is_table
        self._taken = bytearray(len(shown.letters))
        self._cursor = 0

    def spans(self, texts: Sequence[str], *, is_sure: bool = True) -> list[Span | None]:
        """Return the place of each line, given in the order of the block; None: it is not in the block.

        Args:
            texts: of the lines.
            is_sure: the lines are in the block; else a line has a place only if all its letters are in it.
        """
        letters = list(map(letters_of, texts))
        found = [self._find(each) for each in letters]
        if is_sure:
            self._fill_gaps(letters, found)
        spans = [
            None if place is None else self._with_punctuation(text, place)
            for text, place in zip(texts, found, strict=True)
        ]
        for number, text in enumerate(texts):
            if is_sure and not letters[number]:
                spans[number] = self._sign_span(text.strip(), spans, number)
        return spans

    # --- letters -------------------------------------------------------------------------------------------

    def _find(self, letters: str) -> Span | None:
        """Return the range of letters that a line has, and take it."""
        if not letters:
            return None
        first = self._place(letters)
        return None if first is None else self._take(first, first + len(letters))

    def _place(self, letters: str) -> int | None:
        """Return where the letters of a line begin: behind the line above, or else nearest to that place."""
        is_sure = not self._is_table or len(letters) >= MIN_SURE_LETTERS
        is_next = self._is_free(self._cursor, letters)
        if is_next and (is_sure or self._is_word(self._cursor, letters)):
            return self._cursor
        places: list[int] = []
        place = self._shown.letters.find(letters)
        for _ in range(MAX_PLACES):
            if place < 0:
                break
            if self._is_free(place, letters) and (
                len(letters) >= MIN_SURE_LETTERS or self._is_word(place, letters)
            ):
                places.append(place)
            place = self._shown.letters.find(letters, place + 1)
        if places:
            return min(places, key=lambda place: abs(place - self._cursor))
        return self._cursor if is_next else None

    def _is_free(self, place: int, letters: str) -> bool:
        end = place + len(letters)
        return self._shown.letters.startswith(letters, place) and self._taken.find(1, place, end) < 0

    def _is_word(self, place: int, letters: str) -> bool:
        return self._shown.is_word(place, place + len(letters))

    def _take(self, first: int, end: int) -> Span:
        self._taken[first:end] = b"\1" * (end - first)
        self._cursor = end
        return first, end

    # --- lines that a formula changes ----------------------------------------------------------------------

    def _fill_gaps(self, letters: Sequence[str], found: list[Span | None]) -> None:
        """Place lines whose letters are not all in the Markdown between the lines around them."""
        is_missing = [place is None and bool(each) for place, each in zip(found, letters, strict=True)]
        for missing, group in groupby(range(len(found)), key=lambda number: is_missing[number]):
            if not missing:
                continue
            numbers = list(group)
            start, end = self._gap(found, numbers[0], numbers[-1])
            if 0 < end - start <= MAX_GAP and self._taken.find(1, start, end) < 0:
                self._place_in_gap([(number, letters[number]) for number in numbers], (start, end), found)

    def _gap(self, found: Sequence[Span | None], first: int, last: int) -> Span:
        """Return the letters between the lines before line `first` and after line `last`."""
        before, after = _neighbors(found, first, last)
        return before[1] if before else 0, after[0] if after else len(self._shown.letters)

    def _place_in_gap(self, lines: list[tuple[int, str]], gap: Span, found: list[Span | None]) -> None:
        joined = "".join(letters for _, letters in lines)
        if len(joined) > MAX_GAP:
            return
        shown = self._shown.letters[slice(*gap)]
        start, end = self._shown.place(gap[0]), self._shown.place(gap[1] - 1)
        is_formula = FORMULA_MARKS.search(self._markdown, start, end) is not None
        matches = SequenceMatcher(None, joined, shown, autojunk=False).get_matching_blocks()
        start = 0
        for number, letters in lines:
            end = start + len(letters)
            parts = [
                (max(match.a, start) + match.b - match.a, min(match.a + match.size, end) + match.b - match.a)
                for match in matches
                if match.a < end and match.a + match.size > start
            ]
            if parts and not is_formula:
                parts = [max(parts, key=lambda part: part[1] - part[0])]
            if sum(last - first for first, last in parts) >= MIN_COMMON_SHARE * len(letters):
                found[number] = self._take(gap[0] + parts[0][0], gap[0] + parts[-1][1])
            start = end

    # --- punctuation ---------------------------------------------------------------------------------------

    def _with_punctuation(self, text: str, place: Span) -> Span:
        """Return the place in the Markdown with the punctuation that the line has around its letters."""
        start, end = self._shown.place(place[0]), self._shown.place(place[1] - 1) + 1
        first, last = first_and_last_letter(text)
        for mark in reversed(text[:first].strip()):
            start = self._before(mark, start)
        for mark in text[last:].strip():
            end = self._after(mark, end)
        if start > self._span[0] and self._markdown[start - 1] == "\\":
            start -= 1
        return start, end

    def _before(self, mark: str, start: int) -> int:
        """Return the place of a mark right before a place, or the place if it is not there."""
        place = start - 1
        while place >= self._span[0] and self._markdown[place] != mark:
            if not (self._markdown[place] in MARKS or self._markdown[place] == " "):
                return start
            place -= 1
        return max(place, self._span[0]) if place >= self._span[0] else start

    def _after(self, mark: str, end: int) -> int:
        """Return the place behind a mark that stands right behind a place, or the place."""
        place = end
        while place < self._span[1] and self._markdown[place] != mark:
            if not (self._markdown[place] in MARKS or self._markdown[place] == " "):
                return end
            place += 1
        return place + 1 if place < self._span[1] else end

    def _sign_span(self, text: str, spans: Sequence[Span | None], number: int) -> Span | None:
        """Return the place of a line without letters, between the lines around it.

        The bullet of an item has the place of the dash that stands for it.
        """
        above, below = _neighbors(spans, number, number)
        before, after = above[1] if above else self._span[0], below[0] if below else self._span[1]
        start = self._markdown.find(text[:1], before, after) if text else -1
        if start < 0:
            dash = ITEM_DASH.match(self._markdown, before, after) if before == self._span[0] else None
            return dash.span(1) if dash else None
        end = start + 1
        for mark in text[1:].replace(" ", ""):
            end = self._after(mark, end)
        return start, end


def _neighbors(spans: Sequence[Span | None], first: int, last: int) -> tuple[Span | None, Span | None]:
    """Return the nearest known span before line `first`, and that after line `last`."""
    before = next((span for number in range(first - 1, -1, -1) if (span := spans[number])), None)
    after = next((span for number in range(last + 1, len(spans)) if (span := spans[number])), None)
    return before, after


def without_line_numbers(texts: Sequence[str], code: str) -> list[str]:
    """Return the texts of lines of code without the numbers at their starts that their Markdown leaves out.

    Args:
        texts: of the lines.
        code: Markdown of the block.
    """
    numbers = {found[1] for line in code.split("\n") if (found := LINE_NUMBER.match(line))}
    return [
        text[found.end() :] if (found := LINE_NUMBER.match(text)) and found[1] not in numbers else text
        for text in texts
    ]
