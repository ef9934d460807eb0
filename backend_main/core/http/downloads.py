"""Downloads for the owner of an upload: the original file, whole or in ranges, and images of its pages.

An uploaded file may contain anything that a browser would execute. The response is therefore an attachment
with a name that the server chooses, under a policy that runs nothing (`security_headers.API_POLICY`).
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any
from uuid import UUID

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from .. import storage
from ..auth import authentication
from ..db import executor
from ..errors import RequestError, ScanrillError
from ..models import User
from ..runtime import runtime_of
from ..uploads import page_images, queries
from . import etags
from .http_errors import RangeNotSatisfiable
from .parameters import with_parameters
from .problems import error_response


class MalformedRange(Exception):
    """A `Range` header that a server ignores: several ranges, another unit, or an end before its start."""


def owner_required(view: Callable[..., Awaitable[HttpResponseBase]]) -> Callable[..., Any]:
    """Pass the user of the request's token to the view, and return scanrill's errors as JSON."""

    @functools.wraps(view)
    async def authenticated_view(request: ASGIRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            identity = await executor.run_in_db_thread(authentication.authenticate_request, request.scope)
            response = await view(request, identity.user, **kwargs)
        except ScanrillError as error:
            response = error_response(error)
        response["Cache-Control"] = "private, no-cache"
        return response

    return authenticated_view


@owner_required
async def download_original(request: HttpRequest, user: User, upload_id: UUID) -> HttpResponseBase:
    """Serve `GET /api/uploads/{id}/file`."""
    upload = await executor.run_for_user(user.pk, queries.upload, owner=user, upload_id=upload_id)
    etag = f'"{upload.image_hash}"'
    if etags.is_unchanged(request.headers, etag):
        return etags.not_modified(etag)
    start, end = _requested_bytes(request, upload.bytes, etag)
    is_partial = end - start != upload.bytes
    name = upload.image_path.replace("/original", "")
    headers = {
        "ETag": etag,
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if is_partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{upload.bytes}"
    chunks = storage.iter_bytes(upload.image_path, start, end)
    # Read before the response begins: an error of the storage can then still become a response of its own.
    first_chunk = b"" if request.method == "HEAD" else await asyncio.to_thread(next, chunks, b"")
    return StreamingHttpResponse(
        _stream(first_chunk, chunks),
        status=206 if is_partial else 200,
        content_type=upload.content_type,
        headers=headers,
    )


@with_parameters("width")
@owner_required
async def page_image(request: ASGIRequest, user: User, upload_id: UUID, number: int) -> HttpResponseBase:
    """Serve `GET /api/uploads/{id}/pages/{n}/image?width=`: the upright page, at most `width` pixels wide."""
    upload = await executor.run_for_user(user.pk, queries.upload, owner=user, upload_id=upload_id)
    width = page_images.WIDTHS[-1]
    if (text := request.GET.get("width")) is not None:
        if not (text.isascii() and text.isdecimal()) or not 1 <= len(text) <= 5 or not int(text):
            raise RequestError({"width": "A whole number of pixels is expected."})
        width = int(text)
    width = page_images.stored_width(width)
    tag = etags.tag_of(upload.image_hash, number, width)
    if etags.is_unchanged(request.headers, tag):
        return etags.not_modified(tag)
    images = runtime_of(request.scope).page_images
    image = await images.page_image(user.pk, upload.image_path, number, width)
    return _picture(image, tag)


@owner_required
async def figure(
    request: ASGIRequest, user: User, upload_id: UUID, number: int, index: int
) -> HttpResponseBase:
    """Serve `GET /api/uploads/{id}/pages/{n}/figures/{k}`: the picture of a figure of a finished page."""
    key, area = await executor.run_for_user(
        user.pk, queries.figure_area, owner=user, upload_id=upload_id, number=number, figure=index
    )
    tag = etags.tag_of(key, number, area)
    if etags.is_unchanged(request.headers, tag):
        return etags.not_modified(tag)
    picture = await runtime_of(request.scope).page_images.figure(user.pk, key, number, area)
    return _picture(picture, tag)


def _picture(jpeg: bytes, tag: str) -> HttpResponse:
    return HttpResponse(jpeg, content_type=page_images.CONTENT_TYPE, headers={"ETag": tag})


def parse_range(header: str, size: int) -> tuple[int, int]:
    """Return the bytes [start, end) that a `Range` header requests of a file of `size` bytes.

    Source: RFC 9110, 14.2.

    Raises:
        MalformedRange: the server must ignore the header.
        RangeNotSatisfiable: the file has none of the bytes.
    """
    match = re.fullmatch(r"bytes=([0-9]{0,15})-([0-9]{0,15})", header.strip())
    if match is None or not (match[1] or match[2]):
        raise MalformedRange
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    elif match[2] and int(match[2]) < int(match[1]):
        raise MalformedRange
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    if start >= end:
        raise RangeNotSatisfiable(size)
    return start, end


def _requested_bytes(request: HttpRequest, size: int, etag: str) -> tuple[int, int]:
    """Return [start, end): the requested range, or the whole file. Raises `RangeNotSatisfiable`."""
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return 0, size
    try:
        return parse_range(request.headers.get("Range", ""), size)
    except MalformedRange:
        return 0, size


async def _stream(first_chunk: bytes, chunks: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    chunk = first_chunk
    try:
        while chunk:
            yield chunk
            chunk = await asyncio.to_thread(next, chunks, b"")
    finally:
        chunks.close()
