"""The socket door, without a socket: how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer

from backend_main.core.consumers import UploadConsumer


async def test_a_connection_that_a_server_cuts_off_at_its_end_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = asyncio.Event()

    async def for_ever(_self: Any, _scope: Any, _receive: Any, _send: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(AsyncWebsocketConsumer, "__call__", for_ever)
    connection = asyncio.create_task(UploadConsumer()({}, None, None))
    await begun.wait()
    connection.cancel()
    await connection
