"""What the interfaces of other products share: receive a file, create the upload, wait, render."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from ....reading.page_ranges import PageRanges
from ...auth import authentication
from ...auth.authentication import Identity
from ...auth.credentials import credential_of
from ...db import executor
from ...errors import BodyTooLarge, RequestError, ScanrillError, SlowConsumer
from ...exports.document import ExportDocument, ExportOptions
from ...exports.formats import ExportFormat, ExportRequest
from ...fair_sharing import FairSemaphore
from ...jobs.options import ReadOptions
from ...models import Status, Upload
from ...protocol import messages, parsing
from ...runtime import runtime_of
from ...uploads import commands, ingest, queries, quotas
from ...uploads.quotas import OPEN_STATUSES
from ..http_errors import ReadingFailed, ReadingNotFinished
from ..receive import CHUNK_BYTES, ReceivedFile, receive_file, writers
from ..render import render, send_chunk
from ..request_body import body_parts
from ..responses import encode_headers, send_json
from ..stream_routes import Handler
from ..types import Receive, Scope, Send
from ..waiting import run_while_connected, watching

T = TypeVar("T")

WAIT_SECONDS = 120
"""Time after which docling-serve ends a request; most clients wait longer."""
BODY_FIELD = "body"
MAX_JSON_BODY_BYTES = 64 * 1024 * 1024
# An empty object has two bytes in JSON and 64 in memory: the values beside the file take 10 MB at most.
MAX_JSON_VALUES = 100_000
# A body of JSON with a file in base64 takes three times its bytes of memory while it is decoded. No handler
# may hold a place while it waits for a client, another server or a reading.
_decoders = FairSemaphore(2, 1)


class WireRequest(NamedTuple):
    """Request of an authenticated client."""

    scope: Scope
    receive: Receive
    send: Send
    identity: Identity

    def header(self, name: str) -> str:
        """Return a header; empty if it is not there."""
        value: bytes = dict(self.scope["headers"]).get(name.encode(), b"")
        return value.decode("latin-1")

    async def send_bytes(self, content: bytes, content_type: str) -> None:
        """Send a response of status 200. Raises `SlowConsumer` if the client reads nothing for too long."""
        headers = {"Content-Type": content_type, "Content-Length": str(len(content))}
        await self.send({"type": "http.response.start", "status": 200, "headers": encode_headers(headers)})
        for at in range(0, len(content), CHUNK_BYTES):
            await send_chunk(self.send, content[at : at + CHUNK_BYTES])
        await self.send({"type": "http.response.body", "body": b""})

    async def send_json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        """Send a response as JSON."""
        await send_json(self.receive, self.send, status, body, headers)


ErrorBody = Callable[[ScanrillError], object]


def wire_handler(
    error_body: ErrorBody,
) -> Callable[[Callable[..., Awaitable[None]]], Handler]:
    """Return a decorator for handlers `(request: WireRequest, **parameters)` of authenticated clients.

    Args:
        error_body: Returns the JSON of an error as the clients of the product expect it.
    """

    def decorate(handle: Callable[..., Awaitable[None]]) -> Handler:
        async def handler(scope: Scope, receive: Receive, send: Send, **parameters: Any) -> None:
            try:
                identity = await executor.run_in_db_thread(authentication.authenticate, credential_of(scope))
                needed = "read" if scope["method"] in ("GET", "HEAD") else "write"
                authentication.require(identity, needed)
                await handle(WireRequest(scope, receive, send, identity), **parameters)
            except SlowConsumer:  # the response has begun
                raise
            except ScanrillError as error:
                await send_json(receive, send, error.http_status, error_body(error), error.headers)

        return handler

    return decorate


@asynccontextmanager
async def json_body(request: WireRequest, body_type: type[T]) -> AsyncIterator[T]:
    """Receive a JSON body, which may contain a file in base64, and yield it decoded.

    It is written to disk while it arrives; few are in memory at once.

    Raises:
        BodyTooLarge: it has more than `MAX_JSON_BODY_BYTES`.
        RequestError: it is not valid.
    """
    user = request.identity.user
    length = int(request.header("content-length") or 0)
    if length > MAX_JSON_BODY_BYTES:
        raise BodyTooLarge(MAX_JSON_BODY_BYTES)
    quota = await executor.run_in_db_thread(quotas.byte_quota, user)
    with ingest.open_staged_file(BODY_FIELD, expected_bytes=length, quota=quota) as staged:
        received, buffer = 0, bytearray()
        async for part in body_parts(request.receive):
            received += len(part)
            if received > MAX_JSON_BODY_BYTES:
                raise BodyTooLarge(MAX_JSON_BODY_BYTES)
            buffer += part
            if len(buffer) >= CHUNK_BYTES:
                await writers.run(user.pk, staged.write, bytes(buffer))
                buffer.clear()
        await writers.run(user.pk, staged.write, bytes(buffer))
        async with _decoders.place(user.pk):
            yield await executor.run_for_user(user.pk, _decode, staged, body_type)


def _decode(staged: ingest.StagedFileWriter, body_type: type[T]) -> T:
    content = staged.content()
    if sum(content.count(start) for start in b"[{,") > MAX_JSON_VALUES:
        raise RequestError({BODY_FIELD: f"The JSON has more than {MAX_JSON_VALUES} values."})
    try:
        return msgspec.json.decode(content, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError({BODY_FIELD: f"Not valid: {error}"}) from None


@asynccontextmanager
async def file_body(request: WireRequest, *, filename: str | None = None) -> AsyncIterator[ReceivedFile]:
    """Receive a file as the body, or in a form, and yield it."""
    received = receive_file(request.scope, request.receive, request.identity.user, filename=filename)
    async with received as file:
        yield file


def read_options(parameters: Mapping[str, Any]) -> ReadOptions:
    """Return read options. Raises `RequestError` on one that is not valid."""
    return ReadOptions(**parsing.build_request(messages.Create, {"data": dict(parameters)}).read_options())


async def create(
    request: WireRequest, source: commands.UploadSource, *, via: str, options: ReadOptions
) -> Upload:
    """Create an upload of the file, or find that of the same bytes."""
    user = request.identity.user
    make = partial(commands.create, owner=user, source=source, options=options, via=via)
    created = await executor.run_for_user(user.pk, make)
    upload: Upload = created.upload
    return upload


async def find_upload(request: WireRequest, upload_id: UUID) -> Upload:
    """Return an upload of the user. Raises `UploadNotFound`."""
    user = request.identity.user
    found: Upload = await executor.run_for_user(user.pk, queries.upload, owner=user, upload_id=upload_id)
    return found


async def wait(request: WireRequest, upload: Upload, *, seconds: float = WAIT_SECONDS) -> Upload:
    """Return an upload when its reading has ended, or as it is after a time. A client that goes ends it."""
    if upload.status not in OPEN_STATUSES or seconds <= 0:
        return upload
    user = request.identity.user
    async with watching(request.scope, request.identity) as watcher:
        waiting = watcher.wait_until_ended(user, upload.pk, seconds)
        return await run_while_connected(request.receive, waiting)


async def wait_until_read(request: WireRequest, upload: Upload, *, seconds: float = WAIT_SECONDS) -> None:
    """Wait until an upload is read.

    Raises:
        ReadingNotFinished: the time is over.
        ReadingFailed: the reading has failed or was cancelled.
    """
    upload = await wait(request, upload, seconds=seconds)
    if upload.status in OPEN_STATUSES:
        raise ReadingNotFinished
    if upload.status != Status.PROCESSED:
        raise ReadingFailed(upload.error or "The file could not be read.", upload.error_code, {})


async def render_as(
    request: WireRequest,
    upload_id: UUID,
    write: Callable[[ExportDocument], Iterator[bytes]],
    options: ExportOptions | None = None,
) -> bytes:
    """Return a finished upload as a writer writes it."""
    wanted = ExportRequest(
        ExportFormat("application/json", ".json", write, has_lines=True),
        options or ExportOptions(),
        PageRanges(None),
    )
    return await render(runtime_of(request.scope), request.identity.user, upload_id, wanted)


async def render_format(request: WireRequest, upload_id: UUID, wanted: ExportRequest) -> bytes:
    """Return a finished upload in a format of the exports."""
    return await render(runtime_of(request.scope), request.identity.user, upload_id, wanted)


def language_options(codes: Sequence[str]) -> dict[str, Any]:
    """Return the languages among names that other engines have, such as `en` or `en-US`."""
    languages = [code.partition("-")[0].lower() for code in codes]
    found = [code for code in languages if len(code) == 2 and code.isascii() and code.isalpha()]
    return {"languages": found[:10]} if found else {}
