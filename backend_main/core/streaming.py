"""Step 12 — the live text of this process: which upload's goes to which sockets, and when.

A text is a slot (`slot.py`) with the latest value, which every socket gets as fast as it reads and not
faster. All of it runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from uuid import UUID

from .bell import PageText, Taken
from .order import Order
from .outbox import Place
from .slot import Draft, Pace, PageStream, Partials, Slot
from .sockets import Socket


class Streams:
    """`sockets` gives those of a user; who is not live gets nothing."""

    def __init__(self, sockets: Callable[[UUID], Collection[Socket]]) -> None:
        self._sockets = sockets
        self._slots: dict[UUID, Slot] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        for slot in self._slots.values():
            slot.cancel_timers()
        self._slots.clear()
        self._loop = None

    def attempt(self, upload_id: UUID) -> int:
        """The newest attempt of those that read it; -1 where none does."""
        slot = self._slots.get(upload_id)
        return -1 if slot is None else slot.attempt

    def knows(self, taken: Taken) -> bool:
        """Whether the text of this reading has begun, so that who joins in it brings no pages."""
        slot = self._slots.get(taken.upload_id)
        return slot is not None and slot.run == taken.run

    def has(self, upload_id: UUID, attempt: int, pages_done: int) -> bool:
        """Whether nothing of so many pages, and of this attempt, is missing here."""
        slot = self._slots.get(upload_id)
        if slot is None or slot.attempt < attempt:
            return False
        return len(slot.finished) + slot.order.ahead >= pages_done

    def misses_before(self, said: PageText) -> bool:
        """Whether its reader has gone past a page whose end was not heard here."""
        slot = self._slots.get(said.upload_id)
        return slot is not None and slot.order.is_past(said.first_page, said.page.number)

    def keep(self, owner_id: UUID, upload_ids: set[UUID], seq: int) -> None:
        """Of the texts of a user that began before the event `seq`, no others are being read any more."""
        for slot in self._of(owner_id):
            if slot.upload_id not in upload_ids:
                self.end(slot.upload_id, seq)

    def forget_remote(self, owner_id: UUID) -> None:
        """Nobody listens any more to what other processes say of this user."""
        for slot in self._of(owner_id):
            if not slot.local:
                slot.cancel_timers()
                del self._slots[slot.upload_id]

    def _of(self, owner_id: UUID) -> list[Slot]:
        return [slot for slot in self._slots.values() if slot.owner_id == owner_id]

    def begin(self, taken: Taken, local: bool) -> None:
        """A reader has the upload: its text begins, or goes on, with what the finished pages have.

        `local` is one of this process. Of a reading that is over, it is no news.
        """
        before = self._slots.get(taken.upload_id)
        if before is None or before.run < taken.run:
            self._begin_anew(_slot(taken, local), before)
        elif before.run == taken.run:
            self._go_on(before, taken, local)

    def _go_on(self, slot: Slot, taken: Taken, local: bool) -> None:
        """One more reader, or another one, whose page begins anew if it is the one that is shown."""
        slot.attempt = max([slot.attempt, taken.attempt, *taken.attempts.values()])
        anew = slot.order.begin(taken.attempts)
        slot.local = local and (slot.local or slot.order.alone)
        news = slot.order.know(_done(taken))
        if anew:
            self._begin_anew(_again(slot, taken, news), slot)
        else:
            for page in news:
                self._show(slot, page)

    def _begin_anew(self, slot: Slot, before: Slot | None) -> None:
        self._slots[slot.upload_id] = slot
        if before is not None:
            before.cancel_timers()
            for socket in self._wanting(slot):
                socket.outbox.drop_partial(Place(slot.upload_id))
                socket.outbox.drop_partial(Place(slot.upload_id, slot.draft.number))
        self._begin_full(slot, before)
        self._begin_pages(slot, before)

    def _begin_full(self, slot: Slot, before: Slot | None) -> None:
        characters = slot.full_characters
        if not characters:
            self._open(slot, {"full": slot.full()})
        elif before is not None and characters >= before.full_pace.sent_characters:
            # Another turn of the same reading: to give way after a page must not cost all the text again.
            slot.full_pace = before.full_pace
            self._full_when_due(slot)
        else:
            self._send_full(slot)

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

    def end(self, upload_id: UUID, seq: int) -> None:
        """With the event `seq`; of a text that began before it, nothing follows, not even what waits."""
        slot = self._slots.get(upload_id)
        if slot is not None and slot.seq < seq:
            del self._slots[upload_id]
            slot.cancel_timers()
            for socket in self._sockets(slot.owner_id):
                socket.outbox.drop_partials(upload_id)

    # ── text ──

    def hear(self, said: PageText) -> None:
        """A page as far as it is read, or done; of a reader that lost it, it is no news."""
        slot = self._slots.get(said.upload_id)
        if slot is not None and said.attempt >= slot.run:
            for page in slot.order.hear(said.first_page, said.attempt, said.page):
                self._show(slot, page)

    def _show(self, slot: Slot, page: Draft) -> None:
        if page.done:
            self._finish_page(slot, page)
            return
        if slot.take(page):
            self._full_when_due(slot)
        for stream in slot.page_streams.values():
            self._page_when_due(slot, stream)

    def _finish_page(self, slot: Slot, page: Draft) -> None:
        slot.finish(page)
        self._full_when_due(slot)
        # A page that is done never waits: it is sent once, and the next page has a draft of its own.
        for stream in slot.page_streams.values():
            self._step_page(slot, stream)
            stream.pace.sent_characters = 0

    def _full_when_due(self, slot: Slot) -> None:
        if self._is_due(slot.full_pace, slot.full_characters, self._full_when_due, slot):
            self._send_full(slot)

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

    def _send_full(self, slot: Slot) -> None:
        assert self._loop is not None
        slot.full_pace.sent(slot.full_characters, self._loop.time())
        self._put(slot, Place(slot.upload_id), {"full": slot.full()})

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

    # ── to one socket ──

    def send_all(self, socket: Socket) -> None:
        """What there is of every upload that is being read and that it wants."""
        for slot in self._slots.values():
            if slot.owner_id == socket.owner_id and socket.wants(slot.upload_id):
                self._send_slot(socket, slot)

    def send(self, socket: Socket, upload_id: UUID) -> None:
        """The same of one upload."""
        if (slot := self._slots.get(upload_id)) and socket in self._wanting(slot):
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
        return [s for s in self._sockets(slot.owner_id) if s.live and s.wants(slot.upload_id)]


def _done(taken: Taken) -> list[Draft]:
    return [Draft(n, taken.page_count, text, done=True) for n, text in sorted((taken.pages or {}).items())]


def _slot(taken: Taken, local: bool) -> Slot:
    order = Order[Draft](taken.wanted)
    order.begin(taken.attempts)
    finished = {page.number: page for page in order.know(_done(taken))}
    draft = _next_page(order, finished, taken.page_count)
    attempt = max([taken.attempt, *taken.attempts.values()])
    return Slot(taken.owner_id, taken.upload_id, attempt, draft, taken.seq, local, finished, taken.run, order)


def _again(slot: Slot, taken: Taken, news: list[Draft]) -> Slot:
    """The same text, of which the page that is read begins anew."""
    finished = slot.finished | {page.number: page for page in news if page.done}
    draft = _next_page(slot.order, finished, taken.page_count)
    return Slot(
        slot.owner_id,
        slot.upload_id,
        slot.attempt,
        draft,
        taken.seq,
        slot.local,
        finished,
        slot.run,
        slot.order,
    )


def _next_page(order: Order[Draft], finished: dict[int, Draft], page_count: int | None) -> Draft:
    return finished[max(finished)] if order.next is None else Draft(order.next, page_count)
