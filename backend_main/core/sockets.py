"""Step 12 — one connected client, as the hub knows it: what it wants, how far it is, what it waits for."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from . import protocol
from .errors import ConnectionRefused
from .outbox import Outbox, Ticket
from .protocol import Stream
from .replay import Entry


@dataclass(eq=False, slots=True)
class Socket:
    """`upload_id` is the upload it follows, None for all of the user's.

    `close` ends the connection with an error's close code. `issued_at` is its token's, in epoch seconds.
    `stream` is how it wants live text. One that knows the specification alone never opts in: it gets no
    cursor, and of its own changes the reply alone.

    `position` is the last event of its owner that it has had, or did not want. While it is not `live`, it
    is given what it missed; the events of now and live text wait until that is done.
    """

    owner_id: UUID
    upload_id: UUID | None
    issued_at: float
    outbox: Outbox
    close: Callable[[ConnectionRefused], None]
    stream: Stream = "full"
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    opted_in: bool = False
    live: bool = False
    position: int = 0
    _request: protocol.Request | None = None
    _expected: tuple[int, protocol.Message] | None = None
    _ticket: Ticket | None = None
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, upload_id: UUID) -> bool:
        return self.upload_id is None or self.upload_id == upload_id

    # ── events ──

    def hear(self, entry: Entry, epoch: str) -> None:
        """The owner's next event; one from before its position is passed over."""
        if entry.seq <= self.position:
            return
        self.position = entry.seq
        own = entry.origin == self.id
        if own and self._expected is not None and self._expected[0] == entry.seq:
            self.answer(self._expected[1])
        if self.wants(entry.upload_id) and (self.opted_in or not own):
            self.outbox.put_event(entry.with_cursor(epoch) if self.opted_in else entry.text)

    # ── requests, one after another ──

    def ask(self, request: protocol.Request) -> None:
        """From here to its reply, `request` is the one that this socket waits for."""
        self._request, self._expected = request, None
        self._answered.clear()

    def expect(self, seq: int, reply: protocol.Message) -> None:
        """From any thread: the event `seq`, not committed yet, is the request's; `reply` has its place."""
        self._expected = seq, reply

    def forget(self) -> None:
        """From any thread: that event was not committed."""
        self._expected = None

    @property
    def expects(self) -> bool:
        """Whether the request has made an event."""
        return self._expected is not None

    def reserve(self) -> None:
        """The reply stands before every event from now on: one that tells how things are, and is read now,
        is older than those, and would take back what they say if it came behind them."""
        self._ticket = self.outbox.reserve()

    def answer(self, message: protocol.Message) -> None:
        """The reply, once."""
        if self._answered.is_set() or self._request is None:
            return
        self._answered.set()
        text = protocol.encode(self._request.reply(message))
        if self._ticket is None:
            self.outbox.put_reply(text)
        else:
            self.outbox.fill(self._ticket, text)
            self._ticket = None

    async def conclude(self, message: protocol.Message) -> None:
        """What the handler says in the end. A change is replied to at its event's place."""
        if self._expected is None:
            self.answer(message)
        else:
            await self._answered.wait()
