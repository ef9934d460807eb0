"""Markdown of a page as blocks with runs of text, for formats that are not Markdown.

markdown-it-py parses it. Reference definitions, comments and unknown HTML are text here, although CommonMark
hides them: recognized text must not vanish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ...reading.output.latex import FORMULA, latex_text
from .html_tables import table_cells
from .text_runs import MarkupCell, TagStyles, TextRun, merge_runs

# Longer blocks are one paragraph of plain text: a parser takes quadratic time for a few patterns.
MAX_BLOCK_CHARACTERS = 100_000
MAX_NESTING = 20
_BLANK_LINES = re.compile(r"(\n[ \t]*\n)")
_CHECK_BOX = re.compile(r"\[([ xX])\]\s+")
_STYLES = {"strong": "is_bold", "em": "is_italic", "s": "is_struck"}
BlockKind = Literal["heading", "paragraph", "list_item", "table", "figure", "code", "formula", "rule"]


@dataclass(frozen=True)
class MarkupBlock:
    """Block of a page."""

    kind: BlockKind
    runs: tuple[TextRun, ...] = ()
    level: int = 0
    """Level of a heading from 1; depth of a list item from 0."""
    marker: str = ""
    """Marker of a list item: "-", or a number with its mark."""
    is_checked: bool | None = None
    """State of the check box of a list item; None: it has none."""
    quote_level: int = 0
    cells: tuple[MarkupCell, ...] = ()
    source: str = ""
    """LaTeX of a formula, or the address of a figure."""

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


def parse_markdown(markdown: str) -> list[MarkupBlock]:
    """Return the blocks of a page."""
    if any(len(part) > MAX_BLOCK_CHARACTERS for part in _BLANK_LINES.split(markdown)):
        return [
            MarkupBlock("paragraph", (TextRun(part.strip()),))
            for part in _BLANK_LINES.split(markdown)
            if part.strip()
        ]
    return list(_BlockReader(_parser().parse(markdown)).blocks())


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"]).disable(["reference", "code"])
    parser.inline.ruler.before("escape", "formula", _formula_rule)
    return parser


def _formula_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    found = FORMULA.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = found["displayed"] or found["inline"]
        token.meta = {"is_displayed": found["displayed"] is not None}
    state.pos = found.end()
    return True


class _BlockReader:
    """Reads the flat list of tokens of markdown-it-py."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._quote_level = 0
        self._list_markers: list[str] = []
        self._marker: str | None = None  # of the item whose first block follows

    def blocks(self) -> Iterator[MarkupBlock]:
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            if token.type == "table_open":
                end = next(n for n in range(at, len(self._tokens)) if self._tokens[n].type == "table_close")
                yield self._placed(MarkupBlock("table", cells=_pipe_cells(self._tokens[at:end])))
                at = end
            else:
                yield from self._block(token, self._tokens[at - 1] if at else None)
            at += 1

    def _block(self, token: Token, before: Token | None) -> Iterator[MarkupBlock]:
        match token.type:
            case "blockquote_open" | "blockquote_close":
                self._quote_level += 1 if token.nesting > 0 else -1
            case "bullet_list_open" | "ordered_list_open":
                self._list_markers.append("")
            case "bullet_list_close" | "ordered_list_close":
                self._list_markers.pop()
            case "list_item_open":
                self._marker = f"{token.info}{token.markup}" if token.info else "-"
            case "list_item_close" if self._marker is not None:
                yield self._placed(MarkupBlock("paragraph"))  # an empty item
            case "inline":
                level = int(before.tag[1:]) if before and before.type == "heading_open" else 0
                yield self._placed(_inline_block(_runs(token.children or []), level))
            case "fence" | "code_block":
                yield self._placed(MarkupBlock("code", (TextRun(token.content.removesuffix("\n")),)))
            case "hr":
                yield self._placed(MarkupBlock("rule"))
            case "html_block":
                yield from map(self._placed, _html_blocks(token.content))

    def _placed(self, block: MarkupBlock) -> MarkupBlock:
        """Return the block with the list and the quotes that it is in."""
        block = replace(block, quote_level=self._quote_level)
        if self._marker is None or block.kind != "paragraph":
            self._marker = None
            return block
        marker, self._marker = self._marker, None
        runs, is_checked = block.runs, None
        if runs and (box := _CHECK_BOX.match(runs[0].text)):
            is_checked = box[1] != " "
            runs = (runs[0]._replace(text=runs[0].text[box.end() :]), *runs[1:])
        depth = max(0, len(self._list_markers) - 1)
        return replace(block, kind="list_item", runs=runs, level=depth, marker=marker, is_checked=is_checked)


