"""The send queue of one connection: events in order, and of each page at most one partial.

A newer partial replaces the unsent one. The end of an upload removes its unsent partials, so none follows it.
Events are never dropped: a client that leaves too many unread is disconnected with `SlowConsumer`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, Self
from uuid import UUID

from ..errors import SlowConsumer

MAX_UNSENT_EVENTS = 256
MAX_UNSENT_EVENT_CHARACTERS = 4 * 1024 * 1024
# A few events may exceed that together: one long text does, and a client that reads it is not slow.
MAX_OVERSIZED_EVENTS = 4
SEND_TIMEOUT_SECONDS = 60.0
# A client's next request waits until fewer characters of its replies than this are unsent.
LOW_WATER_CHARACTERS = 64 * 1024


class PartialKey(NamedTuple):
    """Identifies a partial: of a page, or (None) of the whole upload."""

    upload_id: UUID
    page: int | None = None


class PendingPartial(Protocol):
    """An unsent partial. `encoded` is called only when it is sent."""

    def encoded(self) -> str: ...

    def merge(self, later: Self) -> Self:
        """Return the partial that replaces both."""
        ...


class _Entry(NamedTuple):
    """A text to send, or the key of a partial."""

    text: str | None
    key: PartialKey | None
    is_event: bool


class ReplySlot:
    """The reserved place of a reply. Everything behind it waits until `SendQueue.fill`."""

    __slots__ = ("text",)
    key = None
    is_event = False

    def __init__(self) -> None:
        self.text: str | None = None


class LazyEvent:
    """An event, set at first, that costs no memory while nobody waits: an `asyncio.Event` takes 0.75 KiB."""

    __slots__ = ("_is_open", "_opened")

    def __init__(self) -> None:
        self._is_open = True
        self._opened: asyncio.Event | None = None

    def open(self) -> None:
        self._is_open = True
        if self._opened is not None:
            self._opened.set()
            self._opened = None

    def close(self) -> None:
        self._is_open = False

    async def wait(self) -> None:
        """Wait until it is, or was, open."""
        if not self._is_open:
            self._opened = self._opened or asyncio.Event()
            await self._opened.wait()


class SendQueue:
    """Sends to one connection. Used on the event loop only.

    Args:
        send: sends a text, and waits until the transport has taken it.
        send_now: sends a text without waiting, and returns whether it did. It is called while the queue is
            empty, and saves a turn of the writer task.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[None]], send_now: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._send = send
        self._send_now = send_now
        self._is_idle = False  # `run` waits, so `send_now` overtakes nothing
        self._entries: deque[_Entry | ReplySlot] = deque()
        self._partials: dict[PartialKey, PendingPartial] = {}
        self._unsent_events = 0
        self._unsent_event_characters = 0
        self._unsent_reply_characters = 0
        self._changed = asyncio.Event()
        self._below_low_water = LazyEvent()
        self._no_unsent_events = LazyEvent()
        self.closed = False

    def put_reply(self, text: str) -> None:
        """Add a reply. Replies have no limit: the next request waits until they are sent (`drain`)."""
        self._entries.append(_Entry(text, None, is_event=False))
        self._count_reply(text)

    def reserve(self) -> ReplySlot:
        """Reserve a place for a reply before all later entries; `fill` must follow."""
        slot = ReplySlot()
        self._entries.append(slot)
        return slot

    def fill(self, slot: ReplySlot, text: str) -> None:
        slot.text = text
        self._count_reply(text)

    def _count_reply(self, text: str) -> None:
        self._unsent_reply_characters += len(text)
        if self._unsent_reply_characters > LOW_WATER_CHARACTERS and not self.closed:
            self._below_low_water.close()
        self._changed.set()

    def put_event(self, text: str) -> None:
        if self._try_send_now(text):
            return
        self._entries.append(_Entry(text, None, is_event=True))
        self._unsent_events += 1
        self._unsent_event_characters += len(text)
        if not self.closed:
            self._no_unsent_events.close()
        self._changed.set()

    def put_partial(self, key: PartialKey, partial: PendingPartial) -> None:
        if self._partials and (before := self._partials.get(key)):
            partial = before.merge(partial)
        elif self._is_idle and self._try_send_now(partial.encoded()):
            return
        else:
            self._entries.append(_Entry(None, key, is_event=False))
        self._partials[key] = partial
        self._changed.set()

    def drop_partial(self, key: PartialKey) -> None:
        if self._partials.pop(key, None) is not None:
            self._entries.remove(_Entry(None, key, is_event=False))

    def drop_partials(self, upload_id: UUID) -> None:
        """Drop all partials of an upload in one pass: a long document has thousands of pages."""
        keys = {key for key in self._partials if key.upload_id == upload_id}
        if keys:
            self._partials = {key: partial for key, partial in self._partials.items() if key not in keys}
            self._entries = deque(entry for entry in self._entries if entry.key not in keys)

    async def drain(self) -> None:
        """Wait until most replies are sent, or the queue is closed."""
        await self._below_low_water.wait()

    async def wait_for_capacity(self) -> None:
        """Wait until all events are sent, or the queue is closed."""
        await self._no_unsent_events.wait()

    async def run(self) -> None:
        """Send until the transport fails. Raises `SlowConsumer`."""
        try:
            while True:
                self._is_idle = True
                try:
                    await self._changed.wait()
                finally:
                    self._is_idle = False
                self._changed.clear()
                while self._entries and not _is_unfilled(self._entries[0]):
                    self._raise_if_slow()
                    await self._send_next()
        finally:
            self.close()

    def close(self) -> None:
        """Stop sending, and end all waits."""
        self.closed = True
        self._below_low_water.open()
        self._no_unsent_events.open()

    def _try_send_now(self, text: str) -> bool:
        return self._is_idle and not self._entries and self._send_now(text)

    async def _send_next(self) -> None:
        entry = self._entries.popleft()
        text = entry.text
        if entry.key is not None:
            text = self._partials.pop(entry.key).encoded()
        assert text is not None
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._send(text)
        except TimeoutError:
            raise SlowConsumer("The client has read nothing for too long.") from None
        if entry.is_event:
            self._unsent_events -= 1
            self._unsent_event_characters -= len(text)
            if not self._unsent_events:
                self._no_unsent_events.open()
        elif entry.key is None:
            self._unsent_reply_characters -= len(text)
            if self._unsent_reply_characters <= LOW_WATER_CHARACTERS:
                self._below_low_water.open()

    def _raise_if_slow(self) -> None:
        too_long = self._unsent_event_characters > MAX_UNSENT_EVENT_CHARACTERS
        if self._unsent_events > (MAX_OVERSIZED_EVENTS if too_long else MAX_UNSENT_EVENTS):
            raise SlowConsumer("The client leaves too many events unread.")


def _is_unfilled(entry: _Entry | ReplySlot) -> bool:
    return isinstance(entry, ReplySlot) and entry.text is None
