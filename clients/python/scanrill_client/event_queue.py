"""Queue of events for one consumer."""

from __future__ import annotations

import asyncio
from collections import deque

from .events import AnyEvent, Progress


class EventQueue:
    """Asynchronous iterator over events; a slow consumer gets only the latest text of each page.

    Successive `Progress` events of a page are merged while they wait. All other events stay, in order.
    The iteration ends when the client is closed. It raises the error that ended the connection for good.
    """

    def __init__(self) -> None:
        self._entries: deque[list[AnyEvent]] = deque()
        # Entries that a newer `Progress` may replace, by upload and page.
        self._mergeable: dict[str, dict[int | None, list[AnyEvent]]] = {}
        self._upload_id: str | None = None
        self._changed = asyncio.Event()
        self._end: BaseException | None = None

    def filter_to(self, upload_id: str) -> None:
        """Keep only events of one upload, and events of all uploads. Applies to waiting events too."""
        self._upload_id = upload_id
        self._entries = deque(entry for entry in self._entries if self._matches(entry[0]))

    def put(self, event: AnyEvent) -> None:
        """Append an event, or replace the waiting `Progress` of the same page."""
        if not self._matches(event):
            return
        if isinstance(event, Progress):
            if waiting := self._mergeable_entry(event):
                waiting[0] = event
                return
            entry: list[AnyEvent] = [event]
            self._mergeable.setdefault(event.id, {})[event.page] = entry
        else:
            self._stop_merging(event.upload_id)
            entry = [event]
        self._entries.append(entry)
        self._changed.set()

    def close(self, error: BaseException | None = None) -> None:
        """End the iteration after the waiting events, or raise the error there."""
        self._end = error or StopAsyncIteration()
        self._changed.set()

    def __aiter__(self) -> EventQueue:
        return self

    async def __anext__(self) -> AnyEvent:
        while not self._entries:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        entry = self._entries.popleft()
        event = entry[0]
        if isinstance(event, Progress) and self._mergeable_entry(event) is entry:
            del self._mergeable[event.id][event.page]
        return event

    def _mergeable_entry(self, event: Progress) -> list[AnyEvent] | None:
        return self._mergeable.get(event.id, {}).get(event.page)

    def _stop_merging(self, upload_id: str | None) -> None:
        """Keep later text behind the event that arrives now. None means all uploads."""
        if upload_id is None:
            self._mergeable.clear()
        else:
            self._mergeable.pop(upload_id, None)

    def _matches(self, event: AnyEvent) -> bool:
        return self._upload_id is None or event.upload_id in (None, self._upload_id)
