"""Step 12 — what one socket still has to be sent: events in order, of each page at most one partial.

A newer partial takes the place of the one that waits. The end of an upload removes its waiting partials, so
none follows it. Events are never dropped: a client that leaves too many unread is cut off with `SlowConsumer`.
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
# So many may be longer than that together: one long text is, and who reads it is not slow.
MAX_OVERSIZED_EVENTS = 4
SEND_TIMEOUT_SECONDS = 60.0
# A client that sends request after request without reading waits, unheard, until less than this is unsent.
LOW_WATER_CHARACTERS = 64 * 1024
# The extension of the ASGI scope that has `send_now`, where the server brings one.
SEND_NOW = "scanrill.send_now"


class PartialKey(NamedTuple):
    """What a partial is of: a page, or (None) the whole upload."""

    upload_id: UUID
    page: int | None = None


class PendingPartial(Protocol):
    """A partial that waits. `encoded` is asked for when its turn has come, and then only."""

    def encoded(self) -> str: ...

    def merge(self, later: Self) -> Self:
        """What to send in the place of both."""
        ...


class _Entry(NamedTuple):
    """A text to send, or (None) the place of a partial."""

    text: str | None
    place: PartialKey | None
    event: bool


class ReplySlot:
    """The place of a reply that is still to be found; what comes behind it waits."""

    __slots__ = ("text",)
    place = None
    event = False

    def __init__(self) -> None:
        self.text: str | None = None


class LazyEvent:
    """Open at first. An `asyncio.Event` takes 0.75 KiB also where nobody waits, as on nearly every socket."""

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
        """Until it is, or was, opened."""
        if not self._is_open:
            self._opened = self._opened or asyncio.Event()
            await self._opened.wait()


class SendQueue:
    """Used on the event loop only. `run` sends; it ends by `SlowConsumer`, or when the transport fails.

    `send_now` says whether it has sent a text. It is asked where nothing waits: that saves a turn of a task.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[None]], send_now: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._send, self._send_now = send, send_now
        self._idle = False  # `run` has nothing to do, so that what is sent past it overtakes nothing
        self._entries: deque[_Entry | ReplySlot] = deque()
        self._partials: dict[PartialKey, PendingPartial] = {}
        self._unsent_events = 0
        self._unsent_event_characters = 0
        self._unsent_reply_characters = 0
        self._changed = asyncio.Event()
        self._below_low_water, self._room = LazyEvent(), LazyEvent()
        self.closed = False

    def put_reply(self, text: str) -> None:
        """Replies count against nobody: the next request is not heard before they are sent (`drain`)."""
        self._entries.append(_Entry(text, None, event=False))
        self._count_reply(text)

    def reserve(self) -> ReplySlot:
        """A reply's place, before everything that comes from now on; `fill` must follow."""
        ticket = ReplySlot()
        self._entries.append(ticket)
        return ticket

    def fill(self, ticket: ReplySlot, text: str) -> None:
        ticket.text = text
        self._count_reply(text)

    def _count_reply(self, text: str) -> None:
        self._unsent_reply_characters += len(text)
        if self._unsent_reply_characters > LOW_WATER_CHARACTERS and not self.closed:
            self._below_low_water.close()
        self._changed.set()

    def put_event(self, text: str) -> None:
        if self._try_send_now(text):
            return
        self._entries.append(_Entry(text, None, event=True))
        self._unsent_events += 1
        self._unsent_event_characters += len(text)
        if not self.closed:
            self._room.close()
        self._changed.set()

    def put_partial(self, place: PartialKey, partial: PendingPartial) -> None:
        if self._partials and (before := self._partials.get(place)):
            partial = before.merge(partial)
        elif self._idle and self._try_send_now(partial.encoded()):
            return
        else:
            self._entries.append(_Entry(None, place, event=False))
        self._partials[place] = partial
        self._changed.set()

    def drop_partial(self, place: PartialKey) -> None:
        if self._partials.pop(place, None) is not None:
            self._entries.remove(_Entry(None, place, event=False))

    def drop_partials(self, upload_id: UUID) -> None:
        """All of an upload, in one walk: a long document has thousands of pages."""
        places = {place for place in self._partials if place.upload_id == upload_id}
        if places:
            self._partials = {p: unsent for p, unsent in self._partials.items() if p not in places}
            self._entries = deque(entry for entry in self._entries if entry.place not in places)

    async def drain(self) -> None:
        """Waits until the client has read most of its replies, or will read nothing more."""
        await self._below_low_water.wait()

    async def wait_for_capacity(self) -> None:
        """Waits until the client has been sent all of its events, or will read nothing more."""
        await self._room.wait()

    async def run(self) -> None:
        try:
            while True:
                await self._wait()
                self._changed.clear()
                while self._entries and not self._is_open(self._entries[0]):
                    self._raise_if_slow()
                    await self._send_next()
        finally:
            self.close()

    def close(self) -> None:
        """Nothing more is sent, and nobody waits for that any longer."""
        self.closed = True
        self._below_low_water.open()
        self._room.open()

    async def _wait(self) -> None:
        self._idle = True
        try:
            await self._changed.wait()
        finally:
            self._idle = False

    @staticmethod
    def _is_open(entry: _Entry | ReplySlot) -> bool:
        return isinstance(entry, ReplySlot) and entry.text is None

    def _try_send_now(self, text: str) -> bool:
        return self._idle and not self._entries and self._send_now(text)

    async def _send_next(self) -> None:
        entry = self._entries.popleft()
        text, place = entry.text, entry.place
        if place is not None:
            text = self._partials.pop(place).encoded()
        assert text is not None
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._send(text)
        except TimeoutError:
            raise SlowConsumer("The client has read nothing for too long.") from None
        if entry.event:
            self._unsent_events -= 1
            self._unsent_event_characters -= len(text)
            if not self._unsent_events:
                self._room.open()
        elif place is None:
            self._unsent_reply_characters -= len(text)
            if self._unsent_reply_characters <= LOW_WATER_CHARACTERS:
                self._below_low_water.open()

    def _raise_if_slow(self) -> None:
        too_long = self._unsent_event_characters > MAX_UNSENT_EVENT_CHARACTERS
        if self._unsent_events > (MAX_OVERSIZED_EVENTS if too_long else MAX_UNSENT_EVENTS):
            raise SlowConsumer("The client leaves too many events unread.")
