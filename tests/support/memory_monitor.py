"""Peak memory of a server and its engine processes during a test."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType

import psutil

from tests.support.server import Server

SAMPLE_INTERVAL_SECONDS = 0.01


class MemoryMonitor:
    """A sampler of resident memory: `with MemoryMonitor(server) as monitor: …`, then `monitor.growth`."""

    def __init__(self, server: Server) -> None:
        pids = {server.process.pid, server.reader_process.pid}
        self._processes = [psutil.Process(pid) for pid in pids]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> MemoryMonitor:
        self._before = self._peak = self._resident_bytes()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        """The peak minus the initial value, in bytes."""
        return self._peak - self._before

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_INTERVAL_SECONDS):
            self._peak = max(self._peak, self._resident_bytes())

    def _resident_bytes(self) -> int:
        total = 0
        children = [child for each in self._processes for child in each.children(recursive=True)]
        for process in (*self._processes, *children):
            with suppress(psutil.NoSuchProcess):  # the process was replaced
                total += process.memory_info().rss
        return total
