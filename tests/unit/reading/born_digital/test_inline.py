"""Inline Markdown of pieces: emphasis that CommonMark reads, links, code, and no torn word."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from backend_main.reading.born_digital.inline import InlineOptions, inline_markdown
from backend_main.reading.documents.styled_text import TextPiece, text_of_pieces
from backend_main.reading.output.plain_text import to_plain_text
from tests.unit.reading.sample_pieces import BOLD, CODE, ITALIC, ROMAN, joined, marked, piece

LINK = "https://example.com/a"


def shown(markdown: str) -> str:
    """Return the text that a reader of CommonMark sees."""
    rendered = MarkdownIt("commonmark").renderInline(markdown)
    return html.unescape(re.sub(r"<[^>]*>", "", rendered))


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([piece("bold", BOLD), piece("and"), piece("italic", ITALIC)], "**bold** and *italic*"),
        (
            [piece("un"), piece("believ", BOLD, starts_word=False), piece("able", starts_word=False)],
            "un**believ**able",
        ),
        ([piece("Note:", BOLD), piece("text")], "**Note:** text"),
        ([piece("a"), piece("(b)", BOLD, starts_word=False), piece("c", starts_word=False)], "a(**b**)c"),
        ([piece("「強調」", BOLD), piece("の文", starts_word=False)], "「**強調**」の文"),
        ([piece("a", BOLD), piece("b", ITALIC, starts_word=False)], "a*b*"),
        ([piece("•", BOLD), piece("x")], "• x"),
        ([piece("run"), piece("ls -l", CODE), piece("now")], "run `ls -l` now"),
        ([piece("a"), piece("b`c", CODE)], "a ``b`c``"),
        ([piece("x = 1", ROMAN), piece("(", ITALIC), piece("y", ITALIC, starts_word=False)], "x = 1 *(y*"),
    ],
)
def test_inline_markdown_of_styles_can_be_read(pieces: list[TextPiece], expected: str) -> None:
    assert inline_markdown(pieces) == expected


def test_inline_markdown_with_ignored_styles_has_no_marks() -> None:
    options = InlineOptions(ignores_bold=True, ignores_italic=True, ignores_monospaced=True)
    pieces = [piece("a", BOLD), piece("b", ITALIC), piece("c", CODE)]
    assert inline_markdown(pieces, options) == "a b c"


def test_inline_markdown_of_typed_block_has_no_code_marks() -> None:
    assert "`" not in inline_markdown([piece("word", CODE) for _ in range(12)])


@pytest.mark.parametrize(
    ("text", "link", "expected"),
    [
        ("the report", "https://example.com/a_(b)", "[the report](https://example.com/a_%28b%29)"),
        ("a [note]", LINK, f"[a \\[note\\]]({LINK})"),
        ("https://example.com", "https://example.com/", "https://example.com"),
        ("example.com/a", LINK, "example.com/a"),
        ("info@example.com", "mailto:info@example.com", "info@example.com"),
        ("→", LINK, "→"),
    ],
)
def test_inline_markdown_of_links(text: str, link: str, expected: str) -> None:
    assert inline_markdown([piece(word, link=link) for word in text.split()]) == expected


def test_inline_markdown_of_link_over_two_styles_is_one_link() -> None:
    pieces = [piece("a", link=LINK), piece("b", BOLD, link=LINK), piece("c")]
    assert inline_markdown(pieces) == f"[a **b**]({LINK}) c"


def test_inline_markdown_with_amounts_escapes_only_what_opens_a_formula() -> None:
    assert inline_markdown(marked("costs $5 or $6")) == "costs $5 or $6"
    assert inline_markdown(marked("not $x$ here")) == r"not \$x$ here"


WORDS = st.text(st.sampled_from("abXY19.,;:!?()[]{}*_`~#<>&$|\\-–“”「」漢é "), min_size=1, max_size=8)
PIECES = st.lists(
    st.builds(
        lambda text, font, starts_word, link: piece(
            "".join(text.split()) or "w", font, starts_word=starts_word, link=link
        ),
        WORDS,
        st.sampled_from([ROMAN, BOLD, ITALIC]),
        st.booleans(),
        st.sampled_from([None, None, LINK]),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(PIECES)
def test_inline_markdown_shows_exactly_the_text(pieces: list[TextPiece]) -> None:
    assert shown(inline_markdown(pieces)).split() == text_of_pieces(pieces).split()


@settings(deadline=None)
@given(PIECES)
def test_plain_text_of_inline_markdown_has_the_words(pieces: list[TextPiece]) -> None:
    text = to_plain_text("x " + inline_markdown(pieces, at_line_start=False))
    assert text.split()[1:] == text_of_pieces(pieces).split()


def test_plain_text_of_raised_and_lowered_text_is_one_word() -> None:
    markdown = inline_markdown(joined(marked("H_{2}O and 1^{st} m^{2}")))
    assert markdown == "H<sub>2</sub>O and 1<sup>st</sup> m<sup>2</sup>"
    assert to_plain_text(markdown) == "H2O and 1st m2"
