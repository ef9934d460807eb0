"""Step 10 - a reader's hosts: one for its own engine, always, and one for another that somebody asked for.

Together they keep to the memory that one may have: an engine that is asked for takes the place of the last
such, and it goes when it has had nothing to read for a while, or when what is left would not do for it.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from .host import Host
from .types import Options, Together

IDLE_SECONDS = 300.0
OWN_SHARE = 0.5
"""Of the memory: where the own engine's process has grown beyond, it is started anew to make room."""


class Hosts:
    """Used like a Host, whose engine is that of the options. One thread, but for `cancel` and `stop`."""

    def __init__(self, engine: str = "rapid", threads: int = 0, max_memory_bytes: int = 4 << 30) -> None:
        self._threads, self._max_memory_bytes = threads, max_memory_bytes
        self._own = Host(engine, threads, max_memory_bytes=max_memory_bytes)
        self._other: Host | None = None
        self._read_at = 0.0
        # `stop` must not miss a host that is being put in place.
        self._lock = threading.Lock()
        self._stopped = False
        self._reading = self._own

    @property
    def warm(self) -> bool:
        """The own engine is loaded."""
        return self._own.warm

    def start(self) -> None:
        """Have the own engine warm; another that nobody has needed for a while goes. Raises ReadingErrors."""
        if self._other is not None and time.monotonic() - self._read_at > IDLE_SECONDS:
            self._put(None)
        self._own.start()

    def read_together(self, path: Path | str, options: Options) -> Iterator[Together]:
        """Yield a file's events. Raises ReadingError subclasses."""
        host = self._reading = self._host(options.engine)
        self._read_at = time.monotonic()
        return host.read_together(path, options)

    def cancel(self) -> None:
        self._reading.cancel()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            hosts = [self._own, self._other]
        for host in hosts:
            if host is not None:
                host.stop()

    def _host(self, engine: str) -> Host:
        if engine == self._own.engine:
            return self._own
        if self._other is None or self._other.engine != engine:
            if self._own.resident_bytes > OWN_SHARE * self._max_memory_bytes:
                self._own.stop()
            left = self._max_memory_bytes - self._own.resident_bytes
            self._put(Host(engine, self._threads, max_memory_bytes=left))
        assert self._other is not None
        return self._other

    def _put(self, host: Host | None) -> None:
        with self._lock:
            before, self._other = self._other, host
            stopped = self._stopped
        if before is not None:
            before.stop()
        if stopped and host is not None:
            host.stop()
