"""The REST API: what changes uploads, and what is a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from .errors import NotFound, UnexpectedResponse
from .events import Created
from .http import HttpClient
from .messages import Engines, Instance, Json, Listing, Me, Page, Priority, Status
from .upload_file import UploadFile

T = TypeVar("T")


class RequestTransport(Protocol):
    """What can be asked for in two ways: by REST, or over the socket."""

    async def create(self, file: UploadFile, asked: Json) -> Created: ...
    async def list(self, wanted: Json) -> Listing: ...
    async def retrieve(self, upload_id: str) -> Instance: ...
    async def update(self, upload_id: str, changes: Json) -> Instance: ...
    async def delete(self, upload_id: str) -> Instance: ...
    async def cancel(self, upload_id: str) -> Instance: ...
    async def retry(self, upload_id: str, asked: Json) -> Instance: ...


def asked(
    *,
    engine: str | None = None,
    languages: Sequence[str] | None = None,
    pages: str | None = None,
    profile: str | None = None,
    priority: Priority | None = None,
) -> Json:
    """What was given of `ReadOptions`; a TypeError where something else was."""
    codes = None if languages is None else list(languages)
    wishes = {
        "engine": engine,
        "languages": codes,
        "pages": pages,
        "profile": profile,
        "priority": priority,
    }
    return {name: value for name, value in wishes.items() if value is not None}


def wanted(status: Status | None, search: str | None, limit: int | None, cursor: str | None) -> Json:
    """The filters of a list that were given."""
    filters = {"status": status, "search": search, "limit": limit, "cursor": cursor}
    return {name: value for name, value in filters.items() if value is not None}


def changes(
    filename: str | UnsetType, processed_text: str | UnsetType | None, metadata: Mapping[str, Any] | UnsetType
) -> Json:
    """The fields of an update that were given."""
    fields = {"filename": filename, "processed_text": processed_text, "metadata": metadata}
    return {name: value for name, value in fields.items() if value is not UNSET}


class RestRequests:
    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def create(self, file: UploadFile, asked: Json) -> Created:
        """Streams the file; a large one is in memory on neither side."""
        query = asked if "languages" not in asked else asked | {"languages": ",".join(asked["languages"])}
        if file.filename is not None:
            query = query | {"filename": file.filename}
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(await file.size())}
        body = await self._http.call("POST", "/api/uploads/", params=query, headers=headers, body=file.pieces)
        return parsed(body, Created)

    async def list(self, wanted: Json) -> Listing:
        return parsed(await self._http.call("GET", "/api/uploads/", params=wanted), Listing)

    async def retrieve(self, upload_id: str) -> Instance:
        return await self._instance("GET", path(upload_id))

    async def update(self, upload_id: str, changes: Json) -> Instance:
        return await self._instance("PATCH", path(upload_id), json=changes)

    async def delete(self, upload_id: str) -> Instance:
        return await self._instance("DELETE", path(upload_id))

    async def cancel(self, upload_id: str) -> Instance:
        return await self._instance("POST", path(upload_id, "cancel"))

    async def retry(self, upload_id: str, asked: Json) -> Instance:
        return await self._instance("POST", path(upload_id, "retry"), **({"json": asked} if asked else {}))

    async def _instance(self, method: str, path: str, **request: Any) -> Instance:
        return parsed(await self._http.call(method, path, **request), Instance)

    # ── what only REST has ──

    async def me(self) -> Me:
        return parsed(await self._http.call("GET", "/api/me/"), Me)

    async def engines(self) -> Engines:
        return parsed(await self._http.call("GET", "/api/engines/"), Engines)

    async def page(self, upload_id: str, number: int) -> Page:
        return parsed(await self._http.call("GET", path(upload_id, f"pages/{number}")), Page)

    async def page_image(self, upload_id: str, number: int, width: int | None) -> bytes:
        asked = {} if width is None else {"width": width}
        return await self._http.call("GET", path(upload_id, f"pages/{number}/image"), params=asked)

    async def original(self, upload_id: str) -> bytes:
        return await self._http.call("GET", path(upload_id, "file"))

    async def download(self, upload_id: str, target: Path) -> None:
        async with self._http.stream("GET", path(upload_id, "file")) as response:
            with await asyncio.to_thread(open, target, "wb") as file:
                async for piece in response.aiter_bytes():
                    await asyncio.to_thread(file.write, piece)


def path(upload_id: str, rest: str = "") -> str:
    """What is no id has no path: `../token` would be another's."""
    try:
        return f"/api/uploads/{UUID(upload_id)}/{rest}"
    except ValueError:
        raise NotFound({"instance_id": "You have no upload with this id."}, 404) from None


def parsed(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        raise UnexpectedResponse("The server answers what this client does not understand.") from None
