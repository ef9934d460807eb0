"""Responses of ASGI middleware, and the rest of a body that a response did not wait for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

import msgspec

from ..errors import ScanrillError
from .problems import MEDIA_TYPE, encode_problem
from .request_body import LimitedBody
from .types import Receive, Scope, Send

# Limits on reading the rest of a rejected body. Closing at once would reset the connection, and the client
# would lose the response.
DRAIN_TIMEOUT_SECONDS = 5.0
MAX_DRAIN_BYTES = 64 * 1024 * 1024
JSON, TEXT = "application/json", "text/plain; charset=utf-8"


async def send_empty(send: Send, headers: dict[str, str]) -> None:
    """Send a response without a body."""
    await send({"type": "http.response.start", "status": 204, "headers": encode_headers(headers)})
    await send({"type": "http.response.body"})


async def send_json(
    receive: Receive, send: Send, status: int, response: object, headers: dict[str, str] | None = None
) -> None:
    """Send a response as JSON."""
    all_headers = {"Content-Type": JSON} | (headers or {})
    await _send(receive, send, status, msgspec.json.encode(response), all_headers)


async def send_error(scope: Scope, receive: Receive, send: Send, error: ScanrillError) -> None:
    """Send an error, as JSON below `/api/` and as text elsewhere; also read the rest of the body."""
    if scope["path"].startswith("/api/"):
        body, media_type = encode_problem(error), MEDIA_TYPE
    else:
        body, media_type = (" ".join(error.fields.values()) + "\n").encode(), TEXT
    await _send(receive, send, error.http_status, body, {"Content-Type": media_type} | error.headers)


async def _send(
    receive: Receive, send: Send, status: int, body: bytes, named_headers: dict[str, str]
) -> None:
    headers = encode_headers(named_headers | {"Content-Length": str(len(body))})
    is_error = status >= 400
    if is_error:  # the body was not read to its end
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": is_error})
    if is_error:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_SECONDS):
                await _drain_body(receive)
        await send({"type": "http.response.body", "body": b""})


def encode_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def upload_location(upload_id: UUID) -> str:
    """Return the path of an upload, for the header `Location`."""
    return f"/api/uploads/{upload_id}/"


async def _drain_body(receive: Receive) -> None:
    """Receive and discard the rest of the body, at most `MAX_DRAIN_BYTES`."""
    if isinstance(receive, LimitedBody) and receive.is_complete:
        return
    drained_bytes = 0
    while drained_bytes < MAX_DRAIN_BYTES:
        message = await receive()
        drained_bytes += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
