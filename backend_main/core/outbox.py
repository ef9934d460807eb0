"""Step 12 — what one socket still has to be sent: events in order, of each page at most one partial.

A newer partial takes the place of the one that waits. The end of an upload removes its waiting partials, so
none follows it. Events are never dropped: a client that leaves too many unread is cut off with `TooSlow`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, Self
from uuid import UUID

from .errors import TooSlow

MAX_UNSENT_EVENTS = 256
MAX_UNSENT_EVENT_CHARACTERS = 4 * 1024 * 1024
# So many may be longer than that together: one long text is, and who reads it is not slow.
ANY_SIZE_EVENTS = 4
STUCK_SECONDS = 60.0
# A client that sends request after request without reading waits, unheard, until less than this is unsent.
LOW_WATER_CHARACTERS = 64 * 1024
# The extension of the ASGI scope that has `send_now`, where the server brings one.
SEND_NOW = "scanrill.send_now"


class Place(NamedTuple):
    """What a partial is of: a page, or (None) the whole upload."""

    upload_id: UUID
    page: int | None = None


class Unsent(Protocol):
    """A partial that waits. `encoded` is asked for when its turn has come, and then only."""

    def encoded(self) -> str: ...

    def followed_by(self, later: Self) -> Self:
        """What to send in the place of both."""
        ...


class _Entry(NamedTuple):
    """A text to send, or (None) the place of a partial."""

    text: str | None
    place: Place | None
    event: bool


class Ticket:
    """The place of a reply that is still to be found; what comes behind it waits."""

    __slots__ = ("text",)
    place = None
    event = False

    def __init__(self) -> None:
        self.text: str | None = None


class Gate:
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


class Outbox:
    """Used on the event loop only. `run` sends; it ends by `TooSlow`, or when the transport fails.

    `send_now` says whether it has sent a text. It is asked where nothing waits: that saves a turn of a task.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[None]], send_now: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._send, self._send_now = send, send_now
        self._waits = False  # `run` has nothing to do, so that what is sent past it overtakes nothing
        self._entries: deque[_Entry | Ticket] = deque()
        self._partials: dict[Place, Unsent] = {}
        self._unsent_events = 0
        self._unsent_event_characters = 0
        self._unsent_reply_characters = 0
        self._changed = asyncio.Event()
        self._low, self._room = Gate(), Gate()
        self.over = False

    def put_reply(self, text: str) -> None:
        """Replies count against nobody: the next request is not heard before they are sent (`drain`)."""
        self._entries.append(_Entry(text, None, event=False))
        self._count_reply(text)

    def reserve(self) -> Ticket:
        """A reply's place, before everything that comes from now on; `fill` must follow."""
        ticket = Ticket()
        self._entries.append(ticket)
        return ticket

    def fill(self, ticket: Ticket, text: str) -> None:
        ticket.text = text
        self._count_reply(text)

    def _count_reply(self, text: str) -> None:
        self._unsent_reply_characters += len(text)
        if self._unsent_reply_characters > LOW_WATER_CHARACTERS and not self.over:
            self._low.close()
        self._changed.set()

    def put_event(self, text: str) -> None:
        if self._sent_now(text):
            return
        self._entries.append(_Entry(text, None, event=True))
        self._unsent_events += 1
        self._unsent_event_characters += len(text)
        if not self.over:
            self._room.close()
        self._changed.set()

    def put_partial(self, place: Place, partial: Unsent) -> None:
        if self._partials and (before := self._partials.get(place)):
            partial = before.followed_by(partial)
        elif self._waits and self._sent_now(partial.encoded()):
            return
        else:
            self._entries.append(_Entry(None, place, event=False))
        self._partials[place] = partial
        self._changed.set()

    def drop_partial(self, place: Place) -> None:
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
        await self._low.wait()

    async def room(self) -> None:
        """Waits until the client has been sent all of its events, or will read nothing more."""
        await self._room.wait()

    async def run(self) -> None:
        try:
            while True:
                await self._wait()
                self._changed.clear()
                while self._entries and not self._is_open(self._entries[0]):
                    self._refuse_the_slow()
                    await self._send_next()
        finally:
            self.end()

    def end(self) -> None:
        """Nothing more is sent, and nobody waits for that any longer."""
        self.over = True
        self._low.open()
        self._room.open()

    async def _wait(self) -> None:
        self._waits = True
        try:
            await self._changed.wait()
        finally:
            self._waits = False

    @staticmethod
    def _is_open(entry: _Entry | Ticket) -> bool:
        return isinstance(entry, Ticket) and entry.text is None

    def _sent_now(self, text: str) -> bool:
        return self._waits and not self._entries and self._send_now(text)

    async def _send_next(self) -> None:
        entry = self._entries.popleft()
        text, place = entry.text, entry.place
        if place is not None:
            text = self._partials.pop(place).encoded()
        assert text is not None
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await self._send(text)
        except TimeoutError:
            raise TooSlow("The client has read nothing for too long.") from None
        if entry.event:
            self._unsent_events -= 1
            self._unsent_event_characters -= len(text)
            if not self._unsent_events:
                self._room.open()
        elif place is None:
            self._unsent_reply_characters -= len(text)
            if self._unsent_reply_characters <= LOW_WATER_CHARACTERS:
                self._low.open()

    def _refuse_the_slow(self) -> None:
        too_long = self._unsent_event_characters > MAX_UNSENT_EVENT_CHARACTERS
        if self._unsent_events > (ANY_SIZE_EVENTS if too_long else MAX_UNSENT_EVENTS):
            raise TooSlow("The client leaves too many events unread.")
