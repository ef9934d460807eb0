"""Azure Document Intelligence, models `prebuilt-read` and `prebuilt-layout`, with the searchable PDF.

Its paths are at the root, because the SDK finds the id of a result in the path of its address. The older
paths below `/formrecognizer` are served too. A result is an upload; its id also names the model.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec

from ....reading.types import Block, Box
from ...errors import RequestError, ScanrillError, UploadNotFound
from ...exports.document import ExportDocument, ExportPage
from ...exports.formats import parse_request
from ...models import Status, Upload
from ...uploads import commands
from ...uploads.quotas import OPEN_STATUSES
from ..fetch import fetch_file
from ..path_prefix import link_prefix
from ..responses import JSON, encode_headers
from ..stream_routes import StreamRoute
from .requests import (
    WireRequest,
    create,
    file_body,
    find_upload,
    json_body,
    language_options,
    read_options,
    render_as,
    render_format,
    wire_handler,
)
from .word_places import PlacedLine, PlacedWord, places_in_lines, places_in_markdown

VIA = "azure"
API_VERSION = "2024-11-30"
MODELS = ("prebuilt-read", "prebuilt-layout")
RETRY_AFTER_SECONDS = 1
_ROLES = {
    "page_header": "pageHeader",
    "page_footer": "pageFooter",
    "page_number": "pageNumber",
    "heading": "sectionHeading",
    "footnote": "footnote",
    "formula": "formulaBlock",
}


class AnalyzeRequest(msgspec.Struct, rename="camel"):
    """Body of `:analyze` in JSON."""

    base64_source: str | None = None
    url_source: str | None = None


def _error_body(error: ScanrillError) -> dict[str, Any]:
    code = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}.get(error.http_status, "InvalidRequest")
    code = "InternalServerError" if error.http_status >= 500 else code
    return {"error": {"code": code, "message": " ".join(error.fields.values()), "details": []}}


@wire_handler(_error_body)
async def _analyze(request: WireRequest, model: str) -> None:
    """Create an upload; answer with the address of its result."""
    if model not in MODELS:
        raise UploadNotFound
    query = {
        name: values[0] for name, values in parse_qs(request.scope["query_string"].decode("latin-1")).items()
    }
    options: dict[str, Any] = language_options([query["locale"]] if "locale" in query else [])
    if "pages" in query:
        options["pages"] = query["pages"]
    if "barcodes" in query.get("features", "").split(","):
        options["barcodes"] = True
    read = read_options(options)
    if request.header("content-type").partition(";")[0].strip() == "application/json":
        upload = await _create_from_json(request, read)
    else:
        async with file_body(request) as received:
            source = commands.UploadSource(staged=received.file)
            upload = await create(request, source, via=VIA, options=read)
    is_markdown = query.get("outputContentFormat") == "markdown"
    product = request.scope["path"].lstrip("/").partition("/")[0]
    address = (
        f"{request.scope['scheme']}://{request.header('host')}{link_prefix(request.scope)}/{product}"
        f"/documentModels/{model}/analyzeResults/{upload.pk}{'-md' if is_markdown else ''}"
        f"?api-version={query.get('api-version', API_VERSION)}"
    )
    headers = {"Operation-Location": address, "Retry-After": str(RETRY_AFTER_SECONDS), "Content-Length": "0"}
    await request.send({"type": "http.response.start", "status": 202, "headers": encode_headers(headers)})
    await request.send({"type": "http.response.body", "body": b""})


async def _create_from_json(request: WireRequest, options: Any) -> Upload:
    async with json_body(request, AnalyzeRequest) as body:
        if body.base64_source is not None:
            source = commands.UploadSource(image_base64=body.base64_source)
            return await create(request, source, via=VIA, options=options)
    if body.url_source is None:
        raise RequestError({"base64Source": "Set base64Source or urlSource, or send the file itself."})
    async with fetch_file(request.identity.user, body.url_source, None) as file:
        source = commands.UploadSource(staged=file)
        return await create(request, source, via=VIA, options=options)


@wire_handler(_error_body)
async def _result(request: WireRequest, model: str, result_id: str) -> None:
    """Serve the state of an analysis, with its result when it has succeeded."""
    upload, is_markdown = await _upload(request, result_id)
    if upload.status == Status.PROCESSED:

        def write(document: ExportDocument) -> Iterator[bytes]:
            result = analyze_result(document, model, is_markdown=is_markdown)
            yield msgspec.json.encode({**_state(upload, "succeeded"), "analyzeResult": result})

        await request.send_bytes(await render_as(request, upload.pk, write), JSON)
    elif upload.status in OPEN_STATUSES:
        # Some clients know no `notStarted`.
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        await request.send_json(200, _state(upload, "running"), headers)
    else:
        error = {"code": "InvalidContent", "message": upload.error or "The file could not be read."}
        await request.send_json(200, {**_state(upload, "failed"), "error": error})


@wire_handler(_error_body)
async def _pdf(request: WireRequest, model: str, result_id: str) -> None:
    """Serve the searchable PDF of an analysis."""
    upload, _ = await _upload(request, result_id)
    content = await render_format(request, upload.pk, parse_request({"format": "pdf"}))
    await request.send_bytes(content, "application/pdf")


async def _upload(request: WireRequest, result_id: str) -> tuple[Upload, bool]:
    try:
        upload_id = UUID(result_id.removesuffix("-md"))
    except ValueError:
        raise UploadNotFound from None
    return await find_upload(request, upload_id), result_id.endswith("-md")


def _state(upload: Upload, status: str) -> dict[str, Any]:
    return {
        "status": status,
        "createdDateTime": _time(upload.created_at),
        "lastUpdatedDateTime": _time(upload.updated_at),
    }


def _time(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def analyze_result(document: ExportDocument, model: str, *, is_markdown: bool) -> dict[str, Any]:
    """Return the result. Its content is the lines of the pages; in Markdown the Markdown of the pages.

    With Markdown, what is not in it as it is, such as a word that a line break divides, has a length of 0.
    """
    builder = _Builder(is_markdown=is_markdown)
    for page in document.pages():
        builder.add_page(page)
    result: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "modelId": model,
        "stringIndexType": "textElements",
        "contentFormat": "markdown" if is_markdown else "text",
        "content": builder.content,
        "pages": builder.pages,
        "paragraphs": builder.paragraphs,
        "styles": [],
        "documents": [],
        "languages": [],
    }
    if model == "prebuilt-layout":
        result |= {"tables": builder.tables, "figures": [], "sections": []}
    return result


class _Builder:
    """Content of a result, with the places of its parts in code points."""

    def __init__(self, *, is_markdown: bool) -> None:
        self._is_markdown = is_markdown
        self._parts: list[str] = []
        self._length = 0
        self.pages: list[dict[str, Any]] = []
        self.paragraphs: list[dict[str, Any]] = []
        self.tables: list[dict[str, Any]] = []

    @property
    def content(self) -> str:
        return "".join(self._parts)

    def add_page(self, page: ExportPage) -> None:
        if self._parts:
            self._append("\n\n" if self._is_markdown else "\n")
        start = self._length
        lines = [line for line in page.lines if line.text.strip()]
        text = page.markdown if self._is_markdown else "\n".join(line.text for line in lines)
        self._append(text)
        placed = list(places_in_markdown(page, lines) if self._is_markdown else places_in_lines(lines))
        spans = {id(line.line): start + line.offset for line in placed}
        self.pages.append(
            {
                "pageNumber": page.number,
                "angle": 0,
                "width": page.width,
                "height": page.height,
                "unit": "pixel",
                "spans": [{"offset": start, "length": len(text)}],
                "words": [_word(word, start) for line in placed for word in line.words],
                "lines": [_line(line, start) for line in placed],
                "selectionMarks": _selection_marks(page),
                "barcodes": [_barcode(block, start) for block in page.blocks if block.type == "barcode"],
            }
        )
        for block in page.blocks:
            self._add_block(page, block, spans, start)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _add_block(self, page: ExportPage, block: Block, spans: dict[int, int], start: int) -> None:
        lines = [page.lines[at] for at in block.lines if at < len(page.lines)]
        places = [spans[id(line)] for line in lines if id(line) in spans]
        if block.type == "table":
            self.tables.append(_table(page, block, min(places, default=start)))
        elif block.text:
            paragraph: dict[str, Any] = {
                "content": block.text,
                "boundingRegions": _regions(page, block.box),
                "spans": [{"offset": min(places, default=start), "length": len(block.text)}],
            }
            if block.type in _ROLES:
                is_title = block.type == "heading" and block.level == 1
                paragraph["role"] = "title" if is_title else _ROLES[block.type]
            self.paragraphs.append(paragraph)


def _polygon(box: Box | None) -> list[float]:
    return [] if box is None else [coordinate for corner in box for coordinate in corner]


def _word(placed: PlacedWord, start: int) -> dict[str, Any]:
    word = placed.word
    return {
        "content": word.text,
        "polygon": _polygon(word.box),
        "span": {"offset": start + placed.offset, "length": placed.length},
        "confidence": 1.0 if word.confidence is None else word.confidence,
    }


def _line(placed: PlacedLine, start: int) -> dict[str, Any]:
    return {
        "content": placed.line.text,
        "polygon": _polygon(placed.line.box),
        "spans": [{"offset": start + placed.offset, "length": placed.length}],
    }


def _selection_marks(page: ExportPage) -> list[dict[str, Any]]:
    return [
        {
            "state": "selected" if block.is_checked else "unselected",
            "polygon": _polygon(block.box),
            "span": {"offset": 0, "length": 0},
            "confidence": 1.0,
        }
        for block in page.blocks
        if block.is_checked is not None
    ]


def _barcode(block: Block, start: int) -> dict[str, Any]:
    return {
        "kind": block.format or "Unknown",
        "value": block.value or "",
        "polygon": _polygon(block.box),
        "span": {"offset": start, "length": 0},
        "confidence": 1.0,
    }


def _regions(page: ExportPage, box: Box | None) -> list[dict[str, Any]]:
    return [] if box is None else [{"pageNumber": page.number, "polygon": _polygon(box)}]


def _table(page: ExportPage, block: Block, start: int) -> dict[str, Any]:
    return {
        "rowCount": block.rows or 0,
        "columnCount": block.columns or 0,
        "boundingRegions": _regions(page, block.box),
        "spans": [{"offset": start, "length": 0}],
        "cells": [
            {
                "kind": "columnHeader" if cell.is_header and cell.row == 0 else "content",
                "rowIndex": cell.row,
                "columnIndex": cell.column,
                "rowSpan": cell.row_span,
                "columnSpan": cell.column_span,
                "content": cell.text,
                "boundingRegions": _regions(page, cell.box),
                "spans": [],
            }
            for cell in block.cells
        ],
    }


def _routes(product: str) -> tuple[StreamRoute, ...]:
    results = f"{product}/documentModels/<str:model>/analyzeResults/<str:result_id>"
    return (
        StreamRoute(f"{product}/documentModels/<str:model>:analyze", {"POST": _analyze}),
        StreamRoute(results, {"GET": _result}, has_body=False),
        StreamRoute(f"{results}/pdf", {"GET": _pdf}, has_body=False),
    )


ROUTES = (*_routes("documentintelligence"), *_routes("formrecognizer"))
