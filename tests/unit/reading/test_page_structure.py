"""Blocks of a finished page, and the places of its lines in its Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from backend_main.reading import Block, Line, PageDone
from backend_main.reading.output.formatted_page import (
    BlockMarkdown,
    FormattedBlock,
    FormattedPage,
    join_blocks,
    join_formatted,
)
from backend_main.reading.page_structure.line_spans import without_line_numbers
from backend_main.reading.page_structure.structured_page import (
    bare_blocks,
    complete_blocks,
    structured_page,
)
from backend_main.reading.types import BlockType, LineRole, level_box
from tests.support.page_structure import structure_faults

HEIGHT = 1000


def line(text: str, place: int = 0, role: LineRole = "body") -> Line:
    """Return a line at a place of its page: 20 pixels below the one before."""
    return Line(1, text, "", level_box(50, 20 * place, 450, 20 * place + 15), 0.9, role)


def assembled(kind: BlockType, markdown: str, *texts: str) -> tuple[list[Block], list[Line]]:
    """Return the structure of a page of one block, whose lines the assembly knows."""
    block = FormattedBlock(kind, 0, len(markdown), tuple(range(len(texts))))
    page = FormattedPage(markdown, "", blocks=[block])
    return checked(page, [line(text, place) for place, text in enumerate(texts)])


def parsed(markdown: str, *texts: str) -> tuple[list[Block], list[Line]]:
    """Return the structure of a page of which the Markdown is known."""
    return checked(FormattedPage(markdown, ""), [line(text, place) for place, text in enumerate(texts)])


def checked(page: FormattedPage, lines: Sequence[Line]) -> tuple[list[Block], list[Line]]:
    """Return the structure of a page that has no faults, and that is the same after it was stored."""
    blocks, located = structured_page(page, lines, HEIGHT)
    done = PageDone(1, 1, 500, HEIGHT, page.markdown, "", located, [], blocks)
    assert structure_faults(done, min_located=0) == []
    assert complete_blocks(page.markdown, bare_blocks(done), located) == blocks
    return blocks, located


def own_text(markdown: str, lines: Sequence[Line]) -> list[str | None]:
    return [line.span and markdown[slice(*line.span)] for line in lines]


# --- places of lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markdown", "texts", "found"),
    [
        ("An example, “2” \\[3].", ("An exam-", "ple, “2” [3]."), ["An exam", "ple, “2” \\[3]."]),
        ("A well-known case.", ("A well-", "known case."), ["A well-", "known case."]),
        ("**Bold** and *x*. ~~no~~", ("Bold and x.", "no"), ["Bold** and *x*.", "no"]),
        ("One line  \nThe next", ("One line", "The next"), ["One line", "The next"]),
        ("25 m<sup>2</sup> and", ("25 m2 and",), ["25 m<sup>2</sup> and"]),
        ("So $\\alpha^{2} = \\sin x$.", ("So α2", "= sin x."), ["So $\\alpha^{2", "= \\sin x$."]),
        ("[the rules](https://a.example/the/rules) say", ("the rules", "say"), ["the rules", "say"]),
        ("The `<table>` of `&amp;`", ("The <table>", "of &amp;"), ["The `<table>", "of `&amp;"]),
        ("日本語の文書です。次の行", ("日本語の文書", "です。次の行"), ["日本語の文書", "です。次の行"]),
        ("שלום עולם (7)", ("שלום", "עולם (7)"), ["שלום", "עולם (7)"]),
        ("A — B …", ("A", "—", "B", "…"), ["A", "—", "B", "…"]),
    ],
)  # fmt: skip
def test_span_of_line_in_paragraph(markdown: str, texts: tuple[str, ...], found: list[str]) -> None:
    blocks, lines = assembled("paragraph", markdown, *texts)
    assert own_text(markdown, lines) == found
    assert blocks[0].lines == tuple(range(len(texts)))


def test_span_of_line_that_is_not_in_the_markdown_is_none() -> None:
    blocks, lines = assembled("paragraph", "Some text", "Some text", "Something else")
    assert own_text("Some text", lines) == ["Some text", None]
    assert blocks[0].lines == (0, 1)


def test_span_of_code_has_its_marks() -> None:
    markdown = "```\nif a &lt; b:\n    <b>x</b>\n```"
    _, lines = assembled("code", markdown, "if a &lt; b:", "<b>x</b>")
    assert own_text(markdown, lines) == ["if a &lt; b:", "<b>x</b>"]


def test_span_of_code_is_beside_the_numbers_of_its_lines() -> None:
    markdown = "```\nfor i = 2; i < 3 {\n  if 2 {\n    x(3)\n```"
    _, lines = assembled("code", markdown, "1", "for i = 2; i < 3 {", "2", "if 2 {", "3", "x(3)")
    assert own_text(markdown, lines) == [None, "for i = 2; i < 3 {", None, "if 2 {", None, "x(3)"]


def test_texts_of_numbered_code_are_without_the_numbers() -> None:
    code = "```\nfor i = 2; i < 3 {\n20 GOTO\n```"
    assert without_line_numbers(("1 for i = 2; i < 3 {", "2", "20 GOTO"), code) == [
        "for i = 2; i < 3 {",
        "",
        "20 GOTO",
    ]


def test_span_of_number_in_code_is_where_a_line_begins_with_it() -> None:
    markdown = "```\n10 PRINT\n20 GOTO 10\n```"
    _, lines = assembled("code", markdown, "10", "PRINT", "20 GOTO 10")
    assert own_text(markdown, lines) == ["10", "PRINT", "20 GOTO 10"]


def test_span_of_bullet_is_the_dash() -> None:
    _, lines = assembled("list_item", "- Rope", "•", "Rope")
    assert own_text("- Rope", lines) == ["-", "Rope"]


def test_span_of_repeated_cell_is_that_of_its_row() -> None:
    markdown = "| Item | Sum |\n|---|---|\n| Rope | 1 |\n| Iron 10 | 1 |\n| Salt | 0 |"
    blocks, lines = assembled("table", markdown, "Item", "Sum", "Rope", "1", "Iron 10", "1", "Salt", "0")
    rows = [[cell.lines for cell in blocks[0].cells if cell.row == row] for row in range(4)]
    assert rows == [[(0,), (1,)], [(2,), (3,)], [(4,), (5,)], [(6,), (7,)]]
    assert blocks[0].cells[3].box == lines[3].box


def test_line_over_two_cells_belongs_to_both() -> None:
    blocks, lines = assembled("table", "| a | b |\n|---|---|\n| Rope | 12,50 |", "a b", "Rope 12,50")
    assert [cell.lines for cell in blocks[0].cells] == [(0,), (0,), (1,), (1,)]
    assert all(line.span for line in lines)


def test_line_that_a_table_divides_belongs_to_all_its_cells() -> None:
    markdown = "| All laws | No law was |\n|---|---|\n| x | y |"
    texts = ("All No law", "laws was", "x", "y")
    cells = {(0, 0): (0, 1), (0, 1): (0, 1), (1, 0): (2,), (1, 1): (3,)}
    block = FormattedBlock("table", 0, len(markdown), (0, 1, 2, 3), cells=cells)
    (table,), lines = checked(
        FormattedPage(markdown, "", blocks=[block]), [line(text, place) for place, text in enumerate(texts)]
    )
    assert [cell.lines for cell in table.cells] == [(0, 1), (0, 1), (2,), (3,)]
    assert table.cells[1].box == level_box(50, 0, 450, 35)
    assert own_text(markdown, lines)[0] == "No law"


def test_lines_that_no_block_has_belong_to_the_note_with_their_letters() -> None:
    markdown = "Text\n\n> Note by A: seen  \n> twice"
    blocks = [FormattedBlock("paragraph", 0, 4, (0,)), FormattedBlock("quote", 6, len(markdown))]
    found, lines = checked(
        FormattedPage(markdown, "", blocks=blocks),
        [line("Text"), line("Note by A: seen twice", 9), line("Se", 20)],
    )
    assert [block.lines for block in found] == [(0,), (1,)]
    assert own_text(markdown, lines) == ["Text", "Note by A: seen  \n> twice", None]


def test_line_inside_another_line_belongs_to_its_block() -> None:
    markdown = "So $\\frac{1}{2}$ holds"
    block = FormattedBlock("paragraph", 0, len(markdown), (0,))
    lines = [line("So holds"), Line(1, "1", "", level_box(70, 0, 80, 5), None)]
    (found,), located = checked(FormattedPage(markdown, "", blocks=[block]), lines)
    assert found.lines == (0, 1)
    assert own_text(markdown, located) == [markdown, None]


# --- content of blocks -------------------------------------------------------------------------------------


def test_cells_of_html_table_have_their_spans() -> None:
    markdown = (
        '<table>\n<tr><th colspan="2">Head</th></tr>\n<tr><td rowspan="2">A &lt; B</td><td>1</td></tr>\n'
        "<tr><td><b>2</b></td></tr>\n</table>"
    )
    blocks, _ = assembled("table", markdown, "Head", "A < B", "1", "2")
    (table,) = blocks
    assert (table.rows, table.columns, table.text) == (3, 2, "Head\nA < B 1\n2")
    shown = [
        (cell.row, cell.column, cell.row_span, cell.column_span, cell.text, cell.is_header, cell.lines)
        for cell in table.cells
    ]
    assert shown == [
        (0, 0, 1, 2, "Head", True, (0,)),
        (1, 0, 2, 1, "A < B", False, (1,)),
        (1, 1, 1, 1, "1", False, (2,)),
        (2, 1, 1, 1, "2", False, (3,)),
    ]


def test_cells_of_pipe_table_are_unescaped() -> None:
    blocks, _ = parsed("| A | B |\n|---|:-:|\n| x \\| y | **z** |\n|  | $1 |")
    assert [cell.text for cell in blocks[0].cells] == ["A", "B", "x | y", "z", "", "$1"]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("## Sec\\_tion", Block("heading", text="Sec_tion", level=2)),
        ("    3. Third", Block("list_item", text="Third", level=1, marker="3.")),
        ("- [x] Paid", Block("list_item", text="Paid", level=0, marker="-", is_checked=True)),
        ("(a) First", Block("list_item", text="(a) First", level=0)),
        ("[ ] Open", Block("paragraph", text="Open", is_checked=False)),
        ("> Quoted  \n> text", Block("quote", text="Quoted\ntext")),
        ("```\na  b\n```", Block("code", text="a  b")),
        ("$$\\frac{a}{b}$$", Block("formula", text="a/b")),
        ("![Figure 1. A *map*]()", Block("figure", text="Figure 1. A map")),
        ("<sup>1</sup> See there.", Block("footnote", text="1 See there.")),
        ("[^1]: See there.", Block("footnote", text="See there.")),
    ],
)  # fmt: skip
def test_content_of_block_is_that_of_its_markdown(markdown: str, expected: Block) -> None:
    (block,), _ = assembled(expected.type, markdown)
    fields = ("type", "text", "level", "marker", "is_checked")
    assert [getattr(block, name) for name in fields] == [getattr(expected, name) for name in fields]


# --- blocks of Markdown ------------------------------------------------------------------------------------

MARKDOWN = """\
# Title
Intro text
goes on in 1998.

