"""Step 12 — what one socket still has to be sent: events in order, of each upload at most one partial.

A newer partial takes the place of the one that waits. The end of an upload removes its waiting partial, so no
partial follows it. Events are never dropped: a client that leaves too many unread is cut off with `TooSlow`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from .errors import TooSlow

MAX_UNSENT_EVENTS = 256
MAX_UNSENT_EVENT_CHARACTERS = 4 * 1024 * 1024
STUCK_SECONDS = 60.0
# A client that sends request after request without reading waits, unheard, until less than this is unsent.
LOW_WATER_CHARACTERS = 64 * 1024


class _Entry(NamedTuple):
    """A text to send, or (None) the place of an upload's partial."""

    text: str | None
    upload_id: UUID | None
    event: bool


class Outbox:
    """Used on the event loop only. `run` sends; it ends by `TooSlow`, or when the transport fails."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._entries: deque[_Entry] = deque()
        self._partials: dict[UUID, str] = {}
        self._unsent_events = 0
        self._unsent_event_characters = 0
        self._unsent_reply_characters = 0
        self._changed = asyncio.Event()
        self._low = asyncio.Event()
        self._low.set()

    def put_reply(self, text: str) -> None:
        """Replies count against nobody: the next request is not heard before they are sent (`drain`)."""
        self._entries.append(_Entry(text, None, event=False))
        self._unsent_reply_characters += len(text)
        if self._unsent_reply_characters > LOW_WATER_CHARACTERS:
            self._low.clear()
        self._changed.set()

    def put_event(self, text: str) -> None:
        self._entries.append(_Entry(text, None, event=True))
        self._unsent_events += 1
        self._unsent_event_characters += len(text)
        self._changed.set()

    def put_partial(self, upload_id: UUID, text: str) -> None:
        if upload_id not in self._partials:
            self._entries.append(_Entry(None, upload_id, event=False))
        self._partials[upload_id] = text
        self._changed.set()

    def drop_partial(self, upload_id: UUID) -> None:
        if self._partials.pop(upload_id, None) is not None:
            self._entries.remove(_Entry(None, upload_id, event=False))

    async def drain(self) -> None:
        """Waits until the client has read most of its replies."""
        await self._low.wait()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._entries:
                self._refuse_the_slow()
                await self._send_next()

    async def _send_next(self) -> None:
        text, upload_id, event = self._entries.popleft()
        if upload_id is not None:
            text = self._partials.pop(upload_id)
        assert text is not None
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await self._send(text)
        except TimeoutError:
            raise TooSlow("The client has read nothing for too long.") from None
        if event:
            self._unsent_events -= 1
            self._unsent_event_characters -= len(text)
        elif upload_id is None:
            self._unsent_reply_characters -= len(text)
            if self._unsent_reply_characters <= LOW_WATER_CHARACTERS:
                self._low.set()

    def _refuse_the_slow(self) -> None:
        if (
            self._unsent_events > MAX_UNSENT_EVENTS
            or self._unsent_event_characters > MAX_UNSENT_EVENT_CHARACTERS
        ):
            raise TooSlow("The client leaves too many events unread.")
