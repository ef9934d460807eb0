"""Step 3 — the files, for their owner: the original, whole or in ranges, and pictures of its pages.

A file that a user sent may be anything that a browser would act on: it goes out as an attachment under a name
of ours, and nothing in it may run (`headers.API_POLICY`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any
from uuid import UUID

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from .. import storage
from ..auth import authentication
from ..db import executor
from ..errors import RequestError, ScanrillError
from ..models import Upload, User
from ..uploads import page_images, queries


def owner_required(view: Callable[..., Awaitable[HttpResponseBase]]) -> Callable[..., Any]:
    """The view with the user of the request's token, and our errors as JSON."""

    async def guarded(request: ASGIRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            identity = await executor.run_in_db_thread(
                authentication.authenticate, authentication.bearer_token(request.scope)
            )
            response = await view(request, identity.user, **kwargs)
        except ScanrillError as error:
            response = JsonResponse({"error": error.fields}, status=error.http_status)
        response["Cache-Control"] = "private, no-cache"
        return response

    return require_safe(guarded)


@owner_required
async def download_original(request: HttpRequest, user: User, upload_id: UUID) -> HttpResponseBase:
    """`GET /api/uploads/{id}/file`."""
    upload = await executor.run_in_db_thread(queries.upload, owner=user, upload_id=upload_id)
    etag = f'"{upload.image_hash}"'
    if _has_it(request.headers.get("If-None-Match", ""), etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    span = _parse_range(request, upload.bytes, etag)
    if span is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{upload.bytes}"})
    start, end = span
    pieces = storage.iter_bytes(upload.image_path, start, end)
    # Before an answer begins: where files cannot be reached, that is to be one of its own.
    first = b"" if request.method == "HEAD" else await asyncio.to_thread(next, pieces, b"")
    return StreamingHttpResponse(
        _stream(first, pieces),
        status=200 if end - start == upload.bytes else 206,
        content_type=upload.content_type,
        headers=_headers(upload, start, end) | {"ETag": etag},
    )


@owner_required
async def page_image(request: HttpRequest, user: User, upload_id: UUID, number: int) -> HttpResponseBase:
    """`GET /api/uploads/{id}/pages/{n}/image?width=`: a picture of the page, upright, at most that wide."""
    upload = await executor.run_in_db_thread(queries.upload, owner=user, upload_id=upload_id)
    width = _width(request.GET.get("width"))
    picture = await page_images.page_image(upload.image_path, number, width)
    return HttpResponse(picture, content_type=page_images.CONTENT_TYPE)


def _headers(upload: Upload, start: int, end: int) -> dict[str, str]:
    name = upload.image_path.replace("/original", "")
    headers = {
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if end - start != upload.bytes:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{upload.bytes}"
    return headers


async def _stream(first: bytes, pieces: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    piece = first
    try:
        while piece:
            yield piece
            piece = await asyncio.to_thread(next, pieces, b"")
    finally:
        pieces.close()


def _has_it(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: a list, compared weakly; `*` is any."""
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in known or known == ["*"]


def _parse_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """The bytes asked for, [start, end), or None where there are none such.

    RFC 9110, 14.2: what is not understood (several ranges, other units) is answered with the whole, as is
    what asks for its end before its start.
    """
    header = request.headers.get("Range", "")
    match = re.fullmatch(r"bytes=([0-9]{0,15})-([0-9]{0,15})", header.strip())
    asked = match is not None and request.method == "GET" and request.headers.get("If-Range", etag) == etag
    if match is None or not asked or not (match[1] or match[2]):
        return 0, size
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        if match[2] and int(match[2]) < int(match[1]):
            return 0, size
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    return (start, end) if start < end else None


def _width(text: str | None) -> int:
    if text is None:
        return page_images.WIDTHS[-1]
    if not (text.isascii() and text.isdecimal()) or not 1 <= len(text) <= 5 or not int(text):
        raise RequestError({"width": "A whole number of pixels is expected."})
    return int(text)
