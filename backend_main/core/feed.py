"""Step 12 — the events of one user, read from the log once for all of the user's sockets, in their order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from .errors import Unavailable
from .replay import Entry
from .sockets import Socket

log = logging.getLogger(__name__)

Read = Callable[[UUID, int], Awaitable[list[Entry]]]


class Feed:
    """`cursor` is the last event that was delivered; None before it is known where to begin.

    `lose` is called where events are gone before anybody read them: this process slept for days.

    All of it runs on the loop. A read that fails is tried again at the next ring; the hub's look brings one.
    """

    def __init__(
        self,
        owner_id: UUID,
        read: Read,
        deliver: Callable[[Feed, Entry], None],
        lose: Callable[[Feed], None],
    ) -> None:
        self.owner_id = owner_id
        self.sockets: set[Socket] = set()
        self.cursor: int | None = None
        self._read, self._deliver, self._lose = read, deliver, lose
        self._rung = 0
        self._reading: asyncio.Task[None] | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def begin(self, cursor: int) -> None:
        self.cursor = cursor
        self._tell_waiting()
        self.ring(cursor)

    def ring(self, seq: int) -> None:
        """The log goes up to `seq`."""
        self._rung = max(self._rung, seq)
        if self._reading is None and self.cursor is not None and self._rung > self.cursor:
            self._reading = asyncio.get_running_loop().create_task(self._read_on())

    async def reach(self, seq: int) -> None:
        """Waits until everything up to `seq` has been delivered; cancelled when nobody listens any more."""
        self.ring(seq)
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

    async def _read_on(self) -> None:
        assert self.cursor is not None
        try:
            while self._rung > self.cursor:
                entries = await self._read(self.owner_id, self.cursor)
                if not entries or entries[0].seq != self.cursor + 1:
                    self.cursor = entries[0].seq - 1 if entries else self._rung
                    self._lose(self)
                for entry in entries:
                    self._deliver(self, entry)
                    self.cursor = entry.seq
                self._tell_waiting()
        except Unavailable as error:
            log.warning("the log of events is read later: %s", error)
        except Exception:
            log.exception("the log of events could not be read; it is tried again")
        finally:
            self._reading = None

    def _tell_waiting(self) -> None:
        assert self.cursor is not None
        for seq, reached in self._waiting:
            if seq <= self.cursor and not reached.done():
                reached.set_result(None)
        self._waiting = [waiting for waiting in self._waiting if not waiting[1].done()]
