"""Step 12 — one hub per process: events and live text → the sockets that want them.

A message is encoded once, however many sockets get it. Events keep the order of their commits; live text is a
slot with the latest value, which every socket gets as fast as it reads and not faster.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from . import events, orm, protocol, queries
from .conf import conf
from .errors import ConnectionRefused, TooMany, Unauthenticated
from .events import Event
from .outbox import Outbox
from .text import join_pages

log = logging.getLogger(__name__)

RECHECK_SECONDS = 1.0
# A partial carries all the text so far, so partials must get rarer as it grows: sent when it has grown by an
# eighth, or after a second (longer where the last one was large), never more often than ten times a second.
PARTIAL_GROWTH = 1.125
PARTIAL_SECONDS = 1.0
PARTIAL_BYTES_PER_SECOND = 32 * 1024
PARTIAL_MIN_SECONDS = 0.1


@dataclass(eq=False, slots=True)
class Socket:
    """One connected client. `upload_id` is the upload it follows, None for all of the user's.

    `close` ends the connection with an error's close code. `issued_at` is its token's, in epoch seconds.
    """

    owner_id: UUID
    upload_id: UUID | None
    issued_at: float
    outbox: Outbox
    close: Callable[[ConnectionRefused], None]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    request: protocol.Request | None = None
    answered: bool = True

    def wants(self, upload_id: UUID) -> bool:
        return self.upload_id is None or self.upload_id == upload_id

    def ask(self, request: protocol.Request) -> None:
        """From here to its reply, `request` is the one that this socket waits for."""
        self.request, self.answered = request, False

    def answer(self, message: protocol.Message) -> None:
        """The reply, once: for a change the hub gives it at the place of the change's event."""
        if not self.answered and self.request is not None:
            self.answered = True
            self.outbox.put_reply(protocol.encode(self.request.reply(message)))


