"""Step 3 — what a server cuts off, because its time to end is over, is answered all the same: try again."""

from __future__ import annotations

import asyncio

import msgspec

from ..errors import ShuttingDown
from .types import Application, Message, Receive, Send


def shutdown_503_middleware(application: Application) -> Application:
    """The application; where it is cancelled before its answer began, that is 503 and not a failure."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        begun = False

        async def tracking_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await application(scope, receive, tracking_send)
        except asyncio.CancelledError:
            if begun:
                raise
            await _send_503(send, ShuttingDown())

    return app


async def _send_503(send: Send, error: ShuttingDown) -> None:
    body = msgspec.json.encode({"error": error.fields})
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
