"""Creation of an upload from a request: its parameters, and the file in its body or at a URL.

Parameters mean the same in the query, in a form (before or after the file), and in a JSON body with `url`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from ..db import executor
from ..errors import BodyTooLarge, ProtocolError, RequestError
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..models import Upload, User
from ..protocol import messages, parsing
from ..uploads import commands, idempotency, ingest
from .fetch import fetch_file
from .multipart import MAX_FIELD_BYTES
from .parameters import check_names, parse_query
from .receive import ReceivedFile, receive_file
from .request_body import body_parts
from .types import Receive, Scope

T = TypeVar("T")

CREATE_PARAMETERS = messages.READ_OPTION_FIELDS | {"filename", "metadata", "on_duplicate"}
URL_FIELD = "url"


class OtherParameters(NamedTuple, Generic[T]):
    """Parameters that a route has beside those of a creation.

    Attributes:
        names: Their names.
        parse: Parses them. It gets the query before the body arrives, and all parameters before the creation.
    """

    names: Collection[str]
    parse: Callable[[Mapping[str, Any]], T]


class Creation(NamedTuple, Generic[T]):
    """A new upload, or the user's upload of the same bytes, and what the other parameters say."""

    upload: Upload
    duplicate: bool
    others: T


async def create_from_request(
    scope: Scope, receive: Receive, user: User, others: OtherParameters[T]
) -> Creation[T]:
    """Create an upload of the file that a request brings, or names by its URL.

    Raises:
        ClientDisconnected: the client closed the connection before the end of the body.
        RequestError: on the parameter or the file that is invalid. Nothing was stored.
    """
    query = parse_query_of(scope, others)
    others.parse(query)
    key = idempotency.parse_key(_header(scope, b"idempotency-key"))
    options = ReadOptions(**parse_create(query).read_options())
    await executor.run_in_db_thread(job_options.validate, options)  # before the body arrives
    async with _file_of(scope, receive, user, query) as received:
        parameters = _merged(query, received.fields)
        check_names(parameters, _known(others))
        parsed = others.parse(parameters)
        request = parse_create(parameters)
        create = partial(
            idempotency.run_once,
            owner=user,
            key=key,
            digest=request_digest(request, received.file.sha256),
            function=partial(_create, user, request, received.file),
        )
        created = await executor.run_for_user(user.pk, create)
    return Creation(created.upload, created.duplicate, parsed)


def parse_query_of(scope: Scope, others: OtherParameters[T]) -> Mapping[str, str]:
    """Return the parameters of the query. Raises `RequestError`."""
    return parse_query(scope["query_string"], _known(others))


@asynccontextmanager
async def _file_of(
    scope: Scope, receive: Receive, user: User, query: Mapping[str, str]
) -> AsyncIterator[ReceivedFile]:
    """Yield the file of a request, with the parameters that its body has."""
    content_type = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type != b"application/json":
        async with receive_file(scope, receive, user, filename=query.get("filename")) as received:
            yield received
        return
    fields = await _receive_object(receive)
    url = fields.pop(URL_FIELD, None)
    if not isinstance(url, str):
        message = "A JSON body needs the URL of the file. Or send the file itself, with its own Content-Type."
        raise RequestError({URL_FIELD: message})
    filename = {**query, **fields}.get("filename")
    async with fetch_file(user, url, filename if isinstance(filename, str) else None) as file:
        yield ReceivedFile(file, fields, {})


async def _receive_object(receive: Receive) -> dict[str, Any]:
    """Return the JSON object in a body of at most `MAX_FIELD_BYTES`."""
    body = bytearray()
    async for part in body_parts(receive):
        body += part
        if len(body) > MAX_FIELD_BYTES:
            raise BodyTooLarge(MAX_FIELD_BYTES)
    try:
        return parsing.json_object(body.decode())
    except UnicodeDecodeError:
        raise RequestError({"message": "Not valid JSON: not UTF-8."}) from None


def _known(others: OtherParameters[T]) -> frozenset[str]:
    return CREATE_PARAMETERS | frozenset(others.names)


def _merged(query: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of both. Raises `RequestError` on one that is there with two values."""
    different = next((name for name in fields if query.get(name, fields[name]) != fields[name]), None)
    if different is not None:
        raise RequestError({different: "The query and the body have different values. Give it once."})
    return {**query, **fields}


def parse_create(parameters: Mapping[str, Any]) -> messages.Create:
    """Parse the parameters, such as `languages=de,en` and `priority=`. Raises `ProtocolError`."""
    data = {name: value for name, value in parameters.items() if name in CREATE_PARAMETERS}
    if isinstance(languages := data.get("languages"), str):
        data["languages"] = [code.strip() for code in languages.split(",") if code.strip()]
    if isinstance(barcodes := data.get("barcodes"), str):
        data["barcodes"] = {"true": True, "false": False}.get(barcodes, barcodes)
    if isinstance(filename := data.get("filename"), str):
        data["filename"] = ingest.base_name(filename)  # a path of the client is allowed, as in a form
    if isinstance(metadata := data.get("metadata"), str):
        data["metadata"] = _json_value(metadata)
    return parsing.build_request(messages.Create, {"data": data})


def request_digest(request: messages.Create, image_hash: str) -> str:
    """Return what tells a request from others with the same idempotency key."""
    fields = msgspec.structs.replace(request, image_hash=image_hash)
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()


def _create(user: User, request: messages.Create, file: ingest.StagedFile) -> commands.CreateResult:
    return commands.create(
        owner=user,
        source=commands.UploadSource(staged=file),
        options=ReadOptions(**request.read_options()),
        filename=request.filename,
        metadata=request.metadata,
        on_duplicate=request.on_duplicate or "reread",
    )


def _header(scope: Scope, name: bytes) -> str | None:
    value: bytes | None = dict(scope["headers"]).get(name)
    return None if value is None else value.decode("latin-1")


def _json_value(text: str) -> Any:
    """Return the object in a form field; the text itself if it is not JSON: the parser then refuses it."""
    try:
        return parsing.json_object(text)
    except ProtocolError:
        return text
