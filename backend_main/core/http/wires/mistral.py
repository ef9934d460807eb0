"""Mistral OCR, below `/mistral/v1`: a file is sent first and then read, or is in the request as a data URL.

A file is an upload; its id is that of the upload. Addresses of other servers are not fetched.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any
from uuid import UUID

import msgspec

from ....reading.page_ranges import MAX_CHARACTERS
from ....reading.types import Block, Box
from ...db import executor
from ...errors import RequestError, ScanrillError
from ...exports.document import ExportDocument, ExportPage
from ...models import Upload
from ...uploads import commands
from ..path_prefix import link_prefix
from ..responses import JSON
from ..stream_routes import StreamRoute
from .requests import (
    WireRequest,
    create,
    file_body,
    find_upload,
    json_body,
    read_options,
    render_as,
    wait_until_read,
    wire_handler,
)
from .word_places import places_in_markdown

VIA = "mistral"
MODEL = "mistral-ocr-latest"
DPI = 200
"""Resolution that Mistral names for pages; the boxes are in pixels of `width` and `height`."""
MAX_PAGE = 1_000_000
_FILE_ADDRESS = re.compile(r"/mistral/v1/files/([0-9a-f-]{32,36})(?:/content)?(?:[?#]|$)")
_TYPES = {
    "heading": "title",
    "list_item": "list",
    "table": "table",
    "figure": "image",
    "caption": "caption",
    "formula": "equation",
    "code": "code",
    "page_header": "header",
    "page_footer": "footer",
    "page_number": "footer",
    "other_furniture": "aside_text",
}


class OCRRequest(msgspec.Struct):
    """Body of `/v1/ocr`; other fields are ignored."""

    document: dict[str, Any]
    model: str = MODEL
    pages: list[int] | str | None = None
    confidence_scores_granularity: str | None = None
    include_blocks: bool = False


def _error_body(error: ScanrillError) -> dict[str, Any]:
    message = " ".join(error.fields.values())
    return {"object": "error", "message": message, "type": error.code, "param": None, "code": error.code}


@wire_handler(_error_body)
async def _create_file(request: WireRequest) -> None:
    async with file_body(request) as received:
        source = commands.UploadSource(staged=received.file)
        upload = await create(request, source, via=VIA, options=read_options({}))
    await request.send_json(200, _file(upload))


@wire_handler(_error_body)
async def _retrieve_file(request: WireRequest, file_id: UUID) -> None:
    await request.send_json(200, _file(await find_upload(request, file_id)))


@wire_handler(_error_body)
async def _file_address(request: WireRequest, file_id: UUID) -> None:
    """Serve an address of the file for `document_url`; only `/v1/ocr` uses it."""
    upload = await find_upload(request, file_id)
    host = request.header("host")
    path = f"{link_prefix(request.scope)}/mistral/v1/files/{upload.pk}/content"
    await request.send_json(200, {"url": f"{request.scope['scheme']}://{host}{path}"})


@wire_handler(_error_body)
async def _delete_file(request: WireRequest, file_id: UUID) -> None:
    user = request.identity.user
    await executor.run_for_user(user.pk, commands.delete, owner=user, upload_id=file_id)
    await request.send_json(200, {"id": str(file_id), "object": "file", "deleted": True})


@wire_handler(_error_body)
async def _ocr(request: WireRequest) -> None:
    async with json_body(request, OCRRequest) as body:
        address, chosen = _address(body.document), _chosen(body.pages)
        if address.startswith("data:"):
            name = body.document.get("document_name")
            name = name if isinstance(name, str) else None
            upload = await create(
                request,
                commands.UploadSource(image_base64=address, image_path=name),
                via=VIA,
                options=read_options({}),
            )
        else:
            upload = await find_upload(request, _file_id(address))
        model = body.model
        granularity, has_blocks = body.confidence_scores_granularity, body.include_blocks
    del body, address  # the base64 of the file
    await wait_until_read(request, upload)

    def write(document: ExportDocument) -> Iterator[bytes]:
        pages = [page for page in document.pages() if any(page.number - 1 in part for part in chosen)]
        yield msgspec.json.encode(
            {
                "pages": [_page(page, granularity=granularity, has_blocks=has_blocks) for page in pages],
                "model": model,
                "usage_info": {"pages_processed": len(pages), "doc_size_bytes": upload.bytes},
                "document_annotation": None,
            }
        )

    await request.send_bytes(await render_as(request, upload.pk, write), JSON)


def _file(upload: Upload) -> dict[str, Any]:
    return {
        "id": str(upload.pk),
        "object": "file",
        "bytes": upload.bytes,
        "created_at": int(upload.created_at.timestamp()),
        "filename": upload.filename,
        "purpose": "ocr",
        "sample_type": "ocr_input",
        "source": "upload",
        "num_lines": None,
        "mimetype": upload.content_type,
    }


def _address(document: dict[str, Any]) -> str:
    """Return the address of a document, or the id of a file. Raises `RequestError`."""
    kind = document.get("type")
    found = document.get("file_id" if kind == "file" else str(kind))
    if isinstance(found, dict):  # an image_url with details
        found = found.get("url")
    if not isinstance(found, str) or kind not in ("document_url", "image_url", "file"):
        raise RequestError({"document": "A document_url, an image_url or a file is expected."})
    return found


def _file_id(address: str) -> UUID:
    match = _FILE_ADDRESS.search(address)
    try:
        return UUID(match[1] if match else address)
    except ValueError:
        message = "Send the file to /v1/files first, or as a data URL. Other servers are not asked for it."
        raise RequestError({"document": message}) from None


def _chosen(pages: list[int] | str | None) -> list[Container[int]]:
    """Return the numbers of pages from 0, as in `[0, 2]` and in `0,2-4`; None: all."""
    if not isinstance(pages, str):
        return [range(MAX_PAGE)] if pages is None else [frozenset(pages)]
    if len(pages) > MAX_CHARACTERS:
        raise RequestError({"pages": f"At most {MAX_CHARACTERS} characters are expected."})
    found: list[Container[int]] = []
    for part in pages.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*", part)
        if match is None:
            raise RequestError({"pages": "Numbers of pages are expected, such as 0,2-4."})
        found.append(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found


def _page(page: ExportPage, *, granularity: str | None, has_blocks: bool) -> dict[str, Any]:
    return {
        "index": page.number - 1,
        "markdown": page.markdown,
        "images": [],
        "dimensions": {"dpi": DPI, "height": page.height, "width": page.width},
        "tables": [],
        "hyperlinks": [],
        "header": _text_of(page, "page_header"),
        "footer": _text_of(page, "page_footer"),
        "confidence_scores": None if granularity is None else _scores(page, granularity),
        "blocks": [_block(page, block) for block in page.blocks if block.box] if has_blocks else None,
    }


def _text_of(page: ExportPage, kind: str) -> str | None:
    return " ".join(block.text for block in page.blocks if block.type == kind) or None


def _scores(page: ExportPage, granularity: str) -> dict[str, Any]:
    placed = [
        word
        for line in places_in_markdown(page, page.lines)
        for word in line.words
        if word.word.confidence is not None
    ]
    found = [word.word.confidence for word in placed if word.word.confidence is not None]
    return {
        "average_page_confidence_score": page.confidence or 0.0,
        "minimum_page_confidence_score": min(found, default=page.confidence or 0.0),
        "word_confidence_scores": [
            {"text": word.word.text, "confidence": word.word.confidence, "start_index": word.offset}
            for word in placed
        ]
        if granularity == "word"
        else None,
    }


def _block(page: ExportPage, block: Block) -> dict[str, Any]:
    box: Box = block.box or ((0, 0), (0, 0), (0, 0), (0, 0))
    xs, ys = [x for x, _ in box], [y for _, y in box]
    return {
        "type": _TYPES.get(block.type, "text"),
        "top_left_x": round(min(xs)),
        "top_left_y": round(min(ys)),
        "bottom_right_x": round(max(xs)),
        "bottom_right_y": round(max(ys)),
        "content": page.markdown[slice(*block.span)] if block.span and not page.as_read else block.text,
    }


ROUTES = (
    StreamRoute("mistral/v1/files", {"POST": _create_file}),
    StreamRoute(
        "mistral/v1/files/<uuid:file_id>", {"GET": _retrieve_file, "DELETE": _delete_file}, has_body=False
    ),
    StreamRoute("mistral/v1/files/<uuid:file_id>/url", {"GET": _file_address}, has_body=False),
    StreamRoute("mistral/v1/ocr", {"POST": _ocr}),
)
