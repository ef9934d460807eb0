"""The memory of each process, over time; whether it is flat where one lived through the last two thirds."""

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
# More in the last third than in the middle one, by both: what a process that has served some still learns.
TOLERATED_SHARE, TOLERATED_BYTES = 0.10, 12 * 1024**2


class ProcessMemory(NamedTuple):
    """Resident bytes of a process, medians of thirds of a soak; None where it was not there throughout."""

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
    """`run` until cancelled; then `weights`."""

    def __init__(self, deployment: Deployment, seconds: float) -> None:
        self._deployment, self._seconds = deployment, seconds
        self._samples: dict[str, dict[int, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
        self._began = time.monotonic()

    async def run(self) -> None:
        while True:
            await asyncio.to_thread(self._sample)
            await asyncio.sleep(max(0.5, self._seconds / MAX_SAMPLES))

    def _sample(self) -> None:
        at = time.monotonic() - self._began
        for name, process in self._deployment.processes().items():
            with suppress(psutil.Error):
                self._samples[name][process.pid].append((at, process.memory_info().rss))

    @property
    def processes(self) -> list[ProcessMemory]:
        return [self._summarize(name, lives) for name, lives in sorted(self._samples.items())]

    def _summarize(self, name: str, lives: dict[int, list[tuple[float, int]]]) -> ProcessMemory:
        most = max(size for life in lives.values() for _, size in life)
        middle, last = next(self._survivor_medians(lives), (None, None))
        return ProcessMemory(name, len(lives), middle, last, most)

    def _survivor_medians(
        self, lives: dict[int, list[tuple[float, int]]]
    ) -> Iterator[tuple[float | None, float | None]]:
        """Of the process that was there from the end of the first third to the end, with a little grace."""
        third = self._seconds / 3
        for life in lives.values():
            middle = [size for at, size in life if third <= at < 2 * third]
            last = [size for at, size in life if 2 * third <= at < 3 * third]
            if middle and last and life[0][0] < 1.2 * third and life[-1][0] > 2.8 * third:
                yield statistics.median(middle), statistics.median(last)
