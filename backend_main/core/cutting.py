"""Step 3 — what a server cuts off, because its time to end is over, is answered all the same: try again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from .errors import Ending

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]


def answering_the_cut(application: Application) -> Application:
    """The application; where it is cancelled before its answer began, that is 503 and not a failure."""

    async def door(scope: Message, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await application(scope, receive, send_noting)
        except asyncio.CancelledError:
            if begun:
                raise
            await _refuse(send, Ending())

    return door


async def _refuse(send: Send, error: Ending) -> None:
    body = msgspec.json.encode({"error": error.fields})
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
