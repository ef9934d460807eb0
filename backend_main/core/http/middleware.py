"""ASGI middleware for requests that the server cancels at its shutdown, and for plain ones to WebSockets."""

from __future__ import annotations

import asyncio

from ..errors import ShuttingDown
from .http_errors import UpgradeRequired
from .problems import MEDIA_TYPE, encode_problem
from .responses import encode_headers
from .types import Application, Message, Receive, Scope, Send

WEBSOCKET_PATH = "/ws/"


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
            headers = encode_headers({"Content-Type": MEDIA_TYPE, "Connection": "close"} | error.headers)
            await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
            await send({"type": "http.response.body", "body": encode_problem(error)})

    return app


def upgrade_required_middleware(application: Application) -> Application:
    """Wrap an application: a request to the path of a WebSocket gets 426. `request_gate` sends the error."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(WEBSOCKET_PATH):
            raise UpgradeRequired
        await application(scope, receive, send)

    return app