@dataclass(eq=False, slots=True)
class Slot:
    """The live text of an upload that is being read."""

    owner_id: UUID
    upload_id: UUID
    attempt: int
    pages: list[str]
    text: str = ""
    sent_characters: int = 0
    sent_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def streamed_text(self) -> str:
        return join_pages([*self.pages, self.text])

    def due(self, characters: int) -> float:
        """When a partial of this many characters may go out, in loop time."""
        if not self.sent_characters:
            return self.sent_at
        if characters >= self.sent_characters * PARTIAL_GROWTH:
            return self.sent_at + PARTIAL_MIN_SECONDS
        return self.sent_at + max(PARTIAL_SECONDS, self.sent_characters / PARTIAL_BYTES_PER_SECOND)

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Hub:
    """`start` and `stop` run on the loop, as does everything that is not said to be for any thread."""

    def __init__(self) -> None:
        self._sockets: defaultdict[UUID, set[Socket]] = defaultdict(set)
        self._slots: dict[UUID, Slot] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recheck: asyncio.Task[None] | None = None
        self._fresh: dict[UUID, tuple[int, str]] = {}
        self._fresh_lock = threading.Lock()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._recheck = self._loop.create_task(self._recheck_forever())
        events.listen(self.tell)

    def stop(self) -> None:
        events.unlisten(self.tell)
        if self._recheck is not None:
            self._recheck.cancel()
        for slot in self._slots.values():
            slot.cancel_timer()
        self._slots.clear()
        self._loop = None

    # ── sockets ──

    def join(self, socket: Socket) -> None:
        """From now on the socket gets its events, first the text of what is being read. Raises `TooMany`."""
        if len(self._sockets[socket.owner_id]) >= conf.max_sockets_per_user:
            raise TooMany("This user has too many open sockets.")
        self._sockets[socket.owner_id].add(socket)
        for slot in self._slots.values():
            if slot.owner_id == socket.owner_id and socket.wants(slot.upload_id):
                socket.outbox.put_partial(slot.upload_id, _encode_partial(slot, slot.streamed_text()))

    def leave(self, socket: Socket) -> None:
        sockets = self._sockets[socket.owner_id]
        sockets.discard(socket)
        if not sockets:
            del self._sockets[socket.owner_id]

    # ── for any thread ──

    def tell(self, event: Event) -> None:
        self._call(self._deliver, event)

    def page_text(self, upload_id: UUID, attempt: int, text: str) -> None:
        """The text so far of the page that is being read; only the latest counts."""
        with self._fresh_lock:
            waiting, _ = self._fresh.get(upload_id, (None, ""))
            if waiting is None or waiting <= attempt:
                self._fresh[upload_id] = (attempt, text)
        if waiting is None:
            self._call(self._take_fresh, upload_id)

    def page_done(self, upload_id: UUID, attempt: int, markdown: str) -> None:
        """The page is finished; its text is this and stays so."""
        with self._fresh_lock:
            self._fresh.pop(upload_id, None)
        self._call(self._finish_page, upload_id, attempt, markdown)

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(callback, *args)

    # ── events ──

    def _deliver(self, event: Event) -> None:
        if event.over:
            self._end(event.upload_id)
        text = protocol.encode(event.message) if event.message is not None else None
        for socket in self._sockets.get(event.owner_id, ()):
            reply = event.reply or event.message
            if socket.id == event.origin and isinstance(reply, protocol.Message):
                socket.answer(reply)
            elif text is not None and socket.wants(event.upload_id):
                socket.outbox.put_event(text)
        if event.taken is not None:
            self._begin(event, event.taken)

    def _begin(self, event: Event, taken: events.Taken) -> None:
        before = self._slots.get(event.upload_id)
        self._end(event.upload_id)
        slot = Slot(event.owner_id, event.upload_id, taken.attempt, list(taken.pages))
        self._slots[event.upload_id] = slot
        text = slot.streamed_text()
        if before is not None and text and len(text) >= before.sent_characters:
            # Another turn of the same reading: to give way after a page must not cost all the text again.
            slot.sent_characters, slot.sent_at = before.sent_characters, before.sent_at
            self._send_when_due(slot)
        elif text:
            self._send(slot, text)
        else:
            self._send_first(slot)

    def _end(self, upload_id: UUID) -> None:
        slot = self._slots.pop(upload_id, None)
        if slot is not None:
            slot.cancel_timer()
            for socket in self._sockets.get(slot.owner_id, ()):
                socket.outbox.drop_partial(upload_id)

    # ── live text ──

    def _take_fresh(self, upload_id: UUID) -> None:
        with self._fresh_lock:
            attempt, text = self._fresh.pop(upload_id, (None, ""))
        slot = self._slots.get(upload_id)
        if slot is not None and slot.attempt == attempt:
            slot.text = text
            self._send_when_due(slot)

    def _finish_page(self, upload_id: UUID, attempt: int, markdown: str) -> None:
        slot = self._slots.get(upload_id)
        if slot is not None and slot.attempt == attempt:
            slot.pages.append(markdown)
            slot.text = ""
            self._send_when_due(slot)

    def _send_when_due(self, slot: Slot) -> None:
        assert self._loop is not None
        slot.cancel_timer()
        text = slot.streamed_text()
        due = slot.due(len(text))
        if due <= self._loop.time():
            self._send(slot, text)
        else:
            slot.timer = self._loop.call_at(due, self._send_when_due, slot)

    def _send_first(self, slot: Slot) -> None:
        """The empty text says that a reader has the upload; no newer text takes its place."""
        assert self._loop is not None
        slot.sent_at = self._loop.time()
        wanting = self._wanting(slot)
        if wanting:
            encoded = _encode_partial(slot, "")
            for socket in wanting:
                socket.outbox.put_event(encoded)

    def _send(self, slot: Slot, text: str) -> None:
        assert self._loop is not None
        slot.sent_characters, slot.sent_at = len(text), self._loop.time()
        wanting = self._wanting(slot)
        if wanting:
            encoded = _encode_partial(slot, text)
            for socket in wanting:
                socket.outbox.put_partial(slot.upload_id, encoded)

    def _wanting(self, slot: Slot) -> list[Socket]:
        return [s for s in self._sockets.get(slot.owner_id, ()) if s.wants(slot.upload_id)]

    # ── users who may no longer be here ──

    async def _recheck_forever(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            if self._sockets:
                try:
                    await self._close_the_revoked()
                except Exception:
                    log.exception("could not look whether the connected users are still active")

    async def _close_the_revoked(self) -> None:
        # Those of now: one that joins while the database is asked is not in its answer.
        asked = {owner_id: list(sockets) for owner_id, sockets in self._sockets.items()}
        valid_from = await orm.run(queries.tokens_valid_from, list(asked))
        for owner_id, sockets in asked.items():
            for socket in sockets:
                if not queries.token_stands(valid_from, owner_id, socket.issued_at):
                    socket.close(Unauthenticated("The user was deactivated, or the token revoked."))


def _encode_partial(slot: Slot, text: str) -> str:
    return protocol.encode(protocol.Partial(id=slot.upload_id, streamed_text=text))


hub = Hub()
