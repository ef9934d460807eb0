"""Requests over the REST API, and the interface that both transports implement."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from .api_keys import ApiKeys, NewApiKey
from .errors import NotFound, UnexpectedResponse
from .events import Created
from .http import HttpClient
from .messages import (
    Engines,
    ExportFormat,
    Formulas,
    Furniture,
    Images,
    Instance,
    Json,
    Listing,
    Me,
    OnDuplicate,
    Page,
    Priority,
    Sessions,
)
from .search_results import SearchResults
from .upload_file import UploadFile

T = TypeVar("T")


class RequestTransport(Protocol):
    """Requests that go over REST or over the WebSocket."""

    async def create(self, file: UploadFile, options: Json) -> Created: ...
    async def list(self, filters: Json) -> Listing: ...
    async def retrieve(self, upload_id: str) -> Instance: ...
    async def update(self, upload_id: str, fields: Json) -> Instance: ...
    async def delete(self, upload_id: str) -> Instance: ...
    async def cancel(self, upload_id: str) -> Instance: ...
    async def retry(self, upload_id: str, options: Json) -> Instance: ...


def read_options(
    *,
    engine: str | None = None,
    languages: Sequence[str] | None = None,
    pages: str | None = None,
    profile: str | None = None,
    furniture: Furniture | None = None,
    formulas: Formulas | None = None,
    barcodes: bool | None = None,
    priority: Priority | None = None,
) -> Json:
    """Return the options that are not None. An unknown option raises `TypeError`."""
    options = {
        "engine": engine,
        "languages": None if languages is None else list(languages),
        "pages": pages,
        "profile": profile,
        "furniture": furniture,
        "formulas": formulas,
        "barcodes": barcodes,
        "priority": priority,
    }
    return {name: value for name, value in options.items() if value is not None}


def export_query(
    *,
    format: ExportFormat = "md",
    pages: str | None = None,
    furniture: Furniture | None = None,
    images: Images | None = None,
    page_breaks: bool = False,
    table: int | None = None,
) -> Json:
    """Return the query of an export. An unknown option raises `TypeError`."""
    options = {"pages": pages, "furniture": furniture, "images": images, "table": table}
    given = {name: value for name, value in options.items() if value is not None}
    return {"format": format} | given | ({"page_breaks": "true"} if page_breaks else {})


def list_filters(**filters: Any) -> Json:
    """Return the filters that are not None, as JSON."""
    given = {name: value for name, value in filters.items() if value is not None}
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in given.items()
    }


def list_query(filters: Json) -> Json:
    """Return the filters as parameters of a query."""
    query = {name: value for name, value in filters.items() if name != "metadata"}
    if not isinstance(status := query.get("status", ""), str):
        query["status"] = ",".join(status)
    return query | {f"metadata.{key}": value for key, value in filters.get("metadata", {}).items()}


def upload_options(
    *, metadata: Mapping[str, Any] | None = None, on_duplicate: OnDuplicate | None = None, **options: Any
) -> Json:
    """Return the options of an upload that are not None. An unknown option raises `TypeError`."""
    own = {"metadata": metadata, "on_duplicate": on_duplicate}
    return read_options(**options) | {name: value for name, value in own.items() if value is not None}


def update_fields(
    filename: str | UnsetType, processed_text: str | UnsetType | None, metadata: Mapping[str, Any] | UnsetType
) -> Json:
    """Return the fields that are set."""
    fields = {"filename": filename, "processed_text": processed_text, "metadata": metadata}
    return {name: value for name, value in fields.items() if value is not UNSET}


class RestRequests:
    """Requests over the REST API."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def create(self, file: UploadFile, options: Json) -> Created:
        """Upload a file as a stream; neither side holds a large one in memory."""
        query = options
        if "languages" in options:
            query = options | {"languages": ",".join(options["languages"])}
        if "metadata" in options:
            query = query | {"metadata": msgspec.json.encode(options["metadata"]).decode()}
        if file.filename is not None:
            query = query | {"filename": file.filename}
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(await file.size())}
        body = await self._http.call("POST", "/api/uploads/", params=query, headers=headers, body=file.chunks)
        return decode_response(body, Created)

    async def list(self, filters: Json) -> Listing:
        query = list_query(filters)
        return decode_response(await self._http.call("GET", "/api/uploads/", params=query), Listing)

    async def retrieve(self, upload_id: str) -> Instance:
        return await self._request_instance("GET", upload_path(upload_id))

    async def update(self, upload_id: str, fields: Json) -> Instance:
        return await self._request_instance("PATCH", upload_path(upload_id), json=fields)

    async def delete(self, upload_id: str) -> Instance:
        return await self._request_instance("DELETE", upload_path(upload_id))

    async def cancel(self, upload_id: str) -> Instance:
        return await self._request_instance("POST", upload_path(upload_id, "cancel"))

    async def retry(self, upload_id: str, options: Json) -> Instance:
        body = {"json": options} if options else {}
        return await self._request_instance("POST", upload_path(upload_id, "retry"), **body)

    async def _request_instance(self, method: str, path: str, **request: Any) -> Instance:
        return decode_response(await self._http.call(method, path, **request), Instance)

    # ── over REST only ──

    async def get(self, upload_id: str, path: str, kind: type[T], query: Json | None = None) -> T:
        """Return what a route below an upload has."""
        return await self.send("GET", upload_id, path, kind, params=query or {})

    async def send(self, method: str, upload_id: str, path: str, kind: type[T], **request: Any) -> T:
        """Send a request to a route below an upload."""
        return decode_response(await self._http.call(method, upload_path(upload_id, path), **request), kind)

    async def delete_reading(self, upload_id: str, number: int) -> None:
        await self._http.call("DELETE", upload_path(upload_id, f"readings/{number}"))

    async def me(self) -> Me:
        return decode_response(await self._http.call("GET", "/api/me/"), Me)

    async def sessions(self) -> Sessions:
        return decode_response(await self._http.call("GET", "/api/sessions/"), Sessions)

    async def end_session(self, session_id: str) -> None:
        await self._http.call("DELETE", f"/api/sessions/{UUID(session_id)}/")

    async def api_keys(self) -> ApiKeys:
        return decode_response(await self._http.call("GET", "/api/keys"), ApiKeys)

    async def create_api_key(self, fields: Json) -> NewApiKey:
        return decode_response(await self._http.call("POST", "/api/keys", json=fields), NewApiKey)

    async def revoke_api_key(self, key_id: str) -> None:
        await self._http.call("DELETE", f"/api/keys/{UUID(key_id)}")

    async def engines(self) -> Engines:
        return decode_response(await self._http.call("GET", "/api/engines/"), Engines)

    async def search(self, q: str, limit: int, cursor: str | None) -> SearchResults:
        query = {"q": q, "limit": limit} | ({} if cursor is None else {"cursor": cursor})
        return decode_response(await self._http.call("GET", "/api/search", params=query), SearchResults)

    async def page(self, upload_id: str, number: int, *, words: bool) -> Page:
        query = {"words": "true"} if words else {}
        path = upload_path(upload_id, f"pages/{number}")
        return decode_response(await self._http.call("GET", path, params=query), Page)

    async def page_image(self, upload_id: str, number: int, width: int | None) -> bytes:
        query = {} if width is None else {"width": width}
        return await self._http.call("GET", upload_path(upload_id, f"pages/{number}/image"), params=query)

    async def figure(self, upload_id: str, number: int, index: int) -> bytes:
        return await self._http.call("GET", upload_path(upload_id, f"pages/{number}/figures/{index}"))

    async def original(self, upload_id: str) -> bytes:
        return await self._http.call("GET", upload_path(upload_id, "file"))

    async def download(self, upload_id: str, target: Path) -> None:
        """Write the original file to a path, chunk by chunk."""
        await self._write(upload_path(upload_id, "file"), {}, target)

    async def export(self, upload_id: str, query: Json) -> bytes:
        return await self._http.call("GET", upload_path(upload_id, "export"), params=query)

    async def write_export(self, upload_id: str, query: Json, target: Path) -> None:
        """Write an export to a path, chunk by chunk."""
        await self._write(upload_path(upload_id, "export"), query, target)

    async def write_exports(self, upload_ids: Sequence[str], query: Json, target: Path) -> None:
        """Write the archive of several exports to a path, chunk by chunk."""
        await self._write("/api/export", {"ids": ",".join(upload_ids)} | query, target)

    async def _write(self, path: str, query: Json, target: Path) -> None:
        async with self._http.stream("GET", path, params=query) as response:
            with await asyncio.to_thread(open, target, "wb") as file:
                async for chunk in response.aiter_bytes():
                    await asyncio.to_thread(file.write, chunk)


def upload_path(upload_id: str, rest: str = "") -> str:
    """Return the REST path of an upload.

    Raises:
        NotFound: The id is not a UUID. Without this check, `../token` would name another route.
    """
    try:
        return f"/api/uploads/{UUID(upload_id)}/{rest}"
    except ValueError:
        raise NotFound({"instance_id": "You have no upload with this id."}, 404) from None


def decode_response(body: bytes, kind: type[T]) -> T:
    """Decode the body of a response.

    Raises:
        UnexpectedResponse: The body is not JSON of this type.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        raise UnexpectedResponse(
            "The server sent a response that this client cannot decode. Check the URL and both versions."
        ) from None
