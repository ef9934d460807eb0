"""Limits on the connections of a server process, before anything of a request is known.

A connection costs a client nothing, and the server a descriptor. Two limits keep descriptors free for files,
databases and other clients: a number of connections per address, and a number in all. If all are in use, the
server closes the oldest connection that has sent no whole request, and accepts the new one.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from typing import Protocol

from backend_main.core.errors import RateLimited, ScanrillError, ServerBusy

log = logging.getLogger(__name__)

# A process with this number of descriptors holds more clients than its memory does.
MAX_DESCRIPTORS = 65_536
# The reserve is an eighth of all. The least is for databases, pipes of readers and files of uploads, the most
# is uvicorn's backlog. The backlog equals the reserve: the event loop accepts all waiting connections at
# once, and closes none before its next turn.
MIN_RESERVE, MAX_RESERVE = 64, 2048
# Connections without a whole request: twice the backlog, for clients that reconnect all at once. Each holds
# at most the head of a request, so all together hold 64 MiB.
MAX_HALF_OPEN = 2 * MAX_RESERVE
LOG_INTERVAL_SECONDS = 60.0


class EvictableConnection(Protocol):
    """Connection that has sent no whole request."""

    def evict(self) -> None: ...


class ConnectionLimits:
    """Connections of a process by address, and those that have sent no whole request, oldest first.

    Args:
        descriptors: Number of descriptors of the process.
        max_per_address: Largest number of connections of one address; 0: half of all.
    """

    def __init__(self, *, descriptors: int, max_per_address: int) -> None:
        self.half_open: dict[EvictableConnection, None] = {}
        self.refusals = RefusalLog()
        self.reserve = min(max(MIN_RESERVE, descriptors // 8), MAX_RESERVE)
        self._max_connections = descriptors - self.reserve
        # A new descriptor has the lowest free number: from this one on, half of the reserve is in use.
        self._max_descriptor = descriptors - self.reserve // 2
        self._max_per_address = max_per_address or self._max_connections // 2
        self._connections = 0
        self._counts: Counter[str] = Counter()

    def admit(self, address: str | None, descriptor: int) -> Admission:
        """Count a connection until its admission is released; evict another one if all are in use.

        Args:
            address: The address of the client; None for a trusted proxy, whose requests count instead.
            descriptor: The descriptor of the connection.

        Raises:
            RateLimited: the address has the largest number of connections.
            ServerBusy: all connections are in use, and each of them has sent a request.
        """
        if address is not None:
            self._check_address(address)  # first: a connection that is refused evicts no other one
        is_full = self._connections >= self._max_connections or descriptor >= self._max_descriptor
        if is_full or len(self.half_open) >= MAX_HALF_OPEN:
            self._evict_oldest()
        if address is not None:
            self._counts[address] += 1
        self._connections += 1
        return Admission(self, address)

    def release(self, address: str | None) -> None:
        """Remove a connection that `admit` has counted."""
        self._connections -= 1
        if address is not None:
            self.leave(address)

    def enter(self, address: str) -> None:
        """Count a connection of an address, or a request through a proxy. Raises `RateLimited`."""
        self._check_address(address)
        self._counts[address] += 1

    def leave(self, address: str) -> None:
        """Remove what `enter` has counted."""
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    def _check_address(self, address: str) -> None:
        if self._counts[address] >= self._max_per_address:
            raise RateLimited("Too many connections from your address. Close some, then try again.")

    def _evict_oldest(self) -> None:
        if not self.half_open:
            raise ServerBusy
        oldest = next(iter(self.half_open))
        del self.half_open[oldest]
        self.refusals.add("evicted")
        oldest.evict()


class Admission:
    """Place of a connection in the limits. `release` may be called more than once."""

    __slots__ = ("_address", "_limits")

    def __init__(self, limits: ConnectionLimits, address: str | None) -> None:
        self._limits: ConnectionLimits | None = limits
        self._address = address

    def release(self) -> None:
        if self._limits is not None:
            self._limits.release(self._address)
            self._limits = None


class RefusalLog:
    """One line a minute about connections that the server refuses or closes, whatever their number."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, reason: ScanrillError | str) -> None:
        """Count a connection with its reason; call it on the event loop."""
        self._counts[str(reason)] += 1
        if self._timer is None:
            self._write()

    def _write(self) -> None:
        self._timer = None
        if not self._counts:
            return
        counts = "; ".join(f"{number} × {reason}" for reason, number in self._counts.items())
        log.warning("Refused or closed connections: %s", counts)
        self._counts.clear()
        self._timer = asyncio.get_running_loop().call_later(LOG_INTERVAL_SECONDS, self._write)


def raise_descriptor_limit() -> int:
    """Raise the soft limit of descriptors to the hard one, and return it.

    The soft limit is 1024 on most systems, for old programs that call `select`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit
