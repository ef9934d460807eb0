"""The memory of each process over time, and whether it stays flat in the last two thirds of a soak."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import psutil

from tests.chaos.soak.deployment import Deployment

MAX_SAMPLES = 400
# The growth that is tolerated from the middle third to the last one, for example of caches.
TOLERATED_SHARE, TOLERATED_BYTES = 0.10, 12 * 1024**2


class ProcessMemory(NamedTuple):
    """Resident bytes of a process: medians of two thirds of a soak; None if it did not run throughout."""

    name: str
    starts: int
    middle_third: float | None
    last_third: float | None
    max_bytes: int

    @property
    def is_flat(self) -> bool:
        if self.middle_third is None or self.last_third is None:
            return True
        return self.last_third <= max(
            self.middle_third * (1 + TOLERATED_SHARE), self.middle_third + TOLERATED_BYTES
        )


class MemoryTrend:
    """A sampler: `run` until cancelled, then read `processes`."""

    def __init__(self, deployment: Deployment, seconds: float) -> None:
        self._deployment, self._seconds = deployment, seconds
        self._samples: dict[str, dict[int, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
        self._started_at = time.monotonic()

    async def run(self) -> None:
        while True:
            await asyncio.to_thread(self._sample)
            await asyncio.sleep(max(0.5, self._seconds / MAX_SAMPLES))

    def _sample(self) -> None:
        offset = time.monotonic() - self._started_at
        for name, process in self._deployment.processes().items():
            with suppress(psutil.Error):
                self._samples[name][process.pid].append((offset, process.memory_info().rss))

    @property
    def processes(self) -> list[ProcessMemory]:
        return [
            self._summarize(name, samples_by_pid) for name, samples_by_pid in sorted(self._samples.items())
        ]

    def _summarize(self, name: str, samples_by_pid: dict[int, list[tuple[float, int]]]) -> ProcessMemory:
        max_bytes = max(size for samples in samples_by_pid.values() for _, size in samples)
        middle_third, last_third = next(self._survivor_medians(samples_by_pid), (None, None))
        return ProcessMemory(name, len(samples_by_pid), middle_third, last_third, max_bytes)

    def _survivor_medians(
        self, samples_by_pid: dict[int, list[tuple[float, int]]]
    ) -> Iterator[tuple[float | None, float | None]]:
        """Yield the medians of each process that ran from about the end of the first third to the end."""
        third = self._seconds / 3
        for samples in samples_by_pid.values():
            middle_third = [size for offset, size in samples if third <= offset < 2 * third]
            last_third = [size for offset, size in samples if 2 * third <= offset < 3 * third]
            if middle_third and last_third and samples[0][0] < 1.2 * third and samples[-1][0] > 2.8 * third:
                yield statistics.median(middle_third), statistics.median(last_third)
