"""Rendering of finished uploads in a format of `exports`: the steps of an export, on threads, by turns.

`exports` streams them to clients of Django views; `send_export` streams them from a handler of
`stream_routes`; `render` returns them whole, for responses that contain the text.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

from django.utils.http import content_disposition_header

from ..db import executor
from ..errors import SlowConsumer
from ..exports.document import ExportDocument, OriginalParts
from ..exports.formats import ExportRequest
from ..exports.stored import stored_document
from ..live.send_queue import SEND_TIMEOUT_SECONDS
from ..models import User
from ..runtime import Runtime
from ..uploads.original_parts import StoredParts
from .responses import encode_headers
from .types import Send


def document_opener(runtime: Runtime, user: User, wanted: ExportRequest) -> Callable[[UUID], ExportDocument]:
    """Return a function that opens a user's upload for an export, on a thread."""
    images, loop = runtime.page_images, asyncio.get_running_loop()

    def original_parts(key: str) -> OriginalParts:
        return StoredParts(images, user.pk, key, loop)

    def open_document(upload_id: UUID) -> ExportDocument:
        return stored_document(owner=user, upload_id=upload_id, request=wanted, original_parts=original_parts)

    return open_document


def attachment_headers(name: str) -> dict[str, str]:
    """Return the header that makes a browser save a response under this name."""
    return {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or ""}


async def render(runtime: Runtime, user: User, upload_id: UUID, wanted: ExportRequest) -> bytes:
    """Return an upload in a format, whole in memory. Raises what `stored_document` raises."""
    async with _open_steps(runtime, user, upload_id, wanted) as (_, steps):
        chunks = []
        while (chunk := await steps.next_chunk()) is not None:
            chunks.append(chunk)
    return b"".join(chunks)


async def send_export(
    send: Send,
    runtime: Runtime,
    user: User,
    upload_id: UUID,
    wanted: ExportRequest,
    headers: dict[str, str],
) -> None:
    """Send an upload in a format as the response. An error before the first bytes is raised.

    Raises:
        SlowConsumer: the client takes nothing for `SEND_TIMEOUT_SECONDS`.
    """
    async with _open_steps(runtime, user, upload_id, wanted) as (document, steps):
        chunk = await steps.next_chunk()
        all_headers = {
            "Content-Type": wanted.format.media_type,
            **attachment_headers(document.stem + wanted.format.extension),
            **headers,
        }
        await send({"type": "http.response.start", "status": 200, "headers": encode_headers(all_headers)})
        while chunk is not None:
            await send_chunk(send, chunk)
            chunk = await steps.next_chunk()
        await send({"type": "http.response.body", "body": b""})


async def send_chunk(send: Send, chunk: bytes) -> None:
    """Send a part of a response that has begun. Raises `SlowConsumer` as `send_export` does."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError:
        raise SlowConsumer("The client has read nothing for too long.") from None


@asynccontextmanager
async def _open_steps(
    runtime: Runtime, user: User, upload_id: UUID, wanted: ExportRequest
) -> AsyncIterator[tuple[ExportDocument, ExportSteps]]:
    """Hold a place of the user for an export, and yield its document and its steps."""
    open_document = document_opener(runtime, user, wanted)
    async with runtime.exports.place(user.pk):
        document = await executor.run_export_step(user.pk, open_document, upload_id)
        steps = ExportSteps(wanted.format.write(document), user.pk)
        try:
            yield document, steps
        finally:
            await steps.close()


class ExportSteps:
    """Generator of an export, whose steps run on threads."""

    def __init__(self, chunks: Iterator[bytes], user_id: UUID) -> None:
        self._chunks: Iterator[bytes] | None = chunks
        self._user_id = user_id
        self._lock = threading.Lock()

    async def next_chunk(self) -> bytes | None:
        """Return the next bytes; None at the end."""
        chunk: bytes | None = b""
        while chunk == b"":
            chunk = await executor.run_export_step(self._user_id, self._step)
        return chunk

    async def close(self) -> None:
        """Close the generator, after a step that runs: it cannot be interrupted."""
        await asyncio.shield(asyncio.to_thread(self._close))

    def _step(self) -> bytes | None:
        with self._lock:
            return None if self._chunks is None else next(self._chunks, None)

    def _close(self) -> None:
        with self._lock:
            if isinstance(self._chunks, Iterator) and hasattr(self._chunks, "close"):
                self._chunks.close()
            self._chunks = None
