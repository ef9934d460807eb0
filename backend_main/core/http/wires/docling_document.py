"""DoclingDocument: the JSON of docling-core for a document, without its library.

The shape is that of docling-core 2.104, which validates it in the tests.
"""

from __future__ import annotations

from typing import Any

from ....reading.types import Block, Box, TableCell
from ...exports.document import ExportDocument, ExportPage

SCHEMA_VERSION = "1.8.0"
_LABELS = {
    "heading": "section_header",
    "list_item": "list_item",
    "caption": "caption",
    "formula": "formula",
    "code": "code",
    "footnote": "footnote",
    "page_header": "page_header",
    "page_footer": "page_footer",
    "page_number": "page_footer",
}
_FURNITURE = ("page_header", "page_footer", "page_number", "other_furniture")


def docling_document(document: ExportDocument, pages: list[ExportPage]) -> dict[str, Any]:
    """Return the document as a DoclingDocument."""
    builder = _Builder()
    for page in pages:
        builder.add_page(page)
    return {
        "schema_name": "DoclingDocument",
        "version": SCHEMA_VERSION,
        "name": document.stem,
        "furniture": _node("#/furniture", "furniture", "unspecified", name="_root_"),
        "body": {
            **_node("#/body", "body", "unspecified", name="_root_"),
            "children": builder.children,
        },
        "groups": builder.groups,
        "texts": builder.texts,
        "pictures": builder.pictures,
        "tables": builder.tables,
        "key_value_items": [],
        "form_items": [],
        "pages": {
            str(page.number): {
                "size": {"width": float(page.width), "height": float(page.height)},
                "page_no": page.number,
            }
            for page in pages
        },
    }


def _node(reference: str, layer: str, label: str, **fields: Any) -> dict[str, Any]:
    return {"self_ref": reference, "children": [], "content_layer": layer, "label": label, **fields}


class _Builder:
    """Lists of the items of a document, which refer to each other by their places."""

    def __init__(self) -> None:
        self.children: list[dict[str, str]] = []
        self.groups: list[dict[str, Any]] = []
        self.texts: list[dict[str, Any]] = []
        self.tables: list[dict[str, Any]] = []
        self.pictures: list[dict[str, Any]] = []
        self._list: dict[str, Any] | None = None

    def add_page(self, page: ExportPage) -> None:
        self._list = None
        for block in page.blocks:
            self._add_block(page, block)

    def _add_block(self, page: ExportPage, block: Block) -> None:
        if block.type != "list_item":
            self._list = None
        if block.type == "table":
            self._add(self.tables, "tables", "table", page, block, **_table(page, block))
        elif block.type == "figure":
            self._add(self.pictures, "pictures", "picture", page, block, **_NO_NOTES, annotations=[])
            if block.text:
                self._add_text("caption", page, block, box=None)
        elif block.type == "list_item":
            self._add_list_item(page, block)
        elif text := block.text or (block.value or ""):
            label = _LABELS.get(block.type, "text")
            extra: dict[str, Any] = {}
            if label == "section_header":
                # docling writes `#` for a title and `##` for a section header of level 1.
                level = block.level or 1
                label, extra = ("title", {}) if level == 1 else (label, {"level": level - 1})
            if label == "code":
                extra = {**_NO_NOTES, "code_language": "unknown"}
            self._add_text(label, page, block, text=text, **extra)

    def _add_list_item(self, page: ExportPage, block: Block) -> None:
        if self._list is None:
            reference = f"#/groups/{len(self.groups)}"
            self._list = _node(reference, "body", "list", name="list", parent={"$ref": "#/body"})
            self.groups.append(self._list)
            self.children.append({"$ref": reference})
        marker = block.marker or "-"
        is_enumerated = marker not in ("-", "*", "+")
        self._add_text("list_item", page, block, enumerated=is_enumerated, marker=marker, group=self._list)

    def _add_text(
        self, label: str, page: ExportPage, block: Block, *, text: str | None = None, **fields: Any
    ) -> None:
        content = block.text if text is None else text
        self._add(self.texts, "texts", label, page, block, orig=content, text=content, **fields)

    def _add(
        self,
        items: list[dict[str, Any]],
        name: str,
        label: str,
        page: ExportPage,
        block: Block,
        *,
        group: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        fields.pop("box", None)
        reference = {"$ref": f"#/{name}/{len(items)}"}
        layer = "furniture" if block.type in _FURNITURE else "body"
        parent = {"$ref": group["self_ref"] if group else "#/body"}
        prov = [] if block.box is None else [_provenance(page, block.box, len(fields.get("text", "")))]
        items.append(_node(reference["$ref"], layer, label, parent=parent, prov=prov, **fields))
        (group["children"] if group else self.children).append(reference)


_NO_NOTES: dict[str, Any] = {"captions": [], "references": [], "footnotes": []}


def _provenance(page: ExportPage, box: Box, characters: int) -> dict[str, Any]:
    return {"page_no": page.number, "bbox": _bbox(page, box), "charspan": [0, characters]}


def _bbox(page: ExportPage, box: Box) -> dict[str, Any]:
    """Return the rectangle around a box, inside the page: docling warns of others."""
    xs = [min(max(x, 0), page.width) for x, _ in box]
    ys = [min(max(y, 0), page.height) for _, y in box]
    return {"l": min(xs), "t": min(ys), "r": max(xs), "b": max(ys), "coord_origin": "TOPLEFT"}


def _table(page: ExportPage, block: Block) -> dict[str, Any]:
    cells = [_cell(page, cell) for cell in block.cells]
    data = {"num_rows": block.rows or 0, "num_cols": block.columns or 0, "table_cells": cells}
    return {**_NO_NOTES, "data": data, "annotations": []}


def _cell(page: ExportPage, cell: TableCell) -> dict[str, Any]:
    return {
        "bbox": None if cell.box is None else _bbox(page, cell.box),
        "row_span": cell.row_span,
        "col_span": cell.column_span,
        "start_row_offset_idx": cell.row,
        "end_row_offset_idx": cell.row + cell.row_span,
        "start_col_offset_idx": cell.column,
        "end_col_offset_idx": cell.column + cell.column_span,
        "text": cell.text,
        "column_header": cell.is_header and cell.row == 0,
        "row_header": cell.is_header and cell.row > 0,
        "row_section": False,
    }
