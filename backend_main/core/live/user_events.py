"""The events of one user, read from the log once for all of the user's connections, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from ..errors import DatabaseUnavailable
from .connection import LiveConnection
from .replay import EncodedEvent
from .watcher import UploadWatcher

log = logging.getLogger(__name__)

Read = Callable[[UUID, int], Awaitable[list[EncodedEvent]]]


class UserEventStream:
    """The event stream of one user. All of it runs on the loop.

    A read that fails is repeated at the next `notify`; the hub's poll calls it each second.

    Args:
        read: returns a user's next events after a `seq`.
        deliver: gets each event once, in order.
        on_gap: called where events were removed before this process read them, because it was suspended.

    Attributes:
        cursor: the last event delivered; None until `start_at`.
    """

    def __init__(
        self,
        owner_id: UUID,
        *,
        read: Read,
        deliver: Callable[[UserEventStream, EncodedEvent], None],
        on_gap: Callable[[UserEventStream], None],
    ) -> None:
        self.owner_id = owner_id
        self.connections: set[LiveConnection] = set()
        self.watchers: set[UploadWatcher] = set()
        self.position: int | None = None
        self._read = read
        self._deliver = deliver
        self._on_gap = on_gap
        self._latest_known_seq = 0
        self._reading: asyncio.Task[None] | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def users(self) -> list[LiveConnection | UploadWatcher]:
        """The connections and the watchers of this stream."""
        return [*self.connections, *self.watchers]

    @property
    def user_count(self) -> int:
        return len(self.connections) + len(self.watchers)

    def notify_watchers(self, upload_id: UUID | None) -> None:
        """Notify the watchers of the end of an upload's reading; None: of any."""
        for watcher in self.watchers:
            watcher.on_reading_ended(upload_id)

    def start_at(self, position: int) -> None:
        self.position = position
        self._resolve_waiters()
        self.notify(position)

    def notify(self, seq: int) -> None:
        """Read the log, which has grown to `seq`, unless it is being read."""
        self._latest_known_seq = max(self._latest_known_seq, seq)
        if self._reading is None and self.position is not None and self._latest_known_seq > self.position:
            self._reading = asyncio.get_running_loop().create_task(self._read_new_events())

    async def wait_until_delivered(self, seq: int) -> None:
        """Wait until everything up to `seq` is delivered; `close` cancels the wait."""
        self.notify(seq)
        if self.position is None or self.position < seq:
            delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append((seq, delivered))
            await delivered

    def close(self) -> None:
        """Stop, as the last connection or watcher has left."""
        if self._reading is not None:
            self._reading.cancel()
        for _, delivered in self._waiters:
            delivered.cancel()

    async def _read_new_events(self) -> None:
        assert self.position is not None
        try:
            while self._latest_known_seq > self.position:
                events = await self._read(self.owner_id, self.position)
                if not events or events[0].seq != self.position + 1:
                    self.position = events[0].seq - 1 if events else self._latest_known_seq
                    self._on_gap(self)
                for event in events:
                    self._deliver(self, event)
                    self.position = event.seq
                self._resolve_waiters()
        except DatabaseUnavailable as error:
            log.warning("The event log is read later: %s", error)
        except Exception:
            log.exception("The event log could not be read.")
        finally:
            self._reading = None

    def _resolve_waiters(self) -> None:
        assert self.position is not None
        for seq, delivered in self._waiters:
            if seq <= self.position and not delivered.done():
                delivered.set_result(None)
        self._waiters = [waiter for waiter in self._waiters if not waiter[1].done()]