def _inline_block(runs: tuple[TextRun, ...], heading_level: int) -> MarkupBlock:
    if heading_level:
        return MarkupBlock("heading", runs, level=heading_level)
    if len(runs) == 1 and runs[0].image is not None:
        caption = (TextRun(runs[0].text),) if runs[0].text else ()
        return MarkupBlock("figure", caption, source=runs[0].image)
    if len(runs) == 1 and runs[0].is_displayed:
        return MarkupBlock("formula", runs, source=runs[0].latex)
    return MarkupBlock("paragraph", runs)


def _runs(tokens: Sequence[Token]) -> tuple[TextRun, ...]:
    runs: list[TextRun] = []
    style, tags = TextRun(""), TagStyles()
    for token in tokens:
        name = token.type.partition("_")[0]
        if name in _STYLES:
            style = style._replace(**{_STYLES[name]: token.nesting > 0})  # type: ignore[arg-type]
        elif name == "link":
            style = style._replace(href=str(token.attrs.get("href", "")) if token.nesting > 0 else "")
        elif token.type != "html_inline" or not _change_style(tags, token.content):
            runs.extend(_merge_styles(run, tags.style) for run in _run(token, style))
    return merge_runs(runs)


def _change_style(tags: TagStyles, tag: str) -> bool:
    name = tag.strip("</> ").lower()
    return tags.close(name) if tag.startswith("</") else tags.open(name)


def _merge_styles(run: TextRun, tag_style: TextRun) -> TextRun:
    names = ("is_bold", "is_italic", "is_struck", "is_code", "script")
    return run._replace(**{name: getattr(run, name) or getattr(tag_style, name) for name in names})


def _run(token: Token, style: TextRun) -> list[TextRun]:
    match token.type:
        case "text" | "text_special" | "html_inline":
            return [style._replace(text=token.content)]
        case "code_inline":
            return [style._replace(text=token.content, is_code=True)]
        case "softbreak" | "hardbreak":
            return [style._replace(text=" " if token.type == "softbreak" else "\n")]
        case "formula":
            latex, is_displayed = token.content, token.meta["is_displayed"]
            return [style._replace(text=latex_text(latex), latex=latex, is_displayed=is_displayed)]
        case "image":
            text = "".join(run.text for run in _runs(token.children or []))
            return [style._replace(text=text, image=str(token.attrs.get("src", "")))]
    return []


def _pipe_cells(tokens: Sequence[Token]) -> tuple[MarkupCell, ...]:
    cells: list[MarkupCell] = []
    row = column = -1
    for token in tokens:
        if token.type == "tr_open":
            row, column = row + 1, -1
        elif token.type in ("th_open", "td_open"):
            column += 1
            cells.append(MarkupCell(row, column, is_header=token.type == "th_open"))
        elif token.type == "inline":
            cells[-1] = cells[-1]._replace(runs=_runs(token.children or []))
    return tuple(cells)


def _html_blocks(html: str) -> Iterator[MarkupBlock]:
    if html.lstrip().lower().startswith("<table"):
        if cells := table_cells(html):
            yield MarkupBlock("table", cells=cells)
    elif html.strip():
        yield MarkupBlock("paragraph", (TextRun(html.strip()),))
