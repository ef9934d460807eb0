"""Step 12 — the events of one user, read from the log once for all of the user's sockets, in their order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from ..errors import DatabaseUnavailable
from .connection import LiveConnection
from .replay import EncodedEvent

log = logging.getLogger(__name__)

Read = Callable[[UUID, int], Awaitable[list[EncodedEvent]]]


class UserEventStream:
    """`cursor` is the last event that was delivered; None before it is known where to begin.

    `on_gap` is called where events are gone before anybody read them: this process slept for days.

    All of it runs on the loop. A read that fails is tried again at the next ring; the hub's look brings one.
    """

    def __init__(
        self,
        owner_id: UUID,
        read: Read,
        deliver: Callable[[UserEventStream, EncodedEvent], None],
        lose: Callable[[UserEventStream], None],
    ) -> None:
        self.owner_id = owner_id
        self.sockets: set[LiveConnection] = set()
        self.cursor: int | None = None
        self._read, self._deliver, self._on_gap = read, deliver, lose
        self._latest_known_seq = 0
        self._reading: asyncio.Task[None] | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def start_at(self, cursor: int) -> None:
        self.cursor = cursor
        self._resolve_waiters()
        self.notify(cursor)

    def notify(self, seq: int) -> None:
        """The log goes up to `seq`."""
        self._latest_known_seq = max(self._latest_known_seq, seq)
        if self._reading is None and self.cursor is not None and self._latest_known_seq > self.cursor:
            self._reading = asyncio.get_running_loop().create_task(self._read_new_events())

    async def wait_until_delivered(self, seq: int) -> None:
        """Waits until everything up to `seq` has been delivered; cancelled when nobody listens any more."""
        self.notify(seq)
        if self.cursor is None or self.cursor < seq:
            reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((seq, reached))
            await reached

    def close(self) -> None:
        """The last socket has left."""
        if self._reading is not None:
            self._reading.cancel()
        for _, reached in self._waiting:
            reached.cancel()

    async def _read_new_events(self) -> None:
        assert self.cursor is not None
        try:
            while self._latest_known_seq > self.cursor:
                entries = await self._read(self.owner_id, self.cursor)
                if not entries or entries[0].seq != self.cursor + 1:
                    self.cursor = entries[0].seq - 1 if entries else self._latest_known_seq
                    self._on_gap(self)
                for entry in entries:
                    self._deliver(self, entry)
                    self.cursor = entry.seq
                self._resolve_waiters()
        except DatabaseUnavailable as error:
            log.warning("the log of events is read later: %s", error)
        except Exception:
            log.exception("the log of events could not be read; it is tried again")
        finally:
            self._reading = None

    def _resolve_waiters(self) -> None:
        assert self.cursor is not None
        for seq, reached in self._waiting:
            if seq <= self.cursor and not reached.done():
                reached.set_result(None)
        self._waiting = [waiting for waiting in self._waiting if not waiting[1].done()]
