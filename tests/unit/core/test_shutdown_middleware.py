"""What is cut off at a server's end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend_main.core.http.middleware import shutdown_503_middleware

START = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize("begun", [False, True])
async def test_a_request_that_is_cut_off_is_answered_unless_its_answer_has_begun(begun: bool) -> None:
    sent: list[dict[str, Any]] = []
    reached = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        if begun:
            await send(START)
        reached.set()
        await asyncio.Event().wait()

    request = asyncio.create_task(shutdown_503_middleware(slow)({}, None, send))
    await reached.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    assert request.cancelled() == begun
    if begun:
        assert sent == [START]
    else:
        assert sent[0]["status"] == 503
        assert b"Try again" in sent[1]["body"]
