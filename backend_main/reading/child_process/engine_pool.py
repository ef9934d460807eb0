"""Step 10 - a reader's hosts: one for its own engine, always, and one for another that somebody asked for.

Together they keep to the memory that one may have: an engine that is asked for takes the place of the last
such, and it goes when it has had nothing to read for a while, or when what is left would not do for it.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ..types import BatchedEvent, Options
from .engine_process import EngineProcess

IDLE_SECONDS = 300.0
DEFAULT_ENGINE_MEMORY_SHARE = 0.5
"""Of the memory: where the own engine's process has grown beyond, it is started anew to make room."""


class EngineProcessPool:
    """Used like a Host, whose engine is that of the options. One thread, but for `cancel` and `stop`."""

    def __init__(self, engine: str = "rapid", threads: int = 0, max_memory_bytes: int = 4 << 30) -> None:
        self._threads, self._max_memory_bytes = threads, max_memory_bytes
        self._default = EngineProcess(engine, threads, max_memory_bytes=max_memory_bytes)
        self._secondary: EngineProcess | None = None
        self._read_at = 0.0
        # `stop` must not miss a host that is being put in place.
        self._lock = threading.Lock()
        self._stopped = False
        self._reading = self._default

    @property
    def is_ready(self) -> bool:
        """The own engine is loaded."""
        return self._default.is_ready

    def start(self) -> None:
        """Have the own engine warm; another that nobody has needed for a while goes. Raises ReadingErrors."""
        if self._secondary is not None and time.monotonic() - self._read_at > IDLE_SECONDS:
            self._replace_secondary(None)
        self._default.start()

    def read_batched(self, path: Path | str, options: Options) -> Iterator[BatchedEvent]:
        """Yield a file's events. Raises ReadingError subclasses."""
        host = self._reading = self._process_for(options.engine)
        self._read_at = time.monotonic()
        return host.read_batched(path, options)

    def cancel(self) -> None:
        self._reading.cancel()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            hosts = [self._default, self._secondary]
        for host in hosts:
            if host is not None:
                host.stop()

    def _process_for(self, engine: str) -> EngineProcess:
        if engine == self._default.engine:
            return self._default
        if self._secondary is None or self._secondary.engine != engine:
            if self._default.resident_bytes > DEFAULT_ENGINE_MEMORY_SHARE * self._max_memory_bytes:
                self._default.stop()
            left = self._max_memory_bytes - self._default.resident_bytes
            self._replace_secondary(EngineProcess(engine, self._threads, max_memory_bytes=left))
        assert self._secondary is not None
        return self._secondary

    def _replace_secondary(self, host: EngineProcess | None) -> None:
        with self._lock:
            before, self._secondary = self._secondary, host
            stopped = self._stopped
        if before is not None:
            before.stop()
        if stopped and host is not None:
            host.stop()
