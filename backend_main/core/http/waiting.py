"""Requests that wait until an upload has ended: `wait=` in the query, or `Prefer: wait=` (RFC 7240, 4.3)."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase

from ..auth import authentication
from ..auth.authentication import Identity
from ..db import executor
from ..errors import RateLimited, RequestError, ScanrillError
from ..live.server_connection import set_shutdown_callback
from ..live.watcher import UploadWatcher
from ..models import Upload
from ..runtime import runtime_of
from ..uploads import queries
from ..uploads.quotas import OPEN_STATUSES
from .problems import error_response
from .request_body import ClientDisconnected
from .request_headers import header
from .types import Receive, Scope

T = TypeVar("T")

WAIT = "wait"
MAX_WAIT_SECONDS = 600
"""Most clients and proxies end an idle request before."""
_WAIT_PREFERENCE = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)


def wait_seconds(parameters: Mapping[str, Any], prefer: str, *, default: int) -> int:
    """Return how long a request waits, in seconds: its parameter `wait`, its header `Prefer`, or the default.

    A larger preference than the limit counts as the limit: a server may ignore a preference.

    Raises:
        RequestError: On `wait`.
    """
    if WAIT in parameters:
        value = str(parameters[WAIT])  # a number in JSON
        if not (value.isascii() and value.isdecimal()) or len(value) > 4 or int(value) > MAX_WAIT_SECONDS:
            message = f"A whole number of seconds, at most {MAX_WAIT_SECONDS}, is expected."
            raise RequestError({WAIT: message})
        return int(value)
    preferred = _WAIT_PREFERENCE.search(prefer)
    return default if preferred is None else min(int(preferred[1]), MAX_WAIT_SECONDS)


def prefer_of(scope: Scope) -> str:
    """Return the header `Prefer`; empty without one."""
    return header(scope, "prefer") or ""


@asynccontextmanager
async def watching(scope: Scope, identity: Identity) -> AsyncIterator[UploadWatcher]:
    """Yield a watcher for the user of a request. It counts as a connection of the user.

    Raises `RateLimited`.
    """
    runtime = runtime_of(scope)
    watcher = UploadWatcher(identity.user.pk, identity.issued_at, identity.credential_id)
    set_shutdown_callback(scope, watcher.stop_waiting)
    async with runtime.hub.watching(watcher):
        yield watcher


async def wait_if_asked(scope: Scope, identity: Identity, upload: Upload, seconds: int) -> Upload:
    """Return an upload when it has ended, or when the time is over.

    A user with too many connections does not wait: the answer says as well how far the upload is.
    """
    if not seconds or upload.status not in OPEN_STATUSES:
        return upload
    try:
        async with watching(scope, identity) as watcher:
            return await watcher.wait_until_ended(identity.user, upload.pk, seconds)
    except RateLimited:
        return upload


async def run_while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; cancel it when the client closes the connection. The body must be read.

    Raises `ClientDisconnected`.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_wait_until_disconnected(receive))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnected
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _wait_until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def waits(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let `GET` of an upload wait until the upload has ended, as its parameter `wait` says."""

    @functools.wraps(view)
    async def waiting_view(request: ASGIRequest, upload_id: UUID) -> HttpResponseBase:
        if request.method == "GET":
            try:
                await _wait_for(request, upload_id)
            except ScanrillError as error:
                return error_response(error)
        response: HttpResponseBase = await view(request, upload_id=upload_id)
        return response

    return waiting_view


async def _wait_for(request: ASGIRequest, upload_id: UUID) -> None:
    scope = dict(request.scope)
    seconds = wait_seconds(request.GET, prefer_of(scope), default=0)
    if not seconds:
        return
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    user = identity.user
    upload = await executor.run_for_user(user.pk, queries.upload, owner=user, upload_id=upload_id)
    await wait_if_asked(scope, identity, upload, seconds)
