"""Exports of finished uploads: one file, or a ZIP archive of many. They are streamed while they are written.

Each step of an export, a few pages, takes a turn of its user. An export ends when its client goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from ..db import executor
from ..errors import RequestError
from ..exports.archive import write_archive
from ..exports.formats import PARAMETERS, parse_request
from ..live.send_queue import SEND_TIMEOUT_SECONDS
from ..models import User
from ..runtime import runtime_of
from ..uploads import queries
from .downloads import owner_required
from .parameters import with_parameters
from .render import ExportSteps, attachment_headers, document_opener
from .user_turns import release_once, release_with

MAX_IDS = 200
"""Uploads of one archive; their ids fit into a request line."""
ARCHIVE_NAME = "scanrill-export.zip"
ARCHIVE_TYPE = "application/zip"


@with_parameters(*PARAMETERS)
@owner_required
async def export_upload(request: ASGIRequest, user: User, upload_id: UUID) -> HttpResponseBase:
    """Serve `GET /api/uploads/{id}/export?format=&pages=&furniture=&images=&page_breaks=&table=`."""
    wanted = parse_request(request.GET.dict())
    open_document = document_opener(runtime_of(request.scope), user, wanted)
    document = await executor.run_export_step(user.pk, open_document, upload_id)
    name = document.stem + wanted.format.extension
    headers = attachment_headers(name)
    if request.method == "HEAD":
        return HttpResponse(content_type=wanted.format.media_type, headers=headers)
    return await _respond(request, user, wanted.format.write(document), wanted.format.media_type, headers)


@with_parameters("ids", *PARAMETERS)
@owner_required
async def export_uploads(request: ASGIRequest, user: User) -> HttpResponseBase:
    """Serve `GET /api/export?ids=&format=…`: a ZIP archive of the exports of the uploads."""
    parameters = request.GET.dict()
    upload_ids = _upload_ids(parameters.pop("ids", ""))
    wanted = parse_request(parameters)
    await executor.run_export_step(user.pk, queries.require_uploads, owner=user, upload_ids=upload_ids)
    headers = attachment_headers(ARCHIVE_NAME)
    if request.method == "HEAD":
        return HttpResponse(content_type=ARCHIVE_TYPE, headers=headers)
    chunks = write_archive(
        upload_ids, document_opener(runtime_of(request.scope), user, wanted), wanted.format
    )
    return await _respond(request, user, chunks, ARCHIVE_TYPE, headers)


def _upload_ids(text: str) -> list[UUID]:
    """Return the ids in a list with commas, each once."""
    try:
        found = list(dict.fromkeys(UUID(part.strip()) for part in text.split(",")))
    except ValueError:
        raise RequestError({"ids": "The ids of uploads are expected, with commas between them."}) from None
    if len(found) > MAX_IDS:
        raise RequestError({"ids": f"An archive has at most {MAX_IDS} uploads. Make several."})
    return found


async def _respond(
    request: ASGIRequest, user: User, chunks: Iterator[bytes], media_type: str, headers: dict[str, str]
) -> HttpResponseBase:
    """Return a response with the chunks. An error before the first one becomes a response of its own."""
    places = runtime_of(request.scope).exports
    await places.acquire(user.pk)
    release = release_once(places, user.pk)
    export = ExportSteps(chunks, user.pk)
    try:
        first = await export.next_chunk()
    except BaseException:
        release()
        await export.close()
        raise
    response = StreamingHttpResponse(
        _stream(first, export, release), content_type=media_type, headers=headers
    )
    release_with(response, release)
    return response


async def _stream(
    first: bytes | None, export: ExportSteps, release: Callable[[], None]
) -> AsyncIterator[bytes]:
    """Yield the chunks. A client that takes none for `SEND_TIMEOUT_SECONDS` is disconnected."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    chunk = first
    try:
        while chunk is not None:
            timeout = loop.call_later(SEND_TIMEOUT_SECONDS, task.cancel)
            try:
                yield chunk
            finally:
                timeout.cancel()
            chunk = await export.next_chunk()
    finally:
        release()
        await export.close()
