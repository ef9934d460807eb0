"""Handler of `POST /api/uploads/`: creates an upload of the file in the body.

The body is the file itself, with its name in `?filename=`. Or it is multipart/form-data with one part that
has a file name. The query has the read options.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from ..auth import authentication
from ..db import executor
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..protocol import messages, parsing, serializers
from ..uploads import commands
from .receive import receive_file
from .responses import send_json
from .stream_routes import StreamRoute
from .types import Receive, Scope, Send


async def create_upload(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `POST /api/uploads/`: receive the file, then create the upload."""
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    user = identity.user
    query = parse_qs(scope["query_string"].decode("latin-1"))
    options = _read_options(query)
    await executor.run_in_db_thread(job_options.validate, options)  # before the body arrives
    filename = query["filename"][0] if "filename" in query else None
    async with receive_file(scope, receive, user, filename=filename) as received:
        created = await executor.run_for_user(
            user.pk,
            commands.create,
            owner=user,
            source=commands.UploadSource(staged=received.file),
            options=options,
        )
    response = serializers.created(created.upload, duplicate=created.duplicate)
    await send_json(receive, send, 200 if created.duplicate else 201, response)


def _read_options(query: dict[str, list[str]]) -> ReadOptions:
    """Parse the read options of a query, such as `?languages=de,en&priority=`. Raises `ProtocolError`."""
    data: dict[str, Any] = {name: query[name][0] for name in messages.READ_OPTION_FIELDS if name in query}
    if "languages" in data:
        data["languages"] = [code.strip() for code in data["languages"].split(",") if code.strip()]
    data["barcodes"] = {"true": True, "false": False}.get(data.get("barcodes", ""), data.get("barcodes"))
    return ReadOptions(**parsing.build_request(messages.Create, {"data": data}).read_options())


UPLOADS = StreamRoute("api/uploads/", {"POST": create_upload})
