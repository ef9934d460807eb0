"""Fixtures and helpers of the fault tests: an account, and checks of the messages that a client received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.support.accounts import Account
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.websocket_client import TERMINAL, Message, WebSocketClient

T = TypeVar("T")


@pytest.fixture(scope="session")
def account(server: Server) -> Account:
    """An account on the shared server; each test uses its own documents."""
    return Account.create(server)


@pytest.fixture(scope="module")
def module_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis for the deployment of a module."""
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


async def in_thread(function: Callable[..., T], *args: Any, **options: Any) -> T:
    """Call a blocking function on a thread."""
    return await asyncio.to_thread(function, *args, **options)


async def wait_for_partial(client: WebSocketClient, upload_id: str, text: str) -> Message:
    """Wait for the partial message with exactly this text."""
    return await client.receive_until(lambda m: m.get("id") == upload_id and m.get("streamed_text") == text)


async def retrieve_instance(client: WebSocketClient, upload_id: str) -> dict[str, Any]:
    reply = await client.request({"type": "retrieve", "instance_id": upload_id})
    instance: dict[str, Any] = reply["instance"]
    return instance


async def terminal_statuses_received(client: WebSocketClient, upload_id: str) -> list[str]:
    """Return the terminal statuses received for an upload, up to the reply to a new request."""
    await client.request({"type": "list"})
    return [
        message["status"]
        for message in client.seen
        if message.get("id") == upload_id and message.get("status") in TERMINAL
    ]


async def create_until_accepted(client: WebSocketClient, image: bytes) -> Message:
    """Send a `create` until the database accepts it, and return the reply."""
    while "error" in (reply := await client.create(image)):
        assert list(reply["error"]) == ["server"], reply
    return reply
