"""ASGI middleware of `POST /api/uploads/`: writes a file of any size to disk while it arrives.

It runs before Django, which would receive the whole body before it checks the token. The body is the file
itself, with its name in `?filename=`. Or it is multipart/form-data with one part that has a file name. The
query has the read options.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ..auth import authentication
from ..conf import conf
from ..db import executor
from ..errors import FileTooLarge, RequestError, ScanrillError
from ..fair_sharing import FairExecutor
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..protocol import messages, parsing, serializers
from ..uploads import commands, ingest, quotas
from .request_body import ClientDisconnected, body_parts
from .responses import send_json
from .types import Application, Receive, Scope, Send

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

log = logging.getLogger(__name__)

PATH = "/api/uploads/"
FILE_FIELD = "file"
# A thread writes chunks of this size: a switch of threads for each packet would cost more than the write.
CHUNK_BYTES = 1024 * 1024
# A form has few fields. Empty parts cost .2 s a MiB, which the interpreter spends on the calls for each.
MAX_PARTS = 100
MAX_WRITES = 4
MAX_WRITES_PER_USER = 2
_writers = FairExecutor(
    ThreadPoolExecutor(MAX_WRITES, thread_name_prefix="upload"), MAX_WRITES, MAX_WRITES_PER_USER
)


class BodyWriter(Protocol):
    """Parser of a request body that writes the file in it."""

    def write(self, chunk: bytes) -> object: ...

    def finish(self) -> ingest.StagedFile: ...


def upload_middleware(application: Application) -> Application:
    """Wrap an application: this middleware serves uploads, the application everything else."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            await application(scope, receive, send)
            return
        try:
            status, response = await _create(scope, receive)
        except ClientDisconnected:
            return
        except ScanrillError as error:
            status, response = error.http_status, {"error": error.fields}
        except Exception:
            log.exception("An upload over HTTP failed.")
            status, response = 500, {"error": {"detail": "Internal server error. See the server log."}}
        await send_json(receive, send, status, response)

    return app


def is_upload(scope: Scope) -> bool:
    """Return whether this middleware serves the request; it then limits the bytes of the body itself."""
    return bool(scope["method"] == "POST" and scope["path"] == PATH)


async def _create(scope: Scope, receive: Receive) -> tuple[int, object]:
    """Receive the file and create the upload. Return the status and the response."""
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    user = identity.user
    query = parse_qs(scope["query_string"].decode("latin-1"))
    options = _read_options(query)
    await executor.run_in_db_thread(job_options.validate, options)  # before the body arrives
    headers = dict(scope["headers"])
    # An announced size above the limit is rejected at once; received bytes are counted nevertheless.
    content_length = int(headers.get(b"content-length", b"0") or 0)
    _check_size(content_length)
    quota = await executor.run_in_db_thread(quotas.byte_quota, identity.user)
    with ExitStack() as stack:
        staged_file = stack.enter_context(
            ingest.open_staged_file(FILE_FIELD, expected_bytes=content_length, quota=quota)
        )
        body_writer = _body_writer(headers.get(b"content-type", b""), query, staged_file)
        async for chunk in _body_chunks(receive):
            await _writers.run(user.pk, body_writer.write, chunk)
        received = await _writers.run(user.pk, body_writer.finish)
        created = await executor.run_for_user(
            user.pk,
            commands.create,
            owner=user,
            source=commands.UploadSource(staged=received),
            options=options,
        )
    response = serializers.created(created.upload, duplicate=created.duplicate)
    return 200 if created.duplicate else 201, response


def _read_options(query: dict[str, list[str]]) -> ReadOptions:
    """Parse the read options of a query, such as `?languages=de,en&priority=`. Raises `ProtocolError`."""
    data: dict[str, Any] = {name: query[name][0] for name in messages.READ_OPTION_FIELDS if name in query}
    if "languages" in data:
        data["languages"] = [code.strip() for code in data["languages"].split(",") if code.strip()]
    data["barcodes"] = {"true": True, "false": False}.get(data.get("barcodes", ""), data.get("barcodes"))
    return ReadOptions(**parsing.build_request(messages.Create, {"data": data}).read_options())


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


def _body_writer(
    content_type: bytes, query: dict[str, list[str]], staged_file: ingest.StagedFileWriter
) -> BodyWriter:
    media_type, parameters = parse_options_header(content_type)
    if media_type == b"multipart/form-data":
        if not parameters.get(b"boundary"):
            raise RequestError({FILE_FIELD: "The multipart body has no boundary."})
        return MultipartBodyWriter(parameters[b"boundary"], staged_file)
    return RawBodyWriter(staged_file, query["filename"][0] if "filename" in query else None)


class RawBodyWriter:
    """Writer of a body that is the file itself."""

    def __init__(self, staged_file: ingest.StagedFileWriter, name: str | None) -> None:
        self._staged_file = staged_file
        self._name = name

    def write(self, chunk: bytes) -> None:
        self._staged_file.write(chunk)

    def finish(self) -> ingest.StagedFile:
        return self._staged_file.finish(self._name)


class MultipartBodyWriter:
    """Parser of a multipart body that writes the one part with a file name.

    It skips parts without a file name, and rejects a second file or more than `MAX_PARTS` parts.
    """

    def __init__(self, boundary: bytes, staged_file: ingest.StagedFileWriter) -> None:
        self._staged_file = staged_file
        self._name: str | None = None
        self._is_file_part = False
        self._is_complete = False
        self._parts = 0
        # The header that is being parsed. The parser limits its size.
        self._header_name = b""
        self._header_value = b""
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError:
            raise RequestError({FILE_FIELD: "The multipart body has no usable boundary."}) from None

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise RequestError({FILE_FIELD: "The multipart body is malformed."}) from None

    def finish(self) -> ingest.StagedFile:
        if not self._is_complete:
            raise RequestError({FILE_FIELD: "The multipart body is cut short."})
        if self._name is None:
            raise RequestError({FILE_FIELD: "A file is expected, as the body or as a part with a file name."})
        return self._staged_file.finish(self._name)

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise RequestError({FILE_FIELD: f"The multipart body has more than {MAX_PARTS} parts."})

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        name = self._header_name.lower()
        _, parameters = parse_options_header(self._header_value)
        self._header_name = b""
        self._header_value = b""
        if name != b"content-disposition" or b"filename" not in parameters:
            return
        if self._name is not None:
            raise RequestError(
                {FILE_FIELD: "One file at a time is expected. Send each file in its own request."}
            )
        self._name = parameters[b"filename"].decode("utf-8", "replace")
        self._is_file_part = True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file_part:
            self._staged_file.write(data[start:end])

    def _on_part_end(self) -> None:
        self._is_file_part = False

    def _on_end(self) -> None:
        self._is_complete = True
