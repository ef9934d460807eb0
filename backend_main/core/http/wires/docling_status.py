"""Status of a docling task over a WebSocket: a message at the start, and one at the end."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import msgspec

from ...auth import authentication, origin
from ...auth.authentication import Identity
from ...auth.credentials import credential_of
from ...conf import conf
from ...db import executor
from ...errors import ConnectionRejected, RateLimited, ScanrillError, Unauthenticated
from ...live.rate_limit import BURST_SECONDS, TokenBucket
from ...live.server_connection import SERVER_CONNECTION, ServerConnection
from ...live.watcher import UploadWatcher
from ...models import Upload, User
from ...uploads import queries
from ...uploads.quotas import OPEN_STATUSES
from ..types import Receive, Scope, Send
from ..waiting import watching
from .docling import error_body, parse_task, task

NORMAL_CLOSE, POLICY_CLOSE = 1000, 1008
MAX_SECONDS = 24 * 3600


async def status_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `/docling/v1/status/ws/{task_id}`; the key may be in a header or in `?api_key=`."""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        await _serve(scope, receive, send)
        code = NORMAL_CLOSE
    except ScanrillError as error:
        await _send(send, {"message": "error", "task": None, "error": str(error_body(error)["detail"])})
        code = error.close_code if isinstance(error, ConnectionRejected) else POLICY_CLOSE
    except _Disconnected:
        return
    await send({"type": "websocket.close", "code": code})


class _Disconnected(Exception):
    """The client has closed the connection."""


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    origin.check_origin(scope)  # of sockets, CORS keeps no page from the answers
    identity = await executor.run_in_db_thread(authentication.authenticate, _credential(scope))
    authentication.require(identity, "read")
    user, bucket = identity.user, _bucket(scope)
    upload_id, formats = parse_task(scope["url_route"]["kwargs"]["task_id"])
    upload = await _upload(user, upload_id)
    await _send(send, {"message": "connection", "task": task(upload, formats), "error": None})
    async with _watching(scope, identity) as watcher:
        ending = asyncio.ensure_future(watcher.wait_until_ended(user, upload_id, MAX_SECONDS))
        try:
            while not ending.done():
                asked = asyncio.ensure_future(receive())
                await asyncio.wait((ending, asked), return_when=asyncio.FIRST_COMPLETED)
                if not asked.done():
                    asked.cancel()
                elif asked.result()["type"] == "websocket.disconnect":
                    raise _Disconnected
                elif not bucket.consume():
                    raise RateLimited("Too many messages.")
                elif not ending.done():  # each text of the client asks for the state
                    upload = await _upload(user, upload_id)
                    await _send(send, {"message": "update", "task": task(upload, formats), "error": None})
            upload = await ending
        finally:
            ending.cancel()
    if upload.status not in OPEN_STATUSES:
        await _send(send, {"message": "update", "task": task(upload, formats), "error": None})


@asynccontextmanager
async def _watching(scope: Scope, identity: Identity) -> AsyncIterator[UploadWatcher]:
    """Yield a watcher, whose wait ends when the credential expires."""
    async with watching(scope, identity) as watcher:
        if math.isinf(identity.expires_at):
            yield watcher
            return
        remaining = max(0.0, identity.expires_at - time.time())
        expired = Unauthenticated("The token or API key has expired.")
        timer = asyncio.get_running_loop().call_later(remaining, watcher.close, expired)
        try:
            yield watcher
        finally:
            timer.cancel()


def _bucket(scope: Scope) -> TokenBucket:
    """Return the limit of the messages of a connection."""
    server: ServerConnection | None = scope.get("extensions", {}).get(SERVER_CONNECTION)
    rate = conf.messages_per_second
    return TokenBucket(rate, rate * BURST_SECONDS) if server is None else server.frame_rate


def _credential(scope: Scope) -> str:
    query = parse_qs(scope["query_string"].decode("latin-1"))
    found = credential_of(scope) or query.get("api_key", [""])[0]
    if not found:
        raise Unauthenticated("A key is needed, as the header X-Api-Key or as ?api_key=.")
    return found


async def _upload(user: User, upload_id: Any) -> Upload:
    found: Upload = await executor.run_for_user(user.pk, queries.upload, owner=user, upload_id=upload_id)
    return found


async def _send(send: Send, message: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": msgspec.json.encode(message).decode()})
