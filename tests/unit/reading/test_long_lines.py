"""Lines of 100,000 characters: a pattern that takes the square of their length would take minutes."""

import re
from collections.abc import Callable

import pytest

from backend_main.reading import document_text
from backend_main.reading.born_digital import contents, joined_rows, table_markdown
from backend_main.reading.born_digital.table_words import NUMBER
from backend_main.reading.documents import pdf_words
from backend_main.reading.documents.pdf_glyph import Glyph
from backend_main.reading.layout import blocks, furniture_text, letterheads, side_blocks
from backend_main.reading.output.escaping import escape
from backend_main.reading.output.plain_text import to_plain_text

LENGTH = 100_000
SHAPES = (*"a_1 .…-[#", ". ", "- ", "1. ", "- 1) ", "1,", "12 ", "| ", "|-", "*a ")
ENDS = ("", " 1x")


def _plain(text: str) -> str:
    return to_plain_text(escape(text))


@pytest.mark.parametrize(
    "function",
    [
        escape,
        _plain,
        NUMBER.fullmatch,
        contents._LEADER_ENTRY.search,
        contents._LEADER_END.search,
        joined_rows._LAST_WORD.search,
        table_markdown._LEADER_END.search,
        document_text._LAST_WORD.search,
        blocks._SENTENCE_END.search,
        letterheads._DETAILS[0].search,
        side_blocks._AMOUNT.search,
        side_blocks._WEB_ADDRESS.fullmatch,
        furniture_text._NUMBER_AT_END.fullmatch,
        furniture_text._NOTICE.match,
    ],
)
def test_patterns_of_long_lines_take_time_by_their_length(
    function: Callable[[str], re.Match[str] | str | None],
) -> None:
    for shape in SHAPES:
        for end in ENDS:
            function((shape * LENGTH)[:LENGTH] + end)


def test_numbers_of_a_long_right_to_left_line_take_time_by_its_length() -> None:
    def glyph(text: str, start: float, number: int) -> Glyph:
        return Glyph(text, start, start + 0.5, 0.0, 1.0, (1, 1.0), 0.0, number, number // 2)

    pairs = [glyph("1", 2.0 * (number // 2) + 0.7 * (number % 2), number) for number in range(LENGTH)]
    assert len(pdf_words._spaced_numbers([*pairs, glyph("א", LENGTH, LENGTH)])) == LENGTH // 2


def test_leader_entry_is_found_behind_spaced_dots() -> None:
    assert contents._LEADER_ENTRY.search("Method . . . . . 12")
    assert contents._LEADER_ENTRY.search("Method.....xii")
    assert not contents._LEADER_ENTRY.search("Method ... 12")
