"""Files in the bodies of requests: written to disk while they arrive, in turns of their users.

The handlers of `stream_routes` call it: Django would receive the whole body before it checks the token.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from typing import NamedTuple

from ..conf import conf
from ..db import executor
from ..errors import FileTooLarge
from ..fair_sharing import FairExecutor
from ..models import User
from ..uploads import ingest, quotas
from . import content_disposition
from .multipart import FILE_FIELD, create_body_writer
from .request_body import body_parts
from .types import Receive, Scope

# A thread writes chunks of this size: a switch of threads for each packet would cost more than the write.
CHUNK_BYTES = 1024 * 1024
MAX_WRITES = 4
MAX_WRITES_PER_USER = 2
writers = FairExecutor(
    ThreadPoolExecutor(MAX_WRITES, thread_name_prefix="upload"), MAX_WRITES, MAX_WRITES_PER_USER
)


class ReceivedFile(NamedTuple):
    """A file that has arrived, and the other fields of the form that brought it, also with all values."""

    file: ingest.StagedFile
    fields: dict[str, str]
    lists: dict[str, list[str]]


@asynccontextmanager
async def receive_file(
    scope: Scope, receive: Receive, user: User, *, filename: str | None = None
) -> AsyncIterator[ReceivedFile]:
    """Receive the file in a body, and yield it; afterwards remove it, unless it was stored.

    The body is the file itself, or multipart/form-data with one part that has a file name.

    Args:
        filename: Name of the file, if the body is the file itself; None: that in `Content-Disposition`.

    Raises:
        ClientDisconnected: the client closed the connection before the end of the body.
        RequestError: the file or the form is not valid, or exceeds a limit.
    """
    headers = dict(scope["headers"])
    # An announced size above the limit is rejected at once; received bytes are counted nevertheless.
    content_length = int(headers.get(b"content-length", b"0") or 0)
    _check_size(content_length)
    quota = await executor.run_in_db_thread(quotas.byte_quota, user)
    with ExitStack() as stack:
        staged_file = stack.enter_context(
            ingest.open_staged_file(FILE_FIELD, expected_bytes=content_length, quota=quota)
        )
        if filename is None:
            filename = content_disposition.file_name(headers.get(content_disposition.NAME.encode(), b""))
        body_writer = create_body_writer(headers.get(b"content-type", b""), filename, staged_file)
        async for chunk in _body_chunks(receive):
            await writers.run(user.pk, body_writer.write, chunk)
        received = await writers.run(user.pk, body_writer.finish)
        yield ReceivedFile(received, body_writer.fields, body_writer.lists)


def _check_size(body_bytes: int) -> None:
    """Raise `FileTooLarge` for a body above the limit; a multipart body is a little larger than its file."""
    if conf.max_upload_bytes and body_bytes > conf.max_upload_bytes + CHUNK_BYTES:
        raise FileTooLarge(FILE_FIELD, conf.max_upload_bytes)


async def _body_chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body in chunks of at least `CHUNK_BYTES`, and the rest.

    Raises `ClientDisconnected` or `FileTooLarge`.
    """
    buffer, received_bytes = bytearray(), 0
    async for part in body_parts(receive):
        buffer += part
        received_bytes += len(part)
        _check_size(received_bytes)
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)
