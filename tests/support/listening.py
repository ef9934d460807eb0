"""Sockets of a hub without a network, and a loop whose time a test moves on."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from backend_main.core import live, protocol
from backend_main.core.errors import ConnectionRefused
from backend_main.core.events import Event, Taken
from backend_main.core.live import Hub, Socket
from backend_main.core.outbox import Outbox
from backend_main.core.slot import Draft

OWNER, OTHER = uuid.uuid4(), uuid.uuid4()
UPLOAD = uuid.uuid4()


class Clock:
    """The loop's time, and what it is to call when."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 1000.0
        self._loop = loop
        self._later: list[tuple[float, asyncio.TimerHandle]] = []

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self._loop)
        self._later.append((when, handle))
        return handle

    def move(self, seconds: float) -> None:
        self.now += seconds
        due = [handle for when, handle in self._later if when <= self.now]
        self._later = [(when, handle) for when, handle in self._later if when > self.now]
        for handle in due:
            if not handle.cancelled():
                handle._run()


class ClockLoop:
    """The running loop, but for the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self.call_at = clock.call_at

    def time(self) -> float:
        return self._clock.now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


@pytest.fixture
async def clock() -> Clock:
    return Clock(asyncio.get_running_loop())


@pytest.fixture
async def hub(clock: Clock) -> AsyncIterator[Hub]:
    hub = Hub()
    hub.start()
    hub._loop = ClockLoop(asyncio.get_running_loop(), clock)  # type: ignore[assignment]
    yield hub
    hub.stop()


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every message that was encoded, once for each time."""
    messages: list[object] = []
    encode = protocol.encode

    def counting(message: protocol.AnyMessage) -> str:
        messages.append(message)
        return encode(message)

    monkeypatch.setattr(live.protocol, "encode", counting)
    return messages


class Listener:
    """A socket of the hub; `heard` is what a client that reads at once would have."""

    def __init__(
        self, owner: uuid.UUID = OWNER, upload_id: uuid.UUID | None = None, issued_at: float = 0
    ) -> None:
        self.texts: list[str] = []
        self.closed: list[ConnectionRefused] = []
        self.outbox = Outbox(self._send)
        self.socket = Socket(owner, upload_id, issued_at, self.outbox, self.closed.append)

    async def _send(self, text: str) -> None:
        self.texts.append(text)

    @property
    async def heard(self) -> list[dict[str, Any]]:
        await settled()
        while self.outbox._entries:
            await self.outbox._send_next()
        return [json.loads(text) for text in self.texts]

    @property
    async def streamed(self) -> list[str]:
        return [message["streamed_text"] for message in await self.heard if "streamed_text" in message]


async def settled() -> None:
    """All callbacks that other threads, or the hub, have queued have run."""
    for _ in range(3):
        await asyncio.sleep(0)


def failed(upload_id: uuid.UUID = UPLOAD, error: str = "Broken.") -> protocol.Failed:
    return protocol.Failed(id=upload_id, status="error", error=error)


def taken(attempt: int = 1, *pages: str, owner: uuid.UUID = OWNER, upload_id: uuid.UUID = UPLOAD) -> Event:
    return Event(owner, upload_id, None, taken=Taken(attempt, pages))


def taken_again(attempt: int, *pages: str, page_count: int | None = None) -> Event:
    """The same, of a document whose number of pages is known."""
    return Event(OWNER, UPLOAD, None, taken=Taken(attempt, pages, page_count))


def ended(upload_id: uuid.UUID = UPLOAD) -> Event:
    return Event(OWNER, upload_id, failed(upload_id), over=True)


def draft(text: str, number: int = 1, **more: Any) -> Draft:
    return Draft(number, text=text, **more)


def joined(hub: Hub, *listeners: Listener) -> Listener:
    for listener in listeners:
        hub.join(listener.socket)
    return listeners[0]
