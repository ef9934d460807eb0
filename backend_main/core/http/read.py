"""Handler of `POST /api/read`: creates an upload, and answers with its text when it is read.

The response has the form that `format` or `Accept` asks for. After the time of `wait` it is a 202 with the
location of the upload, which is read as any other. An upload stays when its client goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, get_args

from django.http import HttpRequest

from ..auth import authentication
from ..db import executor
from ..errors import RequestError
from ..exports.document import ExportDocument
from ..exports.formats import FORMATS, ExportFormat, ExportRequest, parse_request
from ..exports.page_json import write_pages
from ..live.watcher import UploadWatcher
from ..models import Status, User
from ..protocol import field_types, messages, serializers
from ..runtime import runtime_of
from ..uploads import queries
from ..uploads.quotas import OPEN_STATUSES
from .creation import Creation, OtherParameters, create_from_request, parse_query_of
from .events import EVENT_STREAM, ReadingStream
from .http_errors import NotAcceptable, ReadingFailed
from .render import send_export
from .responses import send_json, upload_location
from .stream_routes import StreamRoute
from .types import Receive, Scope, Send
from .waiting import WAIT, prefer_of, run_while_connected, wait_seconds, watching

DEFAULT_WAIT_SECONDS = 60
RETRY_AFTER_SECONDS = 5
# `pages` and `furniture` of an export are read options here: the export has all that was read.
EXPORT_OPTIONS = ("images", "page_breaks", "table")
PARAMETERS = ("format", "stream", WAIT, *EXPORT_OPTIONS)
# The first that `Accept` allows best is sent; of `*/*` thus the first of all.
MEDIA_TYPES = {
    "text/markdown": "md",
    "text/plain": "txt",
    "application/json": "json",
    "application/pdf": "pdf",
    "text/html": "html",
    "application/xhtml+xml": "hocr",
    "application/xml": "alto",
    FORMATS["docx"].media_type: "docx",
    FORMATS["xlsx"].media_type: "xlsx",
    "application/zip": "csv",
    "text/csv": "csv",
    EVENT_STREAM: EVENT_STREAM,
}


class ResponseChoice(NamedTuple):
    """What a request wants: an export, or (None) a stream of events in the mode `stream`."""

    export: ExportRequest | None
    stream: field_types.StreamName
    wait_seconds: int


async def read(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `POST /api/read`."""
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    accept = _header(scope, b"accept") or "*/*"
    parse = partial(_parse, accept=accept, prefer=prefer_of(scope))
    others = OtherParameters(PARAMETERS, parse)
    choice = parse(parse_query_of(scope, others))
    if choice.export is None:
        stream = ReadingStream(scope, send, identity, None, choice.stream)
        await _stream(scope, receive, stream, identity.user, others)
        return
    async with watching(scope, identity) as watcher:
        created = await create_from_request(scope, receive, identity.user, others)
        answer = _answer(scope, receive, send, watcher, identity.user, created)
        await run_while_connected(receive, answer)


async def _answer(
    scope: Scope,
    receive: Receive,
    send: Send,
    watcher: UploadWatcher,
    user: User,
    created: Creation[ResponseChoice],
) -> None:
    """Wait until the upload has ended, and send it."""
    upload = await watcher.wait_until_ended(user, created.upload.pk, created.others.wait_seconds)
    headers = {"Location": upload_location(upload.pk)}
    if upload.status in OPEN_STATUSES:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        await send_json(receive, send, 202, serializers.instance(upload), headers)
        return
    if upload.status != Status.PROCESSED:
        raise ReadingFailed(upload.error or "", upload.error_code, headers)
    wanted = created.others.export
    if wanted is None:  # the query wanted events, which have another way
        raise NotAcceptable("Ask for text/event-stream by the header Accept alone.")
    if wanted.format is FORMATS["json"]:
        instance = await executor.run_for_user(
            user.pk, queries.upload_with_warnings, owner=user, upload_id=upload.pk
        )
        wanted = wanted._replace(format=_format_with(instance))
    await send_export(send, runtime_of(scope), user, upload.pk, wanted, headers)


async def _stream(
    scope: Scope, receive: Receive, stream: ReadingStream, user: User, others: OtherParameters[ResponseChoice]
) -> None:
    """Send the events of the upload, with its text while it is read, until it has ended."""
    async with stream.joined():
        created = await create_from_request(scope, receive, user, others)
        stream.follow(created.upload)
        stream.headers["Location"] = upload_location(created.upload.pk)
        await run_while_connected(receive, stream.run(messages.Subscribe()))


def _parse(parameters: Mapping[str, Any], *, accept: str, prefer: str) -> ResponseChoice:
    """Parse the parameters beside those of a creation. Raises `RequestError` or `NotAcceptable`."""
    name = str(parameters["format"]) if "format" in parameters else _preferred_format(accept)
    options = {option: str(parameters[option]) for option in EXPORT_OPTIONS if option in parameters}
    stream = parameters.get("stream", "delta")
    if stream not in get_args(field_types.StreamName):
        raise RequestError({"stream": f"Choose one of {', '.join(get_args(field_types.StreamName))}."})
    export = None if name == EVENT_STREAM else parse_request({"format": name} | options)
    return ResponseChoice(export, stream, wait_seconds(parameters, prefer, default=DEFAULT_WAIT_SECONDS))


def _preferred_format(accept: str) -> str:
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accept
    found = request.get_preferred_type(list(MEDIA_TYPES))
    if found is None:
        raise NotAcceptable(f"Accept one of {', '.join(MEDIA_TYPES)}.")
    return MEDIA_TYPES[found]


def _header(scope: Scope, name: bytes) -> str:
    return b",".join(value for header, value in scope["headers"] if header == name).decode("latin-1")


def _format_with(instance: messages.Instance) -> ExportFormat:
    """Return the format JSON whose document is the upload, beside its pages."""

    def write(document: ExportDocument) -> Iterator[bytes]:
        yield b'{"instance":' + messages.encode_instance(instance)
        yield from write_pages(document)

    return FORMATS["json"]._replace(write=write)


READ = StreamRoute("api/read", {"POST": read})
