"""Requests that are cancelled while the server shuts down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend_main.core.http.middleware import shutdown_503_middleware

START = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize("is_started", [False, True])
async def test_shutdown_middleware_sends_503_unless_a_response_began(is_started: bool) -> None:
    sent: list[dict[str, Any]] = []
    reached = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        if is_started:
            await send(START)
        reached.set()
        await asyncio.Event().wait()

    request = asyncio.create_task(shutdown_503_middleware(slow)({}, None, send))
    await reached.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    assert request.cancelled() == is_started
    if is_started:
        assert sent == [START]
    else:
        assert sent[0]["status"] == 503
        assert b"Try again" in sent[1]["body"]
