"""Readings in progress: their live text starts, grows and ends in the order of the owner's events.

A reader's messages can arrive before the events that they follow, or without pages that other readers have
finished. The text then waits for these events, and the pages come from the database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from uuid import UUID

from ..db import executor
from ..pubsub.messages import PageTextUpdate, ReadingEnded, ReadingStarted
from .live_text import LiveTextBroadcaster
from .replay import EventLogReader, OwnerState
from .user_events import UserEventStream

MAX_REMEMBERED_UPLOADS = 10_000


class ActiveReadings:
    """Passes messages about readings on to the broadcaster, each when its turn comes.

    Args:
        broadcaster: sends the text.
        event_log: reads the database.
        user_streams: the event streams of the users with connections here.
        spawn: runs a coroutine as a task of the hub.
    """

    def __init__(
        self,
        broadcaster: LiveTextBroadcaster,
        event_log: EventLogReader,
        user_streams: Mapping[UUID, UserEventStream],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._broadcaster = broadcaster
        self._event_log = event_log
        self._user_streams = user_streams
        self._spawn = spawn
        # Page texts of attempts that cannot start yet, by upload and attempt.
        self._pending: dict[tuple[UUID, int], list[PageTextUpdate]] = {}
        self._ended_at = _LatestNumbers()
        self._lost_attempts = _LatestNumbers()

    def on_started(self, message: ReadingStarted, *, is_local: bool) -> None:
        stream = self._user_streams.get(message.owner_id)
        if stream is None and not is_local:
            return  # the user's last connection has left
        is_next = stream is None or stream.position is None or stream.position >= message.seq
        if is_next and (
            _has_all_pages(message, is_local=is_local)
            or (is_local and self._broadcaster.has_reading(message))
        ):
            self._start(message, is_local=is_local)
        elif stream is not None:
            pages = self._pending[message.upload_id, message.attempt] = []
            self._spawn(self._start_after_events(stream, message, pages, is_local=is_local))

    def on_page_text(self, message: PageTextUpdate, *, is_local: bool) -> None:
        key = message.upload_id, message.attempt
        if key not in self._pending and not is_local and self._has_gap_before(message):
            start = ReadingStarted(message.owner_id, message.upload_id, message.attempt, 0)
            self.on_started(start, is_local=False)
        if (pages := self._pending.get(key)) is None:
            self._broadcaster.on_page_text(message)
            return
        if pages and pages[-1].page.number == message.page.number:
            pages.pop()
        pages.append(message)

    def on_ended(self, message: ReadingEnded) -> None:
        """End the text, unless the event itself is still to be delivered to connections here."""
        stream = self._user_streams.get(message.owner_id)
        if stream is None or stream.position is None or stream.position >= message.seq:
            self.end(message.upload_id, message.seq)

    def end(self, upload_id: UUID, seq: int) -> None:
        """End the text with the event `seq`."""
        self._ended_at.record(upload_id, seq)
        self._broadcaster.end(upload_id, seq)

    async def load(self, owner_id: UUID, state: OwnerState) -> None:
        """Load the texts of a user's readings, before the first of the user's connections gets live text."""
        self._broadcaster.retain_only(owner_id, set(state.reading), state.latest_seq)
        for upload_id, (attempt, pages_done) in state.reading.items():
            if not self._broadcaster.has_all_pages(upload_id, attempt, pages_done):
                found = await executor.run_short_query(
                    self._event_log.reading_state, owner_id, upload_id, attempt
                )
                if found is not None:
                    self._start(found, is_local=False)

    def _start(self, message: ReadingStarted, *, is_local: bool) -> None:
        if self._ended_at.get(message.upload_id) <= message.seq:
            self._broadcaster.start_reading(message, is_local=is_local)

    async def _start_after_events(
        self,
        stream: UserEventStream,
        message: ReadingStarted,
        pages: list[PageTextUpdate],
        *,
        is_local: bool,
    ) -> None:
        """Start the text when all earlier events are delivered; load missing pages first."""
        key = message.upload_id, message.attempt
        try:
            found: ReadingStarted | None = message
            if not _has_all_pages(message, is_local=is_local):
                found = await executor.run_short_query(
                    self._event_log.reading_state, message.owner_id, message.upload_id, message.attempt
                )
            if found is None:
                self._lost_attempts.record(message.upload_id, message.attempt)
                return
            await stream.wait_until_delivered(found.seq)
            self._start(found, is_local=is_local)
            for page in pages:
                self._broadcaster.on_page_text(page)
        finally:
            if self._pending.get(key) is pages:
                del self._pending[key]

    def _has_gap_before(self, message: PageTextUpdate) -> bool:
        """Whether the attempt's start, or the end of an earlier page, did not arrive here."""
        if message.attempt <= self._lost_attempts.get(message.upload_id):
            return False
        is_newer = message.attempt > self._broadcaster.attempt(message.upload_id)
        return is_newer or self._broadcaster.has_gap_before(message)


class _LatestNumbers:
    """The highest number of each upload, for the uploads that were recorded last."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[UUID, int] = OrderedDict()

    def get(self, upload_id: UUID) -> int:
        return self._numbers.get(upload_id, -1)

    def record(self, upload_id: UUID, number: int) -> None:
        self._numbers[upload_id] = max(number, self.get(upload_id))
        self._numbers.move_to_end(upload_id)
        if len(self._numbers) > MAX_REMEMBERED_UPLOADS:
            self._numbers.popitem(last=False)


def _has_all_pages(message: ReadingStarted, *, is_local: bool) -> bool:
    """Whether the message has all finished pages. Messages of other processes carry none."""
    return message.is_first_claim or (is_local and message.pages is not None)
