"""Command `mcp`: the tools of `core.http.mcp` on standard input and output, with the files of a server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import typer
from msgspec import Meta

from backend_main.core.errors import CommandError, RequestError

from .server_requests import RestServer, ServerRefused, ServerUnreachable

if TYPE_CHECKING:
    from backend_main.core.http.mcp.tools import ListArguments, SearchArguments, TextArguments

WAIT_SECONDS = 50
"""Less than the minute after which clients of the SDK give up."""
LISTED_FIELDS = ("id", "filename", "status", "page_count", "created_at")


def mcp(
    server: Annotated[str, typer.Option(help="URL of the server.")] = "http://127.0.0.1:8000",
    api_key: Annotated[
        str,
        typer.Option(
            envvar="SCANRILL_API_KEY", show_envvar=False, help="Key for it; or set SCANRILL_API_KEY."
        ),
    ] = "",
) -> None:
    """Give a language model tools to read and search files: an MCP server on standard input and output."""
    if not api_key:
        raise typer.BadParameter("The server needs a key.", param_hint="--api-key")
    if urlsplit(server).scheme not in ("http", "https"):
        raise typer.BadParameter("Give a URL, as in http://127.0.0.1:8000.", param_hint="--server")
    try:
        from mcp.server.stdio import stdio_server

        from backend_main.core.http.mcp.tools import create_server
    except ImportError:
        raise CommandError(
            "The extra mcp is not installed. Install it: pip install 'scanrill[mcp]'."
        ) from None

    async def run() -> None:
        tools = create_server(ServerLibrary(server, api_key))
        async with stdio_server() as (read_stream, write_stream):
            await tools.run(read_stream, write_stream, tools.create_initialization_options())

    asyncio.run(run())


class PathArguments(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, Meta(description="Path of the file on this machine.")]


class ServerLibrary:
    """Files of a user on a server, over REST: a `tools.Library`."""

    read_arguments = PathArguments

    def __init__(self, server: str, api_key: str) -> None:
        self._server = RestServer(server, api_key)

    async def read_file(self, arguments: PathArguments) -> str:
        return await asyncio.to_thread(self._read, arguments.path)

    async def list_files(self, arguments: ListArguments) -> str:
        query = {"limit": arguments.limit} | ({"search": arguments.name} if arguments.name else {})
        found = await self._json(f"/api/uploads?{urlencode(query)}")
        return json.dumps([{name: upload[name] for name in LISTED_FIELDS} for upload in found["list"]])

    async def get_text(self, arguments: TextArguments) -> str:
        query = {"format": "md"} | ({"pages": arguments.pages} if arguments.pages else {})
        path = f"/api/uploads/{quote(arguments.id, safe='')}/export?{urlencode(query)}"
        return (await asyncio.to_thread(self._request, "GET", path))[1].decode()

    async def search(self, arguments: SearchArguments) -> str:
        found = await self._json(f"/api/search?{urlencode({'q': arguments.query, 'limit': arguments.limit})}")
        return json.dumps([_hit(hit) for hit in found["hits"]])

    async def _json(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await asyncio.to_thread(self._request, "GET", path))[1])
        return found

    def _read(self, name: str) -> str:
        path = Path(name).expanduser()
        query = urlencode({"format": "md", "wait": WAIT_SECONDS, "filename": path.name})
        try:
            with path.open("rb") as file:
                status, body = self._request("POST", f"/api/read?{query}", file, path.stat().st_size)
        except OSError as error:
            raise RequestError({"path": f"Cannot read {path}: {error.strerror}."}) from None
        if status == 202:
            upload_id = json.loads(body)["id"]
            return f"The file is still being read. Call get_text with the id {upload_id} later."
        return body.decode()

    def _request(
        self, method: str, path: str, file: IO[bytes] | None = None, size: int = 0
    ) -> tuple[int, bytes]:
        try:
            with self._server.request(method, path, file=file, size=size) as response:
                return response.status, response.read()
        except ServerRefused as error:
            raise RequestError({"detail": str(error)}) from None
        except ServerUnreachable as error:
            raise RequestError({"server": f"{error}. Start it."}) from None


def _hit(hit: dict[str, Any]) -> dict[str, Any]:
    upload = hit["upload"]
    return {
        "id": upload["id"],
        "filename": upload["filename"],
        "page": hit["page"],
        "text": hit["snippet"]["text"],
    }
