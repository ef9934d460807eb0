"""One connected client, as the hub sees it: its subscription, its position and its pending reply."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from ..errors import ConnectionRejected
from ..protocol import messages
from ..protocol.field_types import StreamName
from .replay import EncodedEvent
from .send_queue import ReplySlot, SendQueue


@dataclass(eq=False, slots=True)
class LiveConnection:
    """A client's connection.

    Attributes:
        upload_id: the upload that it follows; None for all of the user's.
        issued_at: when its token was issued, in epoch seconds.
        close: ends the connection with an error's close code.
        credential_id: the session of its token, or its API key; None for a token without a session.
        stream: the stream mode of its live text.
        opted_in: whether it gets cursors, and its own changes as events too. A client that knows only the
            specification never opts in.
        is_caught_up: whether it has all earlier events, so that new ones and live text may follow.
        position: the last event of the owner that it got, or did not follow.

    A request's reply goes to the end of the send queue, to its event's place (`_event_reply`), or to a place
    that was reserved (`_reply_slot`).
    """

    owner_id: UUID
    upload_id: UUID | None
    issued_at: float
    send_queue: SendQueue
    close: Callable[[ConnectionRejected], None]
    credential_id: UUID | None = None
    stream: StreamName = "full"
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    opted_in: bool = False
    is_caught_up: bool = False
    position: int = 0
    _request: messages.Request | None = None
    _event_reply: tuple[int, messages.Message] | None = None
    _reply_slot: ReplySlot | None = None
    _replied: asyncio.Event = field(default_factory=asyncio.Event)

    def is_subscribed_to(self, upload_id: UUID) -> bool:
        return self.upload_id is None or self.upload_id == upload_id

    def deliver(self, event: EncodedEvent, epoch: str) -> None:
        """Send the owner's next event; skip one at or before the position."""
        if event.seq <= self.position:
            return
        self.position = event.seq
        is_own = event.origin_connection == self.id
        if is_own and self._event_reply is not None and self._event_reply[0] == event.seq:
            self.reply(self._event_reply[1])
        if self.is_subscribed_to(event.upload_id) and (self.opted_in or not is_own):
            self.send_queue.put_event(event.with_cursor(epoch) if self.opted_in else event.text)

    # ── one request after another ──

    def begin_request(self, request: messages.Request) -> None:
        """Start a request. The connection has no other until its reply is sent."""
        self._request, self._event_reply = request, None
        self._replied.clear()

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        """Send the reply in place of the event `seq`, which commits next; from any thread.

        The first event of the request has it: a cancel makes two.
        """
        if self._event_reply is None:
            self._event_reply = seq, reply

    def cancel_reply(self) -> None:
        """Reply normally, as the event was not committed; from any thread."""
        self._event_reply = None

    @property
    def has_event_reply(self) -> bool:
        """Whether the request has made an event."""
        return self._event_reply is not None

    def reserve_reply_slot(self) -> None:
        """Reserve a place for the reply, before all later events.

        For a reply with state that is read now. Behind a newer event, it would revert that event's change.
        """
        self._reply_slot = self.send_queue.reserve()

    def reply(self, message: messages.Message) -> None:
        """Send the reply, unless it is sent."""
        if self._replied.is_set() or self._request is None:
            return
        self._replied.set()
        text = messages.encode(self._request.reply(message))
        if self._reply_slot is None:
            self.send_queue.put_reply(text)
        else:
            self.send_queue.fill(self._reply_slot, text)
            self._reply_slot = None

    async def finish_request(self, message: messages.Message) -> None:
        """Send the handler's result as the reply, or wait until the event's place has come."""
        if self._event_reply is None:
            self.reply(message)
        else:
            await self._replied.wait()
