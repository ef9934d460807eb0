"""Dispatch of ASGI messages by the consumer."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import channels.consumer
import pytest

from backend_main.core.consumers import UploadConsumer


async def test_dispatch_does_not_wait_for_the_database_thread_of_channels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That one thread would close database connections which it does not have."""
    close_connections = AsyncMock()
    monkeypatch.setattr(channels.consumer, "aclose_old_connections", close_connections)
    consumer = UploadConsumer()
    received: list[Any] = []

    async def receive(message: Any) -> None:
        received.append(message)

    monkeypatch.setattr(consumer, "websocket_receive", receive)
    await consumer.dispatch({"type": "websocket.receive", "text": "{}"})
    assert [message["text"] for message in received] == ["{}"]
    close_connections.assert_not_awaited()
