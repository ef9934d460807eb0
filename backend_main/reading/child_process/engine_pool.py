"""The engines of one reader: a process for its default engine, and one for another that a file requests.

A file that allows `vision` for its formulas requests another process too, since the default one does not get
the key of that engine. Both share one memory limit. A requested engine replaces the one before it. It stops
when it has been idle for a while.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..types import BatchedEvent, Options
from .engine_process import EngineProcess

IDLE_SECONDS = 300.0
DEFAULT_ENGINE_MEMORY_SHARE = 0.5
"""Share of the memory limit above which the default engine stops, so that another has enough."""


class EngineProcessPool:
    """An `EngineProcess` for each engine in use. `Options.engine` selects it.

    One thread uses it; any thread may call `cancel` and `stop`.

    Args:
        engine: name of the default engine.
        threads: number of threads of each engine; 0: one for each core.
        max_memory_bytes: memory limit of all processes together.
        required_measures: measures of the sandbox without which no process starts.
    """

    def __init__(
        self,
        engine: str = "rapid",
        threads: int = 0,
        max_memory_bytes: int = 4 << 30,
        required_measures: Iterable[str] = (),
    ) -> None:
        self._threads = threads
        self._max_memory_bytes = max_memory_bytes
        self._required_measures = tuple(required_measures)
        self._default = EngineProcess(
            engine, threads, max_memory_bytes=max_memory_bytes, required_measures=self._required_measures
        )
        self._secondary: EngineProcess | None = None
        self._last_read_at = 0.0
        # `stop` must not miss a process that is being replaced.
        self._lock = threading.Lock()
        self._is_stopped = False
        self._current = self._default

    @property
    def is_ready(self) -> bool:
        """The default engine is loaded."""
        return self._default.is_ready

    def start(self) -> None:
        """Load the default engine, and stop an idle one.

        Raises:
            ReadingError: the default engine cannot be loaded.
        """
        if self._secondary is not None and time.monotonic() - self._last_read_at > IDLE_SECONDS:
            self._replace_secondary(None)
        self._default.start()

    def read_batched(self, path: Path | str, options: Options) -> Iterator[BatchedEvent]:
        """Yield the events of a file, as `EngineProcess.read_batched` does; `options.engine` reads it."""
        if _is_for(self._default, options):
            self._current = self._default
        elif self._secondary is not None and _is_for(self._secondary, options):
            self._current = self._secondary
        else:
            if self._default.resident_bytes > DEFAULT_ENGINE_MEMORY_SHARE * self._max_memory_bytes:
                self._default.stop()
            free_bytes = self._max_memory_bytes - self._default.resident_bytes
            self._current = EngineProcess(
                options.engine,
                self._threads,
                max_memory_bytes=free_bytes,
                formulas=options.formulas,
                required_measures=self._required_measures,
            )
            self._replace_secondary(self._current)

        self._last_read_at = time.monotonic()
        return self._current.read_batched(path, options)

    def cancel(self) -> None:
        """Make the running read raise Cancelled within a second."""
        self._current.cancel()

    def stop(self) -> None:
        """Kill the processes. A running read raises Cancelled; an engine requested later stops at once."""
        with self._lock:
            self._is_stopped = True
            processes = [self._default, self._secondary]
        for process in processes:
            if process is not None:
                process.stop()

    def _replace_secondary(self, process: EngineProcess | None) -> None:
        with self._lock:
            previous = self._secondary
            self._secondary = process
            is_stopped = self._is_stopped
        if previous is not None:
            previous.stop()
        if is_stopped and process is not None:
            process.stop()


def _is_for(process: EngineProcess, options: Options) -> bool:
    return (process.engine, process.formulas) == (options.engine, options.formulas)
