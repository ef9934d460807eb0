"""Events on their way to one reader: all that last, in order, and of live text the latest of each page."""

from __future__ import annotations

import asyncio
from collections import deque

from .events import Event, Progress


class EventQueue:
    """`async for event in feed`. Who reads slowly misses no event, and of a page's drafts all but the last.

    It ends when the client is closed, or with the error that ended the connection for good.
    """

    def __init__(self) -> None:
        self._entries: deque[list[Event]] = deque()
        # The entries that newer text may take the place of, by upload and page.
        self._drafts: dict[str, dict[int | None, list[Event]]] = {}
        self._upload_id: str | None = None
        self._changed = asyncio.Event()
        self._end: BaseException | None = None

    def only(self, upload_id: str) -> None:
        """From now on those of one upload, and those of all."""
        self._upload_id = upload_id
        self._entries = deque(entry for entry in self._entries if self._wants(entry[0]))

    def put(self, event: Event) -> None:
        if not self._wants(event):
            return
        if isinstance(event, Progress):
            if draft := self._draft(event):
                draft[0] = event
                return
            entry: list[Event] = [event]
            self._drafts.setdefault(event.id, {})[event.page] = entry
        else:
            self._seal(event.upload_id)
            entry = [event]
        self._entries.append(entry)
        self._changed.set()

    def end(self, error: BaseException | None = None) -> None:
        self._end = error or StopAsyncIteration()
        self._changed.set()

    def __aiter__(self) -> EventQueue:
        return self

    async def __anext__(self) -> Event:
        while not self._entries:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        entry = self._entries.popleft()
        event = entry[0]
        if isinstance(event, Progress) and self._draft(event) is entry:
            del self._drafts[event.id][event.page]
        return event

    def _draft(self, event: Progress) -> list[Event] | None:
        return self._drafts.get(event.id, {}).get(event.page)

    def _seal(self, upload_id: str | None) -> None:
        """Text that comes later stays behind the event that comes now."""
        if upload_id is None:
            self._drafts.clear()
        else:
            self._drafts.pop(upload_id, None)

    def _wants(self, event: Event) -> bool:
        return self._upload_id is None or event.upload_id in (None, self._upload_id)
