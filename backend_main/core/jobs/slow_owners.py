"""Users with recent long pages; together they never hold all readers of a process.

The order of jobs cannot help a user who comes while every reader is inside a slow page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

# As for pages whose image could not be rendered: five times the default limit of a page.
SLOW_SECONDS = 600.0


class SlowOwners:
    """Owners of recent long pages, and the owner whom each reader serves. Thread-safe.

    Args:
        readers: Number of readers of the process. A single reader serves everybody.
    """

    def __init__(self, readers: int) -> None:
        self._max_readers = max(1, readers - 1) if readers > 1 else None
        self._lock = threading.Lock()
        self._until: dict[UUID, float] = {}
        self._served: dict[str, UUID] = {}

    def add(self, owner_id: UUID) -> None:
        """Record that a page of this owner has reached the time limit, or has delayed other users."""
        with self._lock:
            self._until[owner_id] = time.monotonic() + SLOW_SECONDS

    def current(self) -> frozenset[UUID]:
        """Return the slow owners of the present time."""
        with self._lock:
            return self._current()

    @contextmanager
    def claiming(self) -> Iterator[frozenset[UUID]]:
        """Give the owners whose jobs the next claim must leave; no other reader claims meanwhile."""
        with self._lock:
            owners = self._current()
            slow = sum(owner in owners for owner in self._served.values())
            is_full = self._max_readers is not None and slow >= self._max_readers
            yield owners if is_full else frozenset()

    def begin(self, reader_name: str, owner_id: UUID) -> None:
        """Record that a reader serves this owner; inside of `claiming`."""
        self._served[reader_name] = owner_id

    def end(self, reader_name: str) -> None:
        """Record that a reader serves nobody."""
        with self._lock:
            self._served.pop(reader_name, None)

    def _current(self) -> frozenset[UUID]:
        now = time.monotonic()
        self._until = {owner: until for owner, until in self._until.items() if until > now}
        return frozenset(self._until)
