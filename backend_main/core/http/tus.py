"""Handlers of resumable uploads, by tus 1.0 (https://tus.io/protocols/resumable-upload).

Extensions: creation, creation-with-upload, checksum, expiration, termination. The last bytes make the file an
upload like all others. The response to them, and to each later `HEAD`, has its id in `Scanrill-Upload`.

If that fails for a reason that passes, such as a quota, the file stays. `HEAD` tries again, and answers 423
until it succeeds: after a success, a client would believe that all is done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from ..auth import authentication
from ..conf import conf
from ..db import executor
from ..errors import RequestError, RequestTimeout, ResumableUploadLocked, ScanrillError
from ..integration_models import ResumableUpload
from ..models import User
from ..uploads import resumable
from . import tus_headers
from .http_errors import ChecksumMismatch, OffsetMismatch, TusVersionNotSupported, UnsupportedMediaType
from .receive import CHUNK_BYTES, writers
from .request_body import ClientDisconnected, body_parts
from .request_headers import header
from .responses import encode_headers, send_error
from .stream_routes import Handler, StreamRoute
from .tus_headers import Checksum
from .types import Message, Receive, Scope, Send

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
MEDIA_TYPE = "application/offset+octet-stream"
UPLOAD_HEADER, DUPLICATE_HEADER = "Scanrill-Upload", "Scanrill-Duplicate"


def tus_handler(handler: Handler) -> Handler:
    """Wrap a handler: it requires the version of tus, and each response names it, also those to errors."""

    async def versioned(scope: Scope, receive: Receive, send: Send, **parameters: Any) -> None:
        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                version = encode_headers({"Tus-Resumable": VERSION, "Cache-Control": "no-store"})
                message = {**message, "headers": [*message["headers"], *version]}
            await send(message)

        try:
            if header(scope, "tus-resumable") != VERSION:
                raise TusVersionNotSupported(VERSION)
            identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
            await handler(scope, receive, send_with_version, identity.user, **parameters)
        except ScanrillError as error:
            await send_error(scope, receive, send_with_version, error)

    return versioned


async def describe(scope: Scope, receive: Receive, send: Send, **_: Any) -> None:
    """Serve `OPTIONS`: what the server supports; without a token, as tus requires."""
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Checksum-Algorithm": ",".join(tus_headers.CHECKSUM_ALGORITHMS),
    }
    if conf.max_upload_bytes:
        headers["Tus-Max-Size"] = str(conf.max_upload_bytes)
    await _respond(send, 204, headers)


@tus_handler
async def create(scope: Scope, receive: Receive, send: Send, user: User) -> None:
    """Serve `POST`: add a resumable upload, and receive the beginning of its file, if the body has it."""
    length = tus_headers.upload_length(scope)
    request = tus_headers.create_request(scope)
    upload = await executor.run_for_user(
        user.pk, resumable.create, owner=user, length=length, request=request
    )
    has_bytes = header(scope, "content-type") == MEDIA_TYPE
    if has_bytes or not length:
        await _append(scope, receive, user, upload, None)
    location = f"/api/tus/{upload.pk}"
    await _respond(send, 201, {"Location": location} | _state(upload))


@tus_handler
async def head(scope: Scope, receive: Receive, send: Send, user: User, resumable_id: UUID) -> None:
    """Serve `HEAD`: the number of bytes that have arrived."""
    upload = await executor.run_for_user(user.pk, resumable.get, owner=user, upload_id=resumable_id)
    offset = resumable.offset_of(upload)
    if offset == upload.length and upload.upload_id is None:
        await _complete_later(user, upload)
    await _respond(send, 200, _state(upload, offset) | {"Upload-Length": str(upload.length)})


@tus_handler
async def append(scope: Scope, receive: Receive, send: Send, user: User, resumable_id: UUID) -> None:
    """Serve `PATCH`: append the body to the file."""
    if header(scope, "content-type") != MEDIA_TYPE:
        raise UnsupportedMediaType(f"A body of the type {MEDIA_TYPE} is expected.")
    offset = tus_headers.upload_offset(scope)
    upload = await executor.run_for_user(user.pk, resumable.get, owner=user, upload_id=resumable_id)
    await _append(scope, receive, user, upload, offset)
    await _respond(send, 204, _state(upload))


@tus_handler
async def terminate(scope: Scope, receive: Receive, send: Send, user: User, resumable_id: UUID) -> None:
    """Serve `DELETE`: remove what has arrived; an upload that it became stays."""
    upload = await executor.run_for_user(user.pk, resumable.get, owner=user, upload_id=resumable_id)
    if upload.upload_id is None:
        with resumable.open_file(upload):
            await executor.run_for_user(user.pk, resumable.remove, upload)
    else:
        await executor.run_for_user(user.pk, resumable.remove, upload)
    await _respond(send, 204, {})


async def _append(
    scope: Scope, receive: Receive, user: User, upload: ResumableUpload, offset: int | None
) -> None:
    """Append the body to the file, and complete the upload with its last byte.

    Bytes that arrive before the connection breaks stay, unless the request has a checksum.
    """
    checksum = tus_headers.upload_checksum(scope)
    expected_bytes = int(header(scope, "content-length") or 0)
    if upload.upload_id is not None:
        raise OffsetMismatch(upload.length)
    with resumable.open_file(
        upload,
        expected_bytes=min(expected_bytes, upload.length),
        hash_name=checksum.algorithm if checksum else "",
    ) as file:
        if offset is not None and offset != file.offset:
            raise OffsetMismatch(file.offset)
        try:
            async for chunk in _chunks(receive):
                await writers.run(user.pk, file.write, chunk)
            await _check(user, file, checksum)
        except BaseException:
            if checksum is not None:
                file.discard()
            raise
        finally:
            await executor.run_in_db_thread(resumable.record_progress, upload, file.offset)
        if file.offset == upload.length:
            await _complete(user, upload)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield a body in chunks of about `CHUNK_BYTES`; also what came before the connection broke."""
    buffer = bytearray()
    try:
        async for part in body_parts(receive):
            buffer += part
            if len(buffer) >= CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    except (ClientDisconnected, RequestTimeout):
        yield bytes(buffer)
        raise
    yield bytes(buffer)


