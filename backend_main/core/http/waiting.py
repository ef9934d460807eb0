"""Requests that wait until an upload has ended: `wait=` in the query, or `Prefer: wait=` (RFC 7240, 4.3)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from ..auth.authentication import Identity
from ..errors import RequestError
from ..live.watcher import UploadWatcher
from ..runtime import Runtime
from .request_body import ClientDisconnected
from .types import Receive

T = TypeVar("T")

MAX_WAIT_SECONDS = 600
"""Most clients and proxies end an idle request before."""
_WAIT_PREFERENCE = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)


def wait_seconds(value: str | None, headers: Mapping[str, str], *, default: int) -> int:
    """Return how long a request waits, in seconds: its parameter `wait`, its header `Prefer`, or the default.

    A larger preference than the limit counts as the limit: a server may ignore a preference.

    Raises:
        RequestError: On `wait`.
    """
    if value is not None:
        if not (value.isascii() and value.isdecimal()) or len(value) > 4 or int(value) > MAX_WAIT_SECONDS:
            raise RequestError(
                {"wait": f"A whole number of seconds, at most {MAX_WAIT_SECONDS}, is expected."}
            )
        return int(value)
    preferred = _WAIT_PREFERENCE.search(headers.get("prefer", ""))
    return default if preferred is None else min(int(preferred[1]), MAX_WAIT_SECONDS)


@asynccontextmanager
async def watching(runtime: Runtime, identity: Identity) -> AsyncIterator[UploadWatcher]:
    """Yield a watcher for the user of a request. It counts as a connection of the user.

    Raises `RateLimited`.
    """
    watcher = UploadWatcher(identity.user.pk, identity.issued_at, identity.credential_id)
    async with runtime.hub.watching(watcher):
        yield watcher


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
