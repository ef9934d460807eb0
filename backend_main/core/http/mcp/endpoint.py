"""Handler of `POST /mcp`: the tools of `tools` for the user of a request, over streamable HTTP.

Each request stands alone, as the protocol allows, so any process can serve it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from ...auth import authentication, credentials
from ...auth.authentication import Identity
from ...db import executor
from ...errors import UploadNotFound
from ...exports.formats import parse_request
from ...models import KeyScope, Status, Upload
from ...runtime import runtime_of
from ...search import hits
from ...uploads import commands, listing, queries
from ...uploads.quotas import OPEN_STATUSES
from ..http_errors import ReadingFailed
from ..render import render
from ..stream_routes import StreamRoute
from ..types import Receive, Scope, Send
from ..waiting import watching

if TYPE_CHECKING:
    from .tools import ListArguments, SearchArguments, TextArguments

VIA = "mcp"
WAIT_SECONDS = 50
"""Less than the minute after which clients of the SDK give up."""
# Language models send no large files. The SDK holds the body in memory.
MAX_BODY_BYTES = 16 * 1024 * 1024
LISTED_FIELDS = ("id", "filename", "status", "page_count", "created_at")


class ReadArguments(msgspec.Struct, forbid_unknown_fields=True):
    content_base64: Annotated[str, Meta(description="The file in base64.")]
    filename: Annotated[str, Meta(max_length=255, description="Name of the file.")] = ""


class UserLibrary:
    """Files of the user of a request: a `tools.Library`."""

    read_arguments = ReadArguments

    def __init__(self, scope: Scope, identity: Identity) -> None:
        self._scope = scope
        self._identity = identity
        self._user = identity.user

    async def read_file(self, arguments: ReadArguments) -> str:
        authentication.require(self._identity, KeyScope.WRITE)
        source = commands.UploadSource(
            image_base64=arguments.content_base64, image_path=arguments.filename or None
        )
        create = partial(commands.create, owner=self._user, source=source, via=VIA)
        async with watching(self._scope, self._identity) as watcher:
            created = await executor.run_for_user(self._user.pk, create)
            upload = await watcher.wait_until_ended(self._user, created.upload.pk, WAIT_SECONDS)
        return await self._text(upload)

    async def list_files(self, arguments: ListArguments) -> str:
        call = partial(listing.uploads, owner=self._user, limit=arguments.limit)
        found = await executor.run_long_query(self._user.pk, call, search=arguments.name or None)
        files = [msgspec.json.decode(item) for item in found.items]
        return _json([{name: file[name] for name in LISTED_FIELDS} for file in files])

    async def get_text(self, arguments: TextArguments) -> str:
        try:
            upload_id = UUID(arguments.id)
        except ValueError:
            raise UploadNotFound from None
        find = partial(queries.upload, owner=self._user, upload_id=upload_id)
        return await self._text(await executor.run_for_user(self._user.pk, find), arguments.pages)

    async def search(self, arguments: SearchArguments) -> str:
        call = partial(hits.search, owner=self._user, q=arguments.query, limit=arguments.limit)
        found = await executor.run_long_query(self._user.pk, call)
        return _json(
            [
                {
                    "id": hit.upload.id,
                    "filename": hit.upload.filename,
                    "page": hit.page,
                    "text": hit.snippet.text,
                }
                for hit in found.hits
            ]
        )

    async def _text(self, upload: Upload, pages: str = "") -> str:
        if upload.status in OPEN_STATUSES:
            return f"The file is still being read. Call get_text with the id {upload.pk} later."
        if upload.status == Status.ERROR:
            raise ReadingFailed(upload.error or "", upload.error_code, {})
        wanted = parse_request({"format": "md"} | ({"pages": pages} if pages else {}))
        return (await render(runtime_of(self._scope), self._user, upload.pk, wanted)).decode()


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a message of a client. The SDK limits and parses the body."""
    identity = await executor.run_in_db_thread(authentication.authenticate, credentials.credential_of(scope))
    authentication.require(identity, KeyScope.READ)
    tools, sdk = await asyncio.to_thread(_import_sdk)
    manager = sdk.StreamableHTTPSessionManager(
        tools.create_server(UserLibrary(scope, identity)),
        json_response=True,
        stateless=True,
        max_request_body_size=MAX_BODY_BYTES,
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)


def _import_sdk() -> tuple[Any, Any]:
    return (
        import_module("backend_main.core.http.mcp.tools"),
        import_module("mcp.server.streamable_http_manager"),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


ROUTES = (StreamRoute("mcp", {"POST": serve}),) if find_spec("mcp") else ()
"""The route, if the extra is installed."""