async def _check(user: User, file: resumable.ResumableFile, checksum: Checksum | None) -> None:
    if checksum is not None and file.digest() != checksum.digest:
        raise ChecksumMismatch


async def _complete(user: User, upload: ResumableUpload) -> None:
    """Make the whole file an upload; the caller has it open. A file that is refused for good is removed."""
    try:
        staged = await writers.run(user.pk, resumable.check_whole_file, upload)
        await executor.run_for_user(user.pk, resumable.complete, user, upload, staged)
    except RequestError as error:
        if not error.is_retryable:
            await executor.run_in_db_thread(resumable.remove, upload)
        raise


async def _complete_later(user: User, upload: ResumableUpload) -> None:
    """Complete an upload whose file is whole, for `HEAD`: what can succeed later becomes “locked”."""
    try:
        with resumable.open_file(upload):
            await _complete(user, upload)
    except RequestError as error:
        if error.is_retryable:
            raise ResumableUploadLocked from error
        raise


def _state(upload: ResumableUpload, offset: int | None = None) -> dict[str, str]:
    """Return the headers that say how far an upload is."""
    headers = {
        "Upload-Offset": str(upload.received if offset is None else offset),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }
    if upload.upload_id is not None:
        headers[UPLOAD_HEADER] = str(upload.upload_id)
        headers[DUPLICATE_HEADER] = "true" if upload.is_duplicate else "false"
    return headers


async def _respond(send: Send, status: int, headers: dict[str, str]) -> None:
    length = {} if status == 204 else {"Content-Length": "0"}
    await send({"type": "http.response.start", "status": status, "headers": encode_headers(headers | length)})
    await send({"type": "http.response.body"})


RESUMABLE_UPLOADS = StreamRoute("api/tus", {"OPTIONS": describe, "POST": create})
RESUMABLE_UPLOAD = StreamRoute(
    "api/tus/<uuid:resumable_id>",
    {"OPTIONS": describe, "HEAD": head, "PATCH": append, "DELETE": terminate},
)
