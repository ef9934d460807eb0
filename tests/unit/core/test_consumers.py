"""What a socket does not do for a message."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import channels.consumer
import pytest

from backend_main.core.consumers import UploadConsumer


async def test_a_message_does_not_wait_for_the_thread_that_channels_has_for_all_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would look after a database connection that none of them has there."""
    waits = AsyncMock()
    monkeypatch.setattr(channels.consumer, "aclose_old_connections", waits)
    consumer = UploadConsumer()
    heard: list[Any] = []

    async def hear(message: Any) -> None:
        heard.append(message)

    monkeypatch.setattr(consumer, "websocket_receive", hear)
    await consumer.dispatch({"type": "websocket.receive", "text": "{}"})
    assert [message["text"] for message in heard] == ["{}"]
    waits.assert_not_awaited()
