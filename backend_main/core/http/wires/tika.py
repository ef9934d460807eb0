"""Apache Tika (`PUT /tika`), and the external loader of Open WebUI (`PUT /process`): a file in, text out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote
from uuid import UUID

import msgspec

from ...errors import ScanrillError
from ...exports.document import ExportDocument
from ...exports.formats import parse_request
from ...uploads import commands
from ..responses import JSON
from ..stream_routes import StreamRoute
from .requests import (
    WireRequest,
    create,
    file_body,
    language_options,
    read_options,
    render_as,
    render_format,
    wait_until_read,
    wire_handler,
)

VIA_TIKA, VIA_OPEN_WEBUI = "tika", "open-webui"
TEXT, HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"
GREETING = "This is scanrill, which serves PUT /tika as Apache Tika does.\n"


def _error_body(error: ScanrillError) -> dict[str, str]:
    return {"detail": " ".join(error.fields.values())}


async def _upload_id(request: WireRequest, via: str) -> tuple[UUID, str]:
    name = unquote(request.header("x-filename")) or None
    languages = request.header("x-tika-ocrlanguage").replace("+", ",").split(",")
    options = read_options(language_options(languages))
    async with file_body(request, filename=name) as received:
        source = commands.UploadSource(staged=received.file)
        upload = await create(request, source, via=via, options=options)
    await wait_until_read(request, upload)
    return upload.pk, upload.content_type


@wire_handler(_error_body)
async def _tika(request: WireRequest) -> None:
    """Serve `PUT /tika`: plain text, or HTML or JSON if `Accept` asks for it."""
    upload_id, content_type = await _upload_id(request, VIA_TIKA)
    accept = request.header("accept")
    if "application/json" in accept:
        await _send_json(request, upload_id, content_type)
        return
    is_html = "text/html" in accept or "text/xml" in accept
    wanted = parse_request({"format": "html" if is_html else "txt"})
    await request.send_bytes(await render_format(request, upload_id, wanted), HTML if is_html else TEXT)


@wire_handler(_error_body)
async def _tika_text(request: WireRequest) -> None:
    """Serve `PUT /tika/text`: the text in JSON, or plain if `Accept` asks for it."""
    upload_id, content_type = await _upload_id(request, VIA_TIKA)
    if request.header("accept").startswith("text/plain"):
        await request.send_bytes(
            await render_format(request, upload_id, parse_request({"format": "txt"})), TEXT
        )
        return
    await _send_json(request, upload_id, content_type)


async def _send_json(request: WireRequest, upload_id: UUID, content_type: str) -> None:
    text = await render_format(request, upload_id, parse_request({"format": "txt"}))
    body = {"X-TIKA:content": text.decode(), "Content-Type": content_type}
    await request.send_json(200, body)


@wire_handler(_error_body)
async def _greeting(request: WireRequest) -> None:
    await request.send_bytes(GREETING.encode(), TEXT)


@wire_handler(_error_body)
async def _process(request: WireRequest) -> None:
    """Serve `PUT /process`: a list of pages, each with its Markdown and metadata."""
    upload_id, _ = await _upload_id(request, VIA_OPEN_WEBUI)
    await request.send_bytes(await render_as(request, upload_id, write_pages), JSON)


def write_pages(document: ExportDocument) -> Iterator[bytes]:
    """Yield the pages with text as the loader expects them."""
    gap = b"["
    for page in document.pages():
        if not page.text.strip():
            continue
        metadata = {
            "source": PurePosixPath(document.filename).name,
            "page": page.number,
            "total_pages": document.page_count,
            "confidence": page.confidence,
        }
        yield gap + msgspec.json.encode({"page_content": page.markdown, "metadata": metadata})
        gap = b","
    yield b"]" if gap == b"," else b"[]"


ROUTES = (
    StreamRoute("tika", {"PUT": _tika}),
    StreamRoute("tika", {"GET": _greeting}, has_body=False),
    StreamRoute("tika/text", {"PUT": _tika_text}),
)
PROCESS_ROUTES = (StreamRoute("process", {"PUT": _process}),)
