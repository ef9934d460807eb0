"""Assembly of a born-digital page: its text layer and its drawing → final Markdown and plain text."""

from collections.abc import Mapping
from dataclasses import replace

from ..documents.pdf_text_layer import TextLayer
from ..documents.turned_page import upright_layer
from ..layout.columns import split_columns
from ..layout.document_furniture import find_furniture
from ..layout.geometry import LayoutBox
from ..layout.rows import body_text_height
from ..output.formatted_page import FormattedPage
from ..output.plain_text import to_plain_text
from ..types import FurnitureOption, LineRole
from .blocks import BlockKind, DigitalBlock
from .column_blocks import column_blocks
from .document_context import DocumentContext
from .figures import DigitalFigure, find_figures
from .formulas import DigitalFormula, find_formulas
from .inline_fractions import find_inline_fractions
from .markdown import blocks_markdown
from .notes import with_notes
from .page import DigitalPage
from .page_flow import page_blocks
from .tables import DigitalTable, find_tables

Inset = DigitalTable | DigitalFigure | DigitalFormula
"""A part of the page that divides its running text."""


def assemble_digital_page(
    layer: TextLayer, number: int, context: DocumentContext, furniture: FurnitureOption = "drop"
) -> FormattedPage:
    """Return the final Markdown and plain text of page `number`; `keep` leaves page furniture in them."""
    page = DigitalPage(number, upright_layer(layer))
    page, fractions = _with_inline_fractions(page)
    if not page.boxes:
        return _formatted(with_notes([], layer.notes), {})
    roles = find_furniture(page.furniture_page, context.pages_near(number))
    dropped = frozenset(roles) if furniture == "drop" else frozenset[int]()
    body_height = body_text_height(page.boxes)
    free = [box for box in page.boxes if box.index not in dropped | fractions]
    tables = find_tables(page, free)
    free = _without(free, [table.boxes for table in tables])
    figures = find_figures(page, free)
    free = _without(free, [figure.boxes for figure in figures])
    formulas = find_formulas(page, free)
    free = _without(free, [formula.boxes for formula in formulas])
    insets: dict[int, Inset] = dict(enumerate([*tables, *figures, *formulas], len(page.boxes)))
    flow = [
        *free,
        *(LayoutBox(index, *inset.rect, text_height=body_height) for index, inset in insets.items()),
    ]
    columns = (_blocks(page, column, insets, context) for column in split_columns(flow, body_height))
    return _formatted(with_notes(page_blocks(columns, context.profile.vocabulary), layer.notes), roles)


def _with_inline_fractions(page: DigitalPage) -> tuple[DigitalPage, frozenset[int]]:
    """Return the page with fractions in their lines, and the boxes of their parts."""
    changed, parts = find_inline_fractions(page)
    if not changed:
        return page, parts
    runs = tuple(changed.get(index, run) for index, run in enumerate(page.layer.runs))
    return DigitalPage(page.number, replace(page.layer, runs=runs)), parts


def _formatted(blocks: list[DigitalBlock], roles: Mapping[int, LineRole]) -> FormattedPage:
    markdown = blocks_markdown(blocks)
    return FormattedPage(markdown, to_plain_text(markdown), roles)


def _without(boxes: list[LayoutBox], used: list[frozenset[int]]) -> list[LayoutBox]:
    indices = frozenset[int]().union(*used)
    return [box for box in boxes if box.index not in indices]


def _blocks(
    page: DigitalPage,
    column: list[LayoutBox],
    insets: dict[int, Inset],
    context: DocumentContext,
) -> list[DigitalBlock]:
    """Return the blocks of a column; tables, figures and formulas divide its text."""
    blocks: list[DigitalBlock] = []
    text: list[LayoutBox] = []
    for box in sorted(column, key=lambda box: box.center_y):
        inset = insets.get(box.index)
        if inset is None:
            text.append(box)
            continue
        blocks += column_blocks(page, text, context.profile)
        text = []
        if isinstance(inset, DigitalFigure):
            blocks.append(DigitalBlock("figure", inset.rect))
        else:
            kind: BlockKind = "table" if isinstance(inset, DigitalTable) else "formula"
            blocks.append(DigitalBlock(kind, inset.rect, markdown=inset.markdown))
    return blocks + column_blocks(page, text, context.profile)
