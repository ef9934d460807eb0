"""Step 3 — the HTTP door for files: `POST /api/uploads/`, streamed to disk as it comes, whatever its size.

It stands before Django, which would take in a whole body before asking who sends it. The body is the file
itself (its name in `?filename=`), or multipart/form-data with one part that has a file name. What is asked of
its reading stands in the query.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

import msgspec
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ..auth import authentication
from ..conf import conf
from ..db import executor
from ..errors import FileTooLarge, RequestError, ScanrillError
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..protocol import messages, parsing, serializers
from ..uploads import commands, ingest
from .types import Application, Receive, Scope, Send

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

log = logging.getLogger(__name__)

PATH = "/api/uploads/"
FIELD = "file"
# Handed to a thread in pieces of this size: a thread's turn for each packet would cost more than the work.
CHUNK_BYTES = 1024 * 1024
# A client that is refused while it sends is heard out for so long: closing at once resets the connection, and
# the answer is lost with it.
LINGER_SECONDS, LINGER_BYTES = 5.0, 64 * 1024 * 1024


class ClientDisconnected(Exception):
    """The client hung up before the end of its file."""


class BodyWriter(Protocol):
    """What takes the body's bytes and has the file in the end."""

    def write(self, piece: bytes) -> object: ...

    def finish(self) -> ingest.StagedFile: ...


def upload_middleware(application: Application) -> Application:
    """The application with this door before it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or scope["path"] != PATH:
            await application(scope, receive, send)
            return
        try:
            status, answer = await _create(scope, receive)
        except ClientDisconnected:
            return
        except ScanrillError as error:
            status, answer = error.http_status, {"error": error.fields}
        except Exception:
            log.exception("an upload by POST failed")
            status, answer = 500, {"error": {"detail": "The server failed; its log says why."}}
        await _respond(receive, send, status, answer)

    return app


async def _create(scope: Scope, receive: Receive) -> tuple[int, object]:
    identity = await executor.run_in_db_thread(
        authentication.authenticate, authentication.bearer_token(scope)
    )
    asked = _read_options(scope)
    await executor.run_in_db_thread(job_options.validate, asked)  # before the body comes in
    headers = dict(scope["headers"])
    length = _length(headers)
    with ExitStack() as files:
        incoming = files.enter_context(ingest.open_staged_file(FIELD, expected_bytes=length))
        sink = _sink(headers, scope, incoming)
        async for piece in _body_chunks(receive):
            await asyncio.to_thread(sink.write, piece)
        received = await asyncio.to_thread(sink.finish)
        source = commands.UploadSource(staged=received)
        created = await executor.run_in_db_thread(
            commands.create, owner=identity.user, source=source, options=asked
        )
    answer = serializers.created(created.upload, duplicate=created.duplicate)
    return 200 if created.duplicate else 201, answer


def _read_options(scope: Scope) -> ReadOptions:
    """`?engine=&languages=de,en&pages=&profile=&priority=`. Raises `ProtocolError`."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    data: dict[str, Any] = {name: query[name][0] for name in ReadOptions.__struct_fields__ if name in query}
    if "languages" in data:
        data["languages"] = [word.strip() for word in data["languages"].split(",") if word.strip()]
    return ReadOptions(**parsing.build_request(messages.Create, {"data": data}).read_options())


def _length(headers: dict[bytes, bytes]) -> int:
    """The announced length, refused at once where it is too much; what comes is counted all the same."""
    length = int(headers.get(b"content-length", b"0") or 0)
    _check_length(length)
    return length


def _check_length(body_bytes: int) -> None:
    """Of the whole body, which in multipart is a little more than the file."""
    if conf.max_upload_bytes and body_bytes > conf.max_upload_bytes + CHUNK_BYTES:
        raise FileTooLarge(FIELD, conf.max_upload_bytes)


async def _body_chunks(receive: Receive) -> AsyncIterator[bytes]:
    gathered, taken = bytearray(), 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        gathered += message.get("body", b"")
        more = message.get("more_body", False)
        if len(gathered) >= CHUNK_BYTES or not more:
            taken += len(gathered)
            _check_length(taken)
            yield bytes(gathered)
            gathered.clear()


def _sink(headers: dict[bytes, bytes], scope: Scope, incoming: ingest.StagedFileWriter) -> BodyWriter:
    kind, options = parse_options_header(headers.get(b"content-type", b""))
    if kind == b"multipart/form-data":
        if not options.get(b"boundary"):
            raise RequestError({FIELD: "The multipart body has no boundary."})
        return MultipartBodyWriter(options[b"boundary"], incoming)
    names = parse_qs(scope["query_string"].decode("latin-1")).get("filename")
    return RawBodyWriter(incoming, names[0] if names else None)


class RawBodyWriter:
    def __init__(self, incoming: ingest.StagedFileWriter, name: str | None) -> None:
        self._incoming, self._name = incoming, name

    def write(self, piece: bytes) -> None:
        self._incoming.write(piece)

    def finish(self) -> ingest.StagedFile:
        return self._incoming.finish(self._name)


class MultipartBodyWriter:
    """Takes the part that has a file name; parts without one are read past, a second file is refused."""

    def __init__(self, boundary: bytes, incoming: ingest.StagedFileWriter) -> None:
        self._incoming = incoming
        self._name: str | None = None
        self._taking = self._ended = False
        self._header = [b"", b""]
        callbacks: MultipartCallbacks = {
            "on_header_field": lambda data, start, end: self._add(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add(1, data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError:
            raise RequestError({FIELD: "The multipart body has no usable boundary."}) from None

    def write(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError:
            raise RequestError({FIELD: "The multipart body is malformed."}) from None

    def finish(self) -> ingest.StagedFile:
        if not self._ended:
            raise RequestError({FIELD: "The multipart body is cut short."})
        if self._name is None:
            raise RequestError({FIELD: "A file is expected, as the body or as a part with a file name."})
        return self._incoming.finish(self._name)

    def _add(self, part: int, data: bytes) -> None:
        self._header[part] += data  # the parser bounds what a header may be

    def _header_end(self) -> None:
        name, value = self._header
        self._header = [b"", b""]
        _, options = parse_options_header(value)
        if name.lower() != b"content-disposition" or b"filename" not in options:
            return
        if self._name is not None:
            raise RequestError({FIELD: "One file at a time is expected; each is an upload of its own."})
        self._name = options[b"filename"].decode("utf-8", "replace")
        self._taking = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._taking:
            self._incoming.write(data[start:end])

    def _part_end(self) -> None:
        self._taking = False

    def _end(self) -> None:
        self._ended = True


async def _respond(receive: Receive, send: Send, status: int, answer: object) -> None:
    body = msgspec.json.encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status >= 400:  # the rest of the body has not been read, and will not be used
        headers.append((b"connection", b"close"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": status >= 400})
    if status >= 400:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _drain_body(receive)
        await send({"type": "http.response.body", "body": b""})


async def _drain_body(receive: Receive) -> None:
    """Reads what is still being sent, and throws it away."""
    heard = 0
    while heard < LINGER_BYTES:
        message = await receive()
        heard += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
