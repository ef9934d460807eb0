"""Markdown as blocks with runs of text."""

from __future__ import annotations

import pytest

from backend_main.core.exports.markup import MarkupBlock, parse_markdown
from tests.support.export_documents import MARKDOWN


def kinds(markdown: str) -> list[str]:
    return [block.kind for block in parse_markdown(markdown)]


def only(markdown: str) -> MarkupBlock:
    (block,) = parse_markdown(markdown)
    return block


def test_parse_markdown_returns_every_kind_of_block_in_order() -> None:
    assert kinds(MARKDOWN) == [
        *("heading", "paragraph", "list_item", "list_item", "list_item", "list_item", "paragraph"),
        *("table", "table", "formula", "figure", "code", "paragraph"),
    ]


def test_parse_markdown_list_items_have_marker_depth_and_check_box() -> None:
    items = [block for block in parse_markdown(MARKDOWN) if block.kind == "list_item"]
    assert [(item.marker, item.level, item.is_checked, item.text) for item in items] == [
        ("7.", 0, None, "seven"),
        ("8.", 0, None, "eight"),
        ("-", 1, True, "ticked"),
        ("-", 1, False, "empty"),
    ]


def test_parse_markdown_second_paragraph_of_an_item_is_not_an_item() -> None:
    assert kinds("- one\n\n  two\n\nthree") == ["list_item", "paragraph", "paragraph"]


def test_parse_markdown_runs_have_their_styles() -> None:
    runs = only("a **b** *c* ~~d~~ `e` f<sup>2</sup> <b>g</b> [h](https://x.y/)").runs
    styled = {run.text: run for run in runs}
    assert styled["b"].is_bold
    assert styled["g"].is_bold
    assert styled["c"].is_italic
    assert styled["d"].is_struck
    assert styled["e"].is_code
    assert styled["2"].script == "sup"
    assert styled["h"].href == "https://x.y/"
    assert not styled["a "].is_bold


@pytest.mark.parametrize(
    "text", ["[ref]: http://x.y/", "<!-- note -->", "a <unknown> b", "    four spaces", "&nbsp;|"]
)
def test_parse_markdown_shows_what_commonmark_hides(text: str) -> None:
    shown = "".join(block.text for block in parse_markdown(text))
    assert shown.strip() == text.strip().replace("&nbsp;", "\u00a0").strip()


def test_parse_markdown_html_table_cells_stand_at_their_places() -> None:
    table = next(
        block for block in parse_markdown(MARKDOWN) if block.kind == "table" and block.cells[0].text == "Head"
    )
    assert [(c.row, c.column, c.row_span, c.column_span, c.text, c.is_header) for c in table.cells] == [
        (0, 0, 1, 2, "Head", True),
        (1, 0, 2, 1, "left < 5", False),
        (1, 1, 1, 1, "b", False),
        (2, 1, 1, 1, "c", False),
    ]


def test_parse_markdown_overlapping_and_huge_spans_are_cut() -> None:
    html = (
        '<table>\n<tr><td>a</td><td rowspan="99999999">b</td></tr>\n<tr><td colspan="9">c</td></tr>\n</table>'
    )
    cells = only(html).cells
    assert [(cell.text, cell.row_span, cell.column_span) for cell in cells] == [
        ("a", 1, 1),
        ("b", 1, 1),
        ("c", 1, 9),
    ]
    cells = only(html.replace("99999999", "2")).cells
    assert [(cell.text, cell.row_span, cell.column_span) for cell in cells] == [
        ("a", 1, 1),
        ("b", 2, 1),
        ("c", 1, 1),
    ]


def test_parse_markdown_formula_keeps_its_latex() -> None:
    block = only("$$\\frac{a}{b}$$")
    assert (block.kind, block.source, block.text) == ("formula", "\\frac{a}{b}", "a/b")
    assert [run.latex for run in only("so $x_1*y$ and *z*").runs] == ["", "x_1*y", "", ""]


def test_parse_markdown_block_without_end_is_plain_text() -> None:
    (block,) = parse_markdown("*a* " * 50_000)
    assert block.text.startswith("*a* *a*")
