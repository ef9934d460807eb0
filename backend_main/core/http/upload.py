"""Handler of `POST /api/uploads/`: creates an upload of the file in the body.

The body is the file itself, with its name in `?filename=`. Or it is multipart/form-data with one part that
has a file name. The query has the read options.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs

import msgspec

from ..auth import authentication
from ..db import executor
from ..errors import ProtocolError
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..protocol import messages, parsing, serializers
from ..uploads import commands, idempotency
from .receive import receive_file
from .responses import send_json
from .stream_routes import StreamRoute
from .types import Receive, Scope, Send

CREATE_FIELDS = messages.READ_OPTION_FIELDS | {"filename", "metadata", "on_duplicate"}


async def create_upload(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `POST /api/uploads/`: receive the file, then create the upload."""
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    user = identity.user
    key = idempotency.parse_key(_header(scope, b"idempotency-key"))
    query = parse_qs(scope["query_string"].decode("latin-1"))
    request = parse_create(query)
    options = ReadOptions(**request.read_options())
    await executor.run_in_db_thread(job_options.validate, options)  # before the body arrives
    filename = query["filename"][0] if "filename" in query else None
    async with receive_file(scope, receive, user, filename=filename) as received:

        def create() -> commands.CreateResult:
            return commands.create(
                owner=user,
                source=commands.UploadSource(staged=received.file),
                options=options,
                filename=request.filename,
                metadata=request.metadata,
                on_duplicate=request.on_duplicate or "reread",
            )

        created = await executor.run_for_user(
            user.pk,
            idempotency.run_once,
            owner=user,
            key=key,
            digest=request_digest(request, received.file.sha256),
            create=create,
        )
    response = serializers.created(created.upload, duplicate=created.duplicate)
    await send_json(receive, send, 200 if created.duplicate else 201, response)


def parse_create(query: dict[str, list[str]]) -> messages.Create:
    """Parse the fields of a query, such as `?languages=de,en&priority=`. Raises `ProtocolError`."""
    data: dict[str, Any] = {name: query[name][0] for name in CREATE_FIELDS if name in query}
    if "languages" in data:
        data["languages"] = [code.strip() for code in data["languages"].split(",") if code.strip()]
    data["barcodes"] = {"true": True, "false": False}.get(data.get("barcodes", ""), data.get("barcodes"))
    if "metadata" in data:
        data["metadata"] = _json_value(data["metadata"])
    return parsing.build_request(messages.Create, {"data": data})


def request_digest(request: messages.Create, image_hash: str) -> str:
    """Return what tells a request from others with the same idempotency key."""
    fields = msgspec.structs.replace(request, image_hash=image_hash)
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()


def _header(scope: Scope, name: bytes) -> str | None:
    value: bytes | None = dict(scope["headers"]).get(name)
    return None if value is None else value.decode("latin-1")


def _json_value(text: str) -> Any:
    """Return the object in a form field; the text itself, which the field then refuses, if it is not JSON."""
    try:
        return parsing.json_object(text)
    except ProtocolError:
        return text


UPLOADS = StreamRoute("api/uploads/", {"POST": create_upload})
