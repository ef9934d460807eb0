"""Step 12 — one hub per process: events and live text → the sockets that want them.

A message is encoded once, however many sockets get it. Events keep the order of their commits; live text is a
slot (`slot.py`) with the latest value, which every socket gets as fast as it reads and not faster.
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
from .events import Event, Taken
from .outbox import Outbox, Place
from .protocol import Stream
from .slot import Draft, Live, Pace, PageStream, Partials, Slot

log = logging.getLogger(__name__)

RECHECK_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class Socket:
    """One connected client. `upload_id` is the upload it follows, None for all of the user's.

    `close` ends the connection with an error's close code. `issued_at` is its token's, in epoch seconds.
    `stream` is how it wants live text; one that knows the specification alone never says.
    """

    owner_id: UUID
    upload_id: UUID | None
    issued_at: float
    outbox: Outbox
    close: Callable[[ConnectionRefused], None]
    stream: Stream = "full"
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


class Hub:
    """`start` and `stop` run on the loop, as does everything that is not said to be for any thread."""

    def __init__(self) -> None:
        self._sockets: defaultdict[UUID, set[Socket]] = defaultdict(set)
        self._slots: dict[UUID, Slot] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recheck: asyncio.Task[None] | None = None
        self._fresh: dict[tuple[UUID, int, int], Draft] = {}
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
            slot.cancel_timers()
        self._slots.clear()
        self._loop = None

    # ── sockets ──

    def join(self, socket: Socket) -> None:
        """From now on the socket gets its events, first the text of what is being read. Raises `TooMany`."""
        if len(self._sockets[socket.owner_id]) >= conf.max_sockets_per_user:
            raise TooMany("This user has too many open sockets.")
        self._sockets[socket.owner_id].add(socket)
        self._send_all(socket)

    def follow(self, socket: Socket, stream: Stream) -> None:
        """From now on the socket gets live text in this way, first what there is of it."""
        if stream != socket.stream:
            socket.stream = stream
            self._send_all(socket)

    def resync(self, socket: Socket, upload_id: UUID) -> None:
        """What there is of an upload's live text, once more."""
        if (slot := self._slots.get(upload_id)) and socket in self._wanting(slot):
            self._send_slot(socket, slot)

    def leave(self, socket: Socket) -> None:
        sockets = self._sockets[socket.owner_id]
        sockets.discard(socket)
        if not sockets:
            del self._sockets[socket.owner_id]

    # ── for any thread ──

    def tell(self, event: Event) -> None:
        self._call(self._deliver, event)

    def page_text(self, upload_id: UUID, attempt: int, page: Draft) -> None:
        """The page that is being read, so far; only the latest counts."""
        key = upload_id, attempt, page.number
        with self._fresh_lock:
            waits = key in self._fresh
            self._fresh[key] = page
        if not waits:
            self._call(self._take_fresh, key)

    def page_done(self, upload_id: UUID, attempt: int, page: Draft) -> None:
        """The page is finished; its text is this and stays so."""
        with self._fresh_lock:
            self._fresh.pop((upload_id, attempt, page.number), None)
        self._call(self._finish_page, upload_id, attempt, page)

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

    def _begin(self, event: Event, taken: Taken) -> None:
        before = self._slots.get(event.upload_id)
        slot = self._slots[event.upload_id] = _slot(event, taken)
        if before is not None:
            before.cancel_timers()
            for socket in self._wanting(slot):
                socket.outbox.drop_partial(Place(slot.upload_id))
                socket.outbox.drop_partial(Place(slot.upload_id, slot.draft.number))
        self._begin_full(slot, before)
        self._begin_pages(slot, before)

    def _begin_full(self, slot: Slot, before: Slot | None) -> None:
        full = slot.full()
        if not full.characters:
            self._open(slot, {"full": full})
        elif before is not None and full.characters >= before.full_pace.sent_characters:
            # Another turn of the same reading: to give way after a page must not cost all the text again.
            slot.full_pace = before.full_pace
            self._full_when_due(slot)
        else:
            self._send_full(slot, full)

    def _begin_pages(self, slot: Slot, before: Slot | None) -> None:
        known = {} if before is None else before.finished
        for page in slot.finished.values():
            if known.get(page.number) != page:
                self._send_page(slot, page, slot.whole(page))
        if before is not None:
            for name, stream in before.page_streams.items():
                slot.page_streams[name].pace.sent_at = stream.pace.sent_at
        self._open(slot, slot.whole(slot.draft))

    def _open(self, slot: Slot, partials: Partials) -> None:
        """The empty text says that a reader has the upload, or a page; no newer text takes its place."""
        for socket in self._wanting(slot):
            if partial := partials.get(socket.stream):
                socket.outbox.put_event(partial.encoded())

    def _end(self, upload_id: UUID) -> None:
        slot = self._slots.pop(upload_id, None)
        if slot is not None:
            slot.cancel_timers()
            for socket in self._sockets.get(slot.owner_id, ()):
                socket.outbox.drop_partials(upload_id)

    # ── live text ──

    def _take_fresh(self, key: tuple[UUID, int, int]) -> None:
        upload_id, attempt, _ = key
        with self._fresh_lock:
            page = self._fresh.pop(key, None)
        slot = self._slots.get(upload_id)
        if page is not None and slot is not None and slot.attempt == attempt:
            if slot.take(page):
                self._full_when_due(slot)
            for stream in slot.page_streams.values():
                self._page_when_due(slot, stream)

    def _finish_page(self, upload_id: UUID, attempt: int, page: Draft) -> None:
        slot = self._slots.get(upload_id)
        if slot is not None and slot.attempt == attempt:
            slot.finish(page)
            self._full_when_due(slot)
            # A page that is done never waits: it is sent once, and the next page has a draft of its own.
            for stream in slot.page_streams.values():
                self._step_page(slot, stream)
                stream.pace.sent_characters = 0

    def _full_when_due(self, slot: Slot) -> None:
        full = slot.full()
        if self._is_due(slot.full_pace, full.characters, self._full_when_due, slot):
            self._send_full(slot, full)

    def _page_when_due(self, slot: Slot, stream: PageStream) -> None:
        if slot.has_news(stream) and self._is_due(
            stream.pace, len(slot.draft.text), self._page_when_due, slot, stream
        ):
            self._step_page(slot, stream)

    def _is_due(self, pace: Pace, characters: int, again: Callable[..., None], *of: object) -> bool:
        """Whether a partial may go out now; if not, `again(*of)` is called when it may."""
        assert self._loop is not None
        pace.cancel_timer()
        due = pace.due(characters)
        if due > self._loop.time():
            pace.timer = self._loop.call_at(due, again, *of)
        return pace.timer is None

    def _send_full(self, slot: Slot, full: Live) -> None:
        assert self._loop is not None
        slot.full_pace.sent(full.characters, self._loop.time())
        self._put(slot, Place(slot.upload_id), {"full": full})

    def _step_page(self, slot: Slot, stream: PageStream) -> None:
        assert self._loop is not None
        stream.pace.cancel_timer()
        stream.pace.sent(len(slot.draft.text), self._loop.time())
        self._send_page(slot, slot.draft, {stream.name: slot.step(stream)})

    def _send_page(self, slot: Slot, page: Draft, partials: Partials) -> None:
        self._put(slot, Place(slot.upload_id, page.number), partials)

    def _put(self, slot: Slot, place: Place, partials: Partials) -> None:
        for socket in self._wanting(slot):
            if partial := partials.get(socket.stream):
                socket.outbox.put_partial(place, partial)

    def _send_all(self, socket: Socket) -> None:
        for slot in self._slots.values():
            if slot.owner_id == socket.owner_id and socket.wants(slot.upload_id):
                self._send_slot(socket, slot)

    def _send_slot(self, socket: Socket, slot: Slot) -> None:
        """All there is, in the place of what waits: deltas that come later go on from here."""
        socket.outbox.drop_partials(slot.upload_id)
        stream = slot.page_streams.get(socket.stream)
        if stream is None:
            socket.outbox.put_partial(Place(slot.upload_id), slot.full())
            return
        for page in slot.pages(stream):
            partial = slot.whole(page)[socket.stream]
            socket.outbox.put_partial(Place(slot.upload_id, page.number), partial)

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


def _slot(event: Event, taken: Taken) -> Slot:
    pages = [
        Draft(number, taken.page_count, text, done=True) for number, text in enumerate(taken.pages, start=1)
    ]
    slot = Slot(event.owner_id, event.upload_id, taken.attempt, Draft(len(pages) + 1, taken.page_count))
    slot.finished.update((page.number, page) for page in pages)
    return slot


hub = Hub()
