"""Step 12 — one connected client, as the hub knows it: what it wants, how far it is, what it waits for."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from ..errors import ConnectionRejected
from ..protocol import messages
from ..protocol.messages import Stream
from .replay import EncodedEvent
from .send_queue import ReplySlot, SendQueue


@dataclass(eq=False, slots=True)
class LiveConnection:
    """`upload_id` is the upload it follows, None for all of the user's.

    `close` ends the connection with an error's close code. `issued_at` is its token's, in epoch seconds.
    `stream` is how it wants live text. One that knows the specification alone never opts in: it gets no
    cursor, and of its own changes the reply alone.

    `position` is the last event of its owner that it has had, or did not want. While it is not `is_caught_up`, it
    is given what it missed; the events of now and live text wait until that is done.
    """

    owner_id: UUID
    upload_id: UUID | None
    issued_at: float
    send_queue: SendQueue
    close: Callable[[ConnectionRejected], None]
    stream: Stream = "full"
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    opted_in: bool = False
    is_caught_up: bool = False
    position: int = 0
    _request: messages.Request | None = None
    _expected: tuple[int, messages.Message] | None = None
    _reply_slot: ReplySlot | None = None
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def is_subscribed_to(self, upload_id: UUID) -> bool:
        return self.upload_id is None or self.upload_id == upload_id

    # ── events ──

    def deliver(self, entry: EncodedEvent, epoch: str) -> None:
        """The owner's next event; one from before its position is passed over."""
        if entry.seq <= self.position:
            return
        self.position = entry.seq
        own = entry.origin == self.id
        if own and self._expected is not None and self._expected[0] == entry.seq:
            self.reply(self._expected[1])
        if self.is_subscribed_to(entry.upload_id) and (self.opted_in or not own):
            self.send_queue.put_event(entry.with_cursor(epoch) if self.opted_in else entry.text)

    # ── requests, one after another ──

    def begin_request(self, request: messages.Request) -> None:
        """From here to its reply, `request` is the one that this socket waits for."""
        self._request, self._expected = request, None
        self._answered.clear()

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        """From any thread: the event `seq`, not committed yet, is the request's; `reply` has its place."""
        self._expected = seq, reply

    def cancel_reply(self) -> None:
        """From any thread: that event was not committed."""
        self._expected = None

    @property
    def has_event_reply(self) -> bool:
        """Whether the request has made an event."""
        return self._expected is not None

    def reserve_reply_slot(self) -> None:
        """The reply stands before every event from now on: one that tells how things are, and is read now,
        is older than those, and would take back what they say if it came behind them."""
        self._reply_slot = self.send_queue.reserve()

    def reply(self, message: messages.Message) -> None:
        """The reply, once."""
        if self._answered.is_set() or self._request is None:
            return
        self._answered.set()
        text = messages.encode(self._request.reply(message))
        if self._reply_slot is None:
            self.send_queue.put_reply(text)
        else:
            self.send_queue.fill(self._reply_slot, text)
            self._reply_slot = None

    async def finish_request(self, message: messages.Message) -> None:
        """What the handler says in the end. A change is replied to at its event's place."""
        if self._expected is None:
            self.reply(message)
        else:
            await self._answered.wait()