1. One
  - nested
    - deeper
      goes on
2. Two
2019. Not a list

* * *

| a | b |
|---|---|
| 1 | 2 |

<table>
<tr><td>x</td></tr>

</table>
> quoted
> text

![](picture.png)
Figure 2. A map

```python
# no heading

- no item
```
$$
x = 1
$$
[^1]: A note
"""


def test_markdown_without_assembly_is_parsed_into_blocks() -> None:
    blocks, lines = parsed(MARKDOWN, "Title", "Intro text", "deeper", "goes on", "1", "2", "no item", "x = 1")
    assert [(block.type, block.level) for block in blocks] == [
        ("heading", 1), ("paragraph", None), ("list_item", 0), ("list_item", 1), ("list_item", 2),
        ("list_item", 0), ("list_item", 0), ("table", None), ("table", None), ("quote", None),
        ("figure", None),
        ("caption", None), ("code", None), ("formula", None), ("footnote", None),
    ]  # fmt: skip
    assert [block.lines for block in blocks if block.lines] == [(0,), (1,), (2, 3), (4, 5), (6,), (7,)]
    assert blocks[4].text == "deeper goes on"
    assert all(line.span for line in lines)


def test_number_in_the_middle_of_a_paragraph_begins_no_list() -> None:
    blocks, _ = parsed("It was in\n1998. A year")
    assert [block.type for block in blocks] == ["paragraph"]


def test_streamed_lines_have_the_places_of_their_own_markdown() -> None:
    lines = [Line(1, "A", "# A"), Line(1, "x", "\n\n$\\frac{1}{2}$"), Line(1, "B", "\n\nB")]
    markdown = "".join(each.markdown for each in lines)
    blocks, located = structured_page(FormattedPage(markdown, ""), lines, HEIGHT)
    assert own_text(markdown, located) == ["# A", "$\\frac{1}{2}$", "B"]
    assert [block.lines for block in blocks] == [(0,), (1,), (2,)]
    assert [block.box for block in blocks] == [None] * 3


@pytest.mark.parametrize(
    "part", ["<table\n", "$$\n", "- a\n", "[a](", "|", "> ", "```\n", "![", "<td>", "*a "]
)
def test_long_markdown_of_any_mark_is_parsed_without_losing_text(part: str) -> None:
    parsed(part * 5_000)


def test_page_without_text_has_no_blocks() -> None:
    assert parsed("") == ([], [])


# --- page furniture, captions, parts of a page -------------------------------------------------------------


def test_furniture_that_is_left_out_has_blocks_without_span() -> None:
    lines = [
        line("Chapter 1", 0, "header"), line("Body", 10), line("12", 48, "page_number"),
        line("Annual", 0, "header"), line("draft", 20, "watermark"), line("Foot", 47, "footer"),
    ]  # fmt: skip
    page = FormattedPage("Body", "", blocks=[FormattedBlock("paragraph", 0, 4, (1,))])
    blocks, _ = checked(page, lines)
    assert [(block.type, block.span, block.lines, block.text) for block in blocks] == [
        ("page_header", None, (0, 3), "Chapter 1\nAnnual"),
        ("paragraph", (0, 4), (1,), "Body"),
        ("page_number", None, (2,), "12"),
        ("page_footer", None, (5,), "Foot"),
        ("other_furniture", None, (4,), "draft"),
    ]
    assert blocks[0].box == level_box(50, 0, 450, 15)


def test_furniture_that_is_kept_has_its_type_in_place() -> None:
    parts = [FormattedBlock("paragraph", 0, 1, (0,)), FormattedBlock("paragraph", 3, 7, (1,))]
    page = FormattedPage("7\n\nBody", "", blocks=parts)
    blocks, _ = checked(page, [line("7", 0, "page_number"), line("Body", 1)])
    assert [(block.type, block.span) for block in blocks] == [("page_number", (0, 1)), ("paragraph", (3, 7))]


def test_figure_has_the_box_of_its_picture_and_the_lines_of_its_caption() -> None:
    box = level_box(50, 100, 450, 300)
    page = FormattedPage("![Figure 1. A map]()", "", blocks=[FormattedBlock("figure", 0, 20, (0,), box)])
    (figure,), _ = checked(page, [line("Figure 1. A map", 20)])
    assert (figure.box, figure.lines, figure.text) == (box, (0,), "Figure 1. A map")


def test_paragraph_that_begins_like_a_caption_is_one_beside_a_table_only() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    blocks, _ = parsed(f"Table 1. Costs\n\n{table}\n\nText\n\nTable 2: none")
    assert [block.type for block in blocks] == ["caption", "table", "paragraph", "paragraph"]


def test_join_blocks_separates_items_by_newlines() -> None:
    markdown, blocks = join_blocks(
        [
            BlockMarkdown("paragraph", "A"),
            BlockMarkdown("list_item", "- x", (1,), is_item=True),
            BlockMarkdown("list_item", "- y", (2,), is_item=True),
        ]
    )
    assert markdown == "A\n\n- x\n- y"
    assert [markdown[block.start : block.end] for block in blocks] == ["A", "- x", "- y"]


def test_join_formatted_moves_the_blocks() -> None:
    parts = [
        FormattedPage(text, text, {}, [FormattedBlock("paragraph", 0, len(text))]) for text in ("A", "", "B")
    ]
    page = join_formatted(parts)
    assert (page.markdown, page.text) == ("A\n\nB", "A\n\nB")
    assert [(block.start, block.end) for block in page.blocks or ()] == [(0, 1), (1, 1), (3, 4)]
    assert join_formatted([*parts, FormattedPage("C", "C")]).blocks is None
