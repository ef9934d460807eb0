"""Step 12 — the live text of this process: which upload's goes to which sockets, and when.

A text is a slot (`slot.py`) with the latest value, which every socket gets as fast as it reads and not
faster. All of it runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from uuid import UUID

from ..pubsub.messages import PageSnapshot, PageTextUpdate, ReadingStarted
from .connection import LiveConnection
from .live_document import LiveDocument, PartialsByStream, StreamState
from .page_order import PageSequencer
from .send_queue import PartialKey
from .throttle import Throttle


class LiveTextBroadcaster:
    """`sockets` gives those of a user; who is not live gets nothing."""

    def __init__(self, sockets: Callable[[UUID], Collection[LiveConnection]]) -> None:
        self._connections_of = sockets
        self._documents: dict[UUID, LiveDocument] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        for slot in self._documents.values():
            slot.cancel_timers()
        self._documents.clear()
        self._loop = None

    def attempt(self, upload_id: UUID) -> int:
        """The newest attempt of those that read it; -1 where none does."""
        slot = self._documents.get(upload_id)
        return -1 if slot is None else slot.attempt

    def has_reading(self, taken: ReadingStarted) -> bool:
        """Whether the text of this reading has begun, so that who joins in it brings no pages."""
        slot = self._documents.get(taken.upload_id)
        return slot is not None and slot.first_attempt == taken.first_attempt

    def has_all_pages(self, upload_id: UUID, attempt: int, pages_done: int) -> bool:
        """Whether nothing of so many pages, and of this attempt, is missing here."""
        slot = self._documents.get(upload_id)
        if slot is None or slot.attempt < attempt:
            return False
        return len(slot.finished_pages) + slot.sequencer.buffered_count >= pages_done

    def has_gap_before(self, said: PageTextUpdate) -> bool:
        """Whether its reader has gone past a page whose end was not heard here."""
        slot = self._documents.get(said.upload_id)
        return slot is not None and slot.sequencer.is_past(said.first_page, said.snapshot.number)

    def retain_only(self, owner_id: UUID, upload_ids: set[UUID], seq: int) -> None:
        """Of the texts of a user that began before the event `seq`, no others are being read any more."""
        for slot in self._of(owner_id):
            if slot.upload_id not in upload_ids:
                self.end(slot.upload_id, seq)

    def drop_remote(self, owner_id: UUID) -> None:
        """Nobody listens any more to what other processes say of this user."""
        for slot in self._of(owner_id):
            if not slot.is_local:
                slot.cancel_timers()
                del self._documents[slot.upload_id]

    def _of(self, owner_id: UUID) -> list[LiveDocument]:
        return [slot for slot in self._documents.values() if slot.owner_id == owner_id]

    def start_reading(self, taken: ReadingStarted, *, is_local: bool) -> None:
        """A reader has the upload: its text begins, or goes on, with what the finished pages have.

        `is_local` is one of this process. Of a reading that is over, it is no news.
        """
        before = self._documents.get(taken.upload_id)
        if before is None or before.first_attempt < taken.first_attempt:
            self._restart(_new_document(taken, is_local), before)
        elif before.first_attempt == taken.first_attempt:
            self._add_claim(before, taken, is_local)

    def _add_claim(self, slot: LiveDocument, taken: ReadingStarted, local: bool) -> None:
        """One more reader, or another one, whose page begins anew if it is the one that is shown."""
        slot.attempt = max([slot.attempt, taken.attempt, *taken.attempts.values()])
        anew = slot.sequencer.update_claims(taken.attempts)
        slot.is_local = local and (slot.is_local or slot.sequencer.has_single_job)
        news = slot.sequencer.add_finished(_done(taken))
        if anew:
            self._restart(_restarted_document(slot, taken, news), slot)
        else:
            for page in news:
                self._show(slot, page)

    def _restart(self, slot: LiveDocument, before: LiveDocument | None) -> None:
        self._documents[slot.upload_id] = slot
        if before is not None:
            before.cancel_timers()
            for socket in self._subscribers(slot):
                socket.send_queue.drop_partial(PartialKey(slot.upload_id))
                socket.send_queue.drop_partial(PartialKey(slot.upload_id, slot.snapshot.number))
        self._begin_full(slot, before)
        self._begin_pages(slot, before)

    def _begin_full(self, slot: LiveDocument, before: LiveDocument | None) -> None:
        characters = slot.full_characters
        if not characters:
            self._announce(slot, {"full": slot.full_text_partial()})
        elif before is not None and characters >= before.full_throttle.sent_characters:
            # Another turn of the same reading: to give way after a page must not cost all the text again.
            slot.full_throttle = before.full_throttle
            self._full_when_due(slot)
        else:
            self._send_full(slot)

    def _begin_pages(self, slot: LiveDocument, before: LiveDocument | None) -> None:
        known = {} if before is None else before.finished_pages
        for page in slot.finished_pages.values():
            if known.get(page.number) != page:
                self._send_page(slot, page, slot.full_page(page))
        if before is not None:
            for name, stream in before.page_streams.items():
                slot.page_streams[name].throttle.sent_at = stream.throttle.sent_at
        self._announce(slot, slot.full_page(slot.snapshot))

    def _announce(self, slot: LiveDocument, partials: PartialsByStream) -> None:
        """The empty text says that a reader has the upload, or a page; no newer text takes its place."""
        for socket in self._subscribers(slot):
            if partial := partials.get(socket.stream):
                socket.send_queue.put_event(partial.encoded())

    def end(self, upload_id: UUID, seq: int) -> None:
        """With the event `seq`; of a text that began before it, nothing follows, not even what waits."""
        slot = self._documents.get(upload_id)
        if slot is not None and slot.seq < seq:
            del self._documents[upload_id]
            slot.cancel_timers()
            for socket in self._connections_of(slot.owner_id):
                socket.send_queue.drop_partials(upload_id)

    # ── text ──

    def on_page_text(self, said: PageTextUpdate) -> None:
        """A page as far as it is read, or done; of a reader that lost it, it is no news."""
        slot = self._documents.get(said.upload_id)
        if slot is not None and said.attempt >= slot.first_attempt:
            for page in slot.sequencer.add_update(said.first_page, said.attempt, said.snapshot):
                self._show(slot, page)

    def _show(self, slot: LiveDocument, page: PageSnapshot) -> None:
        if page.done:
            self._finish_page(slot, page)
            return
        if slot.update_page(page):
            self._full_when_due(slot)
        for stream in slot.page_streams.values():
            self._page_when_due(slot, stream)

    def _finish_page(self, slot: LiveDocument, page: PageSnapshot) -> None:
        slot.finish_page(page)
        self._full_when_due(slot)
        # A page that is done never waits: it is sent once, and the next page has a draft of its own.
        for stream in slot.page_streams.values():
            self._step_page(slot, stream)
            stream.throttle.sent_characters = 0

    def _full_when_due(self, slot: LiveDocument) -> None:
        if self._is_due(slot.full_throttle, slot.full_characters, self._full_when_due, slot):
            self._send_full(slot)

    def _page_when_due(self, slot: LiveDocument, stream: StreamState) -> None:
        if slot.has_changes(stream) and self._is_due(
            stream.throttle, len(slot.snapshot.text), self._page_when_due, slot, stream
        ):
            self._step_page(slot, stream)

    def _is_due(self, pace: Throttle, characters: int, again: Callable[..., None], *of: object) -> bool:
        """Whether a partial may go out now; if not, `again(*of)` is called when it may."""
        assert self._loop is not None
        pace.cancel_timer()
        due = pace.due_at(characters)
        if due > self._loop.time():
            pace.timer = self._loop.call_at(due, again, *of)
        return pace.timer is None

    def _send_full(self, slot: LiveDocument) -> None:
        assert self._loop is not None
        slot.full_throttle.sent(slot.full_characters, self._loop.time())
        self._put(slot, PartialKey(slot.upload_id), {"full": slot.full_text_partial()})

    def _step_page(self, slot: LiveDocument, stream: StreamState) -> None:
        assert self._loop is not None
        stream.throttle.cancel_timer()
        stream.throttle.sent(len(slot.snapshot.text), self._loop.time())
        self._send_page(slot, slot.snapshot, {stream.name: slot.next_partial(stream)})

    def _send_page(self, slot: LiveDocument, page: PageSnapshot, partials: PartialsByStream) -> None:
        self._put(slot, PartialKey(slot.upload_id, page.number), partials)

    def _put(self, slot: LiveDocument, place: PartialKey, partials: PartialsByStream) -> None:
        for socket in self._subscribers(slot):
            if partial := partials.get(socket.stream):
                socket.send_queue.put_partial(place, partial)

    # ── to one socket ──

    def send_all(self, socket: LiveConnection) -> None:
        """What there is of every upload that is being read and that it wants."""
        for slot in self._documents.values():
            if slot.owner_id == socket.owner_id and socket.is_subscribed_to(slot.upload_id):
                self._send_document(socket, slot)

    def send(self, socket: LiveConnection, upload_id: UUID) -> None:
        """The same of one upload."""
        if (slot := self._documents.get(upload_id)) and socket in self._subscribers(slot):
            self._send_document(socket, slot)

    def _send_document(self, socket: LiveConnection, slot: LiveDocument) -> None:
        """All there is, in the place of what waits: deltas that come later go on from here."""
        socket.send_queue.drop_partials(slot.upload_id)
        stream = slot.page_streams.get(socket.stream)
        if stream is None:
            socket.send_queue.put_partial(PartialKey(slot.upload_id), slot.full_text_partial())
            return
        for page in slot.pages(stream):
            partial = slot.full_page(page)[socket.stream]
            socket.send_queue.put_partial(PartialKey(slot.upload_id, page.number), partial)

    def _subscribers(self, slot: LiveDocument) -> list[LiveConnection]:
        return [
            s
            for s in self._connections_of(slot.owner_id)
            if s.is_caught_up and s.is_subscribed_to(slot.upload_id)
        ]


def _done(taken: ReadingStarted) -> list[PageSnapshot]:
    return [
        PageSnapshot(n, taken.page_count, text, done=True) for n, text in sorted((taken.pages or {}).items())
    ]


def _new_document(taken: ReadingStarted, local: bool) -> LiveDocument:
    order = PageSequencer[PageSnapshot](taken.page_ranges)
    order.update_claims(taken.attempts)
    finished = {page.number: page for page in order.add_finished(_done(taken))}
    draft = _current_page(order, finished, taken.page_count)
    attempt = max([taken.attempt, *taken.attempts.values()])
    return LiveDocument(
        taken.owner_id,
        taken.upload_id,
        attempt,
        draft,
        taken.seq,
        local,
        finished,
        taken.first_attempt,
        order,
    )


def _restarted_document(slot: LiveDocument, taken: ReadingStarted, news: list[PageSnapshot]) -> LiveDocument:
    """The same text, of which the page that is read begins anew."""
    finished = slot.finished_pages | {page.number: page for page in news if page.done}
    draft = _current_page(slot.sequencer, finished, taken.page_count)
    return LiveDocument(
        slot.owner_id,
        slot.upload_id,
        slot.attempt,
        draft,
        taken.seq,
        slot.is_local,
        finished,
        slot.first_attempt,
        slot.sequencer,
    )


def _current_page(
    order: PageSequencer[PageSnapshot], finished: dict[int, PageSnapshot], page_count: int | None
) -> PageSnapshot:
    return finished[max(finished)] if order.next is None else PageSnapshot(order.next, page_count)
