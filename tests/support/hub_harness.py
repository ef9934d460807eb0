"""A hub without network and database, with fake clients, and a loop whose time a test moves."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from backend_main.core import event_log
from backend_main.core.auth.accounts import AccountState
from backend_main.core.errors import ConnectionRejected
from backend_main.core.live import hub as live_hub
from backend_main.core.live.connection import LiveConnection
from backend_main.core.live.hub import Hub
from backend_main.core.live.replay import EncodedEvent, OwnerState, Snapshot
from backend_main.core.live.send_queue import SendQueue
from backend_main.core.protocol import messages as protocol
from backend_main.core.pubsub.messages import (
    LogAdvanced,
    PageState,
    PageTextUpdate,
    ReadingEnded,
    ReadingStarted,
)

OWNER, OTHER = uuid.uuid4(), uuid.uuid4()
UPLOAD = uuid.uuid4()


class Clock:
    """The time of a loop, and its timers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 1000.0
        self._loop = loop
        self._timers: list[tuple[float, asyncio.TimerHandle]] = []

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self._loop)
        self._timers.append((when, handle))
        return handle

    def move(self, seconds: float) -> None:
        self.now += seconds
        due = [handle for when, handle in self._timers if when <= self.now]
        self._timers = [(when, handle) for when, handle in self._timers if when > self.now]
        for handle in due:
            if not handle.cancelled():
                handle._run()


class ClockLoop:
    """The running loop with a clock's time."""

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


class FakeEventLog:
    """The event log and the uploads in progress, in memory. `queries` names the calls."""

    EPOCH = "e"

    def __init__(self) -> None:
        self.events: dict[uuid.UUID, list[EncodedEvent]] = defaultdict(list)
        self.reading: dict[uuid.UUID, dict[uuid.UUID, ReadingStarted]] = defaultdict(dict)
        self.removed_up_to = 0
        self.deactivated: set[uuid.UUID] = set()
        self.valid_from: dict[uuid.UUID, float] = defaultdict(float)
        self.queries: list[str] = []

    def add(self, owner: uuid.UUID, upload_id: uuid.UUID, message: Any, origin: str = "") -> EncodedEvent:
        """Append an event; `message` may be of a type that the real log does not contain."""
        ends_reading = isinstance(message, protocol.Failed | protocol.Processed)
        log = self.events[owner]
        log.append(EncodedEvent(len(log) + 1, upload_id, origin, ends_reading, protocol.encode(message)))
        return log[-1]

    def latest_seq(self, owner_id: uuid.UUID) -> int:
        return len(self.events[owner_id])

    def accounts(self, owner_ids: list[uuid.UUID]) -> dict[uuid.UUID, AccountState]:
        active = [owner_id for owner_id in owner_ids if owner_id not in self.deactivated]
        return {i: AccountState(self.valid_from[i], len(self.events[i])) for i in active}

    def owner_state(self, owner_id: uuid.UUID) -> OwnerState:
        started = self.reading[owner_id].items()
        reading = {key: (item.attempt, len(item.pages or {})) for key, item in started}
        return OwnerState(self.EPOCH, len(self.events[owner_id]), reading)

    def reading_state(self, owner_id: uuid.UUID, upload_id: uuid.UUID, attempt: int) -> ReadingStarted | None:
        self.queries.append("reading_state")
        found = self.reading[owner_id].get(upload_id)
        return found if found is not None and found.attempt == attempt else None

    def has_all_since(self, owner_id: uuid.UUID, seq: int) -> bool:
        return self.removed_up_to <= seq <= len(self.events[owner_id])

    def events_after(
        self, owner_id: uuid.UUID, seq: int, upload_id: uuid.UUID | None = None
    ) -> list[EncodedEvent]:
        self.queries.append("events_after")
        return [event for event in self.events[owner_id] if event.seq > max(seq, self.removed_up_to)][:3]

    def snapshot(self, owner_id: uuid.UUID, upload_id: uuid.UUID | None) -> Snapshot:
        return Snapshot(len(self.events[owner_id]), protocol.encode(protocol.ListMessage(list=[])))


