"""Printer of documents to PDF by reportlab, which sets one font, without kerning and right-to-left text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache, singledispatch
from html import escape
from pathlib import Path

from reportlab.lib.colors import black
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BalancedColumns,
    Flowable,
    ListFlowable,
    ListItem,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
)
from reportlab.platypus import Paragraph as PlatypusParagraph
from reportlab.platypus import (
    Table as PlatypusTable,
)

from tests.support.printed_documents import (
    Block,
    Cell,
    Code,
    Group,
    Heading,
    Items,
    Paragraph,
    PrintedDocument,
    Quote,
    Span,
    Table,
    Text,
    spans,
)

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
TAGS = {"bold": "b", "italic": "i", "sup": "super", "sub": "sub"}


@cache
def _fonts() -> tuple[str, str]:
    """Return the fonts of texts and of programs: DejaVu, which has all letters, or else PDF's own."""
    if not (DEJAVU / "DejaVuSans.ttf").exists():
        return "Helvetica", "Courier"
    for name, file in (("Body", "DejaVuSans"), ("Body-Bold", "DejaVuSans-Bold"), ("Mono", "DejaVuSansMono")):
        pdfmetrics.registerFont(TTFont(name, DEJAVU / f"{file}.ttf"))
    pdfmetrics.registerFontFamily(
        "Body", normal="Body", bold="Body-Bold", italic="Body", boldItalic="Body-Bold"
    )
    return "Body", "Mono"


def print_with_reportlab(document: PrintedDocument, *, size: int = 10) -> bytes:
    """Return the PDF. The style sheet of the document is not used."""
    file = io.BytesIO()
    template = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=20 * mm, bottomMargin=20 * mm
    )
    template.build(_flowables(document.blocks, _style(size)))
    return file.getvalue()


def _style(size: float, **changes: object) -> ParagraphStyle:
    settings = {"fontName": _fonts()[0], "fontSize": size, "leading": 1.3 * size, "spaceAfter": 0.6 * size}
    return ParagraphStyle("drawn", **(settings | changes))


def _flowables(blocks: Sequence[Block], style: ParagraphStyle) -> list[Flowable]:
    return [flowable for block in blocks for flowable in _flow(block, style)]


def _markup(text: Text) -> str:
    return "".join(_span_markup(span) for span in spans(text))


def _span_markup(span: Span) -> str:
    inner = escape(span.text.replace("\u00ad", ""))
    if span.href:
        return f'<a href="{span.href}">{inner}</a>'
    if span.mark == "code":
        return f'<font name="{_fonts()[1]}">{inner}</font>'
    return f"<{TAGS[span.mark]}>{inner}</{TAGS[span.mark]}>" if span.mark else inner


@singledispatch
def _flow(block: Block, style: ParagraphStyle) -> list[Flowable]:
    raise NotImplementedError(f"reportlab's printer has no {type(block).__name__}.")


@_flow.register
def _(block: Paragraph, style: ParagraphStyle) -> list[Flowable]:
    return [PlatypusParagraph(_markup(block.text), style)]


@_flow.register
def _(block: Heading, style: ParagraphStyle) -> list[Flowable]:
    size = style.fontSize * (2.2 - 0.4 * block.level)
    return [PlatypusParagraph(f"<b>{_markup(block.text)}</b>", _style(size, spaceBefore=size))]


@_flow.register
def _(block: Quote, style: ParagraphStyle) -> list[Flowable]:
    return [
        PlatypusParagraph(
            _markup(block.text), _style(style.fontSize, leftIndent=15 * mm, rightIndent=15 * mm)
        )
    ]


@_flow.register
def _(block: Code, style: ParagraphStyle) -> list[Flowable]:
    return [Preformatted(block.text, _style(style.fontSize - 1, fontName=_fonts()[1]))]


@_flow.register
def _(block: Items, style: ParagraphStyle) -> list[Flowable]:
    items = [
        ListItem([PlatypusParagraph(_markup(text), style), *(_flow(below, style) if below else [])])
        for text, below in block.pairs()
    ]
    numbers = {"bulletType": "1", "bulletFormat": "%s."} if block.ordered else {"bulletType": "bullet"}
    return [ListFlowable(items, **numbers), Spacer(1, style.fontSize)]


@_flow.register
def _(block: Table, style: ParagraphStyle) -> list[Flowable]:
    rows, commands = _grid(block)
    if "ruled" in block.css_class.split():
        commands.append(("GRID", (0, 0), (-1, -1), 0.5, black))
    alignment = "MIDDLE" if "centered" in block.css_class else "TOP"
    cells = [[PlatypusParagraph(escape(text), style) for text in row] for row in rows]
    table = PlatypusTable(cells, style=[("VALIGN", (0, 0), (-1, -1), alignment), *commands])
    return [table, Spacer(1, style.fontSize)]


def _grid(block: Table) -> tuple[list[list[str]], list[tuple[object, ...]]]:
    """Return the texts of a full grid, and reportlab's commands for cells that span."""
    texts: dict[tuple[int, int], str] = {}
    commands: list[tuple[object, ...]] = []
    for number, row in enumerate(block.rows):
        column = 0
        for cell in (Cell(one) if isinstance(one, str) else one for one in row):
            while (number, column) in texts:
                column += 1
            covered = [(number + y, column + x) for y in range(cell.rows) for x in range(cell.columns)]
            texts.update(dict.fromkeys(covered, "") | {(number, column): cell.text})
            if len(covered) > 1:
                (bottom, right) = covered[-1]
                commands.append(("SPAN", (column, number), (right, bottom)))
            column += cell.columns
    width, height = max(x for _, x in texts) + 1, max(y for y, _ in texts) + 1
    return [[texts.get((y, x), "") for x in range(width)] for y in range(height)], commands


@_flow.register
def _(block: Group, style: ParagraphStyle) -> list[Flowable]:
    if block.css_class == "notes":
        return _flowables(block.blocks, _style(0.8 * style.fontSize))
    if not block.css_class:
        return _flowables(block.blocks, style)
    count = int(block.css_class.removeprefix("columns"))
    narrow = _style(min(style.fontSize, 9))
    columns = BalancedColumns(_flowables(block.blocks, narrow), nCols=count, innerPadding=8 * mm)
    return [columns, Spacer(1, style.fontSize)]
