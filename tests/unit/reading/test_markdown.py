"""Markdown and plain text: both contain exactly the recognized text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from backend_main.reading.layout import text_joining
from backend_main.reading.layout.cells import Cell
from backend_main.reading.output.escaping import escape
from backend_main.reading.output.markdown import MarkdownWriter
from backend_main.reading.output.plain_text import to_plain_text
from backend_main.reading.output.tables import table_markup

# Ballot boxes become `[ ]` and `[x]`.
printable = st.characters(
    min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("C", "Z", "M"), exclude_characters="☐☑☒"
)
marks = st.sampled_from(list("#>-+*_`~<&[]()!|=\\:.1a ")) | printable
line = st.text(marks, min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(bool)


def rendered(markdown: str) -> str:
    """Return the text that a CommonMark renderer shows, with list markers."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    parts = []
    for token in tokens:
        parts += [" " if "break" in child.type else child.content for child in token.children or []]
        if token.type in ("ordered_list_item_open", "list_item_open"):
            parts.append(token.info + token.markup + " ")
    return " ".join("".join(parts).split())


@given(line)
def test_plain_text_of_escaped_line_is_the_line(text: str) -> None:
    assert to_plain_text(escape(text)) == text


@given(st.lists(line.filter(lambda text: not text.endswith("-")), min_size=1, max_size=5))
def test_plain_text_of_written_paragraphs_has_all_words(lines: list[str]) -> None:
    writer = MarkdownWriter()
    markdown = "".join(writer.write("\n\n", text) for text in lines)
    assert to_plain_text(markdown).split() == " ".join(lines).split()


@given(line)
def test_escaped_line_is_rendered_as_it_was_recognized(text: str) -> None:
    assert rendered(escape(text)) == text


@given(line)
def test_written_heading_is_rendered_as_its_line(text: str) -> None:
    assert rendered(MarkdownWriter().write("# ", text)) == text
    assert to_plain_text(MarkdownWriter().write("# ", text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Total 12.00",
        "snake_case",
        "a & b",
        "|0|",
        "C# and F#",
        "x > 3",
        "1. first",
        "- item",
        "50% (off)",
        "a-b",
        "don't!",
    ],
)
def test_escape_leaves_characters_that_are_not_markup_bare(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("# 12", r"\# 12"),
        ("> quoted", r"\> quoted"),
        ("<b>", r"\<b>"),
        ("&amp;", r"\&amp;"),
        ("---", r"\---"),
        ("* * *", r"\* \* \*"),
        ("***", r"\*\*\*"),
        ("===", r"\==="),
        ("```", r"\`\`\`"),
        ("_x_", r"\_x\_"),
        ("- # 12", r"- \# 12"),
        ("1. > quoted", r"1. \> quoted"),
        ("2. ---", r"2. \---"),
    ],
)
def test_escape_puts_backslash_before_markup(text: str, markdown: str) -> None:
    assert escape(text) == markdown


def test_writer_skip_passes_on_gap_but_not_heading() -> None:
    writer = MarkdownWriter()
    assert writer.write("\n\n", "one") == "one"
    writer.skip("\n\n## ")
    assert writer.write("\n", "two") == "\n\ntwo"
    assert writer.write(" ", "three") == " three"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# Title\n\nA line\nand its next", "Title\n\nA line and its next"),
        ("a hyphen-\nated word", "a hyphenated word"),
        ("a\u00ad\nb-\nc", "abc"),
        ("x\n-\ny", "x - y"),
        ("Jean-\nPaul", "Jean-Paul"),
        ("in 2004-\n07", "in 2004-07"),
        ("a line  \nand its next", "a line\nand its next"),
        ("人人生而\n自由", "人人生而自由"),
        ("- one\n- two", "- one\n- two"),
        ("Due:\n1. rent\n2. tax", "Due:\n1. rent\n2. tax"),
        ("**bold** and *slanted* and `code`", "bold and slanted and code"),
        ("[text](https://example.org) ![picture](x.png)", "text picture"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b\n1 2"),
        ("> quoted\n> text", "quoted text"),
        ("```\ncode\n```", "code"),
        ("| a | b |\n|---|---|\n| `x\\|y` | ``z`` |", "a b\nx|y z"),
        ("the `<td>*a*[1](x)</td>` of `$x$`", "the <td>*a*[1](x)</td> of $x$"),
        ("", ""),
    ],
)
def test_plain_text_of_markdown(markdown: str, text: str) -> None:
    assert to_plain_text(markdown) == text


def test_text_joiner_inspects_only_the_end_of_the_text_for_each_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A search of the whole text for each line would take quadratic time."""
    inspected: list[str] = []

    class RecordingPattern:
        def fullmatch(self, text: str) -> None:
            inspected.append(text)

    monkeypatch.setattr(text_joining, "HYPHENATED", RecordingPattern())
    assert to_plain_text("line\n" * 3_000) == " ".join(["line"] * 3_000)
    assert inspected == ["ne"] * 2_999


# --- tables ----------------------------------------------------------------------------------------------

CELLS = (("Period", "Rate", ""), ("", "a < b", "R&D &amp;"), ("1", "2", "3"))
SPANS = (Cell(0, 0, 2, 1), Cell(0, 1, 1, 3))


def test_table_markup_without_spans_is_pipe_table() -> None:
    assert table_markup((("a|b", "c"), ("", "*d*"))) == "| a\\|b | c |\n|---|---|\n|  | \\*d\\* |"


def test_table_markup_with_spans_is_html_table() -> None:
    assert table_markup(CELLS, SPANS) == (
        '<table>\n<tr><th rowspan="2">Period</th><th colspan="2">Rate</th></tr>\n'
        "<tr><td>a &lt; b</td><td>R&D &amp;amp;</td></tr>\n<tr><td>1</td><td>2</td><td>3</td></tr>\n</table>"
    )


def test_plain_text_of_html_table_has_line_for_each_row() -> None:
    markdown = f"above\n\n{table_markup(CELLS, SPANS)}\n\nbelow"
    assert to_plain_text(markdown) == "above\n\nPeriod Rate\na < b R&D &amp;\n1 2 3\n\nbelow"


def test_plain_text_of_html_table_with_raised_text_joins_words() -> None:
    markdown = "<table>\n<tr><td>H<sub>2</sub>O <b>b</b></td><td>c</td></tr>\n</table>"
    assert to_plain_text(markdown) == "H2O b c"


@example(["$$", "a $$"])
@given(st.lists(line, min_size=2, max_size=2))
def test_plain_text_of_html_table_has_all_texts(texts: list[str]) -> None:
    markdown = table_markup([[texts[0], ""], ["x", texts[1]]], [Cell(0, 0, 1, 2)])
    assert to_plain_text(markdown).split("\n") == [texts[0], f"x {texts[1]}"]
    assert MarkdownIt("commonmark").parse(markdown)[0].content.rstrip("\n") == markdown