class HubHarness(Hub):
    """A hub on a log in memory. Its methods act as commits and readers do."""

    __test__ = False

    def __init__(self) -> None:
        self.log = FakeEventLog()
        super().__init__(log_reader=self.log)  # type: ignore[arg-type] # a double

    def commit(
        self,
        message: Any,
        upload_id: uuid.UUID = UPLOAD,
        *,
        owner: uuid.UUID = OWNER,
        requester: LiveConnection | None = None,
        reply: protocol.Message | None = None,
    ) -> EncodedEvent:
        """Commit a change without a notification."""
        event = self.log.add(owner, upload_id, message, requester.id if requester else "")
        if requester is not None:
            requester.reply_at_event(event.seq, reply or message)
        return event

    def commit_event(
        self,
        message: Any,
        upload_id: uuid.UUID = UPLOAD,
        *,
        owner: uuid.UUID = OWNER,
        requester: LiveConnection | None = None,
        reply: protocol.Message | None = None,
    ) -> EncodedEvent:
        """Commit a change and publish it."""
        event = self.commit(message, upload_id, owner=owner, requester=requester, reply=reply)
        self.pubsub.publish(LogAdvanced(owner, event.seq))
        if event.ends_reading:
            self.pubsub.publish(ReadingEnded(owner, upload_id, event.seq))
        return event

    def end(self, upload_id: uuid.UUID = UPLOAD, owner: uuid.UUID = OWNER) -> None:
        """End an upload's reading with a failure."""
        self.log.reading[owner].pop(upload_id, None)
        self.commit_event(failed(upload_id), upload_id, owner=owner)

    def start_reading(
        self,
        attempt: int = 1,
        *pages: str,
        page_count: int | None = None,
        owner: uuid.UUID = OWNER,
        upload_id: uuid.UUID = UPLOAD,
        first_attempt: int = 0,
    ) -> ReadingStarted:
        """Start or continue a reading, as a reader of this process does."""
        seq, texts = len(self.log.events[owner]), dict(enumerate(pages, 1))
        message = ReadingStarted(owner, upload_id, attempt, seq, texts, page_count, first_attempt)
        self.log.reading[owner][upload_id] = message
        self.pubsub.publish(message)
        return message

    def page_text(
        self, upload_id: uuid.UUID, attempt: int, page: PageState, owner: uuid.UUID = OWNER
    ) -> None:
        self.pubsub.publish(PageTextUpdate(owner, upload_id, attempt, page))

    page_done = page_text


def replace_executor(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Awaitable[object]]) -> None:
    """Run the hub's queries with `run(function, *arguments)`."""

    async def run_for(_user: object, work: Callable[..., object], *args: object) -> object:
        return await run(work, *args)

    monkeypatch.setattr(live_hub.executor, "run_short_query", run)
    for name in ("run_catch_up", "run_long_query"):
        monkeypatch.setattr(live_hub.executor, name, run_for)


@pytest.fixture
async def hub(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HubHarness]:
    async def inline(work: Callable[..., object], *args: object) -> object:
        await asyncio.sleep(0)  # other tasks run meanwhile, as with the real executor
        return work(*args)

    replace_executor(monkeypatch, inline)
    monkeypatch.setattr(live_hub, "POLL_SECONDS", 3600.0)
    hub = HubHarness()
    hub.start()
    hub._broadcaster._loop = ClockLoop(asyncio.get_running_loop(), clock)  # type: ignore[assignment]
    yield hub
    if hub.on_change_committed in event_log._listeners:
        await hub.stop()


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every message encoded, once for each time."""
    messages: list[object] = []
    encode = protocol.encode

    def recording_encode(message: protocol.AnyMessage) -> str:
        messages.append(message)
        return encode(message)

    monkeypatch.setattr(protocol, "encode", recording_encode)
    return messages


class FakeClient:
    """A client of the hub, with its connection. `received` reads everything that was sent."""

    def __init__(
        self, owner: uuid.UUID = OWNER, upload_id: uuid.UUID | None = None, issued_at: float = 0
    ) -> None:
        self.texts: list[str] = []
        self.closed: list[ConnectionRejected] = []
        self.send_queue = SendQueue(self._send)
        self.connection = LiveConnection(owner, upload_id, issued_at, self.send_queue, self.closed.append)

    async def _send(self, text: str) -> None:
        self.texts.append(text)

    @property
    async def received(self) -> list[dict[str, Any]]:
        await run_until_idle()
        while self.send_queue._entries:
            await self.send_queue._send_next()
        return [json.loads(text) for text in self.texts]

    @property
    async def streamed_texts(self) -> list[str]:
        return [message["streamed_text"] for message in await self.received if "streamed_text" in message]


async def run_until_idle(turns: int = 12) -> None:
    """Run the callbacks that other threads and the hub have queued."""
    for _ in range(turns):
        await asyncio.sleep(0)


def failed(upload_id: uuid.UUID = UPLOAD, error: str = "Broken.") -> protocol.Failed:
    return protocol.Failed(id=upload_id, status="error", error=error)


def page(text: str, number: int = 1, **more: Any) -> PageState:
    return PageState(number, text=text, **more)


async def join(hub: Hub, *clients: FakeClient) -> FakeClient:
    for client in clients:
        await hub.join(client.connection)
    return clients[0]
