"""ASGI middleware for requests that the server cancels while it shuts down."""

from __future__ import annotations

import asyncio

import msgspec

from ..errors import ShuttingDown
from .types import Application, Message, Receive, Send


def shutdown_503_middleware(application: Application) -> Application:
    """Wrap an application: a request that is cancelled before its response began gets 503, “try again”."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        is_started = False

        async def tracking_send(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await application(scope, receive, tracking_send)
        except asyncio.CancelledError:
            if is_started:
                raise
            error = ShuttingDown()
            headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
            body = msgspec.json.encode({"error": error.fields})
            await send({"type": "http.response.body", "body": body})

    return app
