"""Deployments that `scale_out.py` compares, as real processes.

- embedded: one `scanrill serve` with SQLite and readers in its process
- Celery: `scanrill serve` with Redis and PostgreSQL, whose commits wait for the disk; each reader is a
  `scanrill worker`
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support import postgresql
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.worker import Worker

# Defaults of PostgreSQL, except for the number of connections.
POSTGRESQL = "\nmax_connections = 200\n"


@dataclass(frozen=True)
class RunningDeployment:
    """Running deployment. `readers` are the processes that have engines, or whose children have them."""

    server: Server
    readers: Sequence[psutil.Process]

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the processes with readers and their children."""
        return sum(sum(process.cpu_times()[:2]) for process in self._with_children())

    def memory_bytes(self) -> int:
        """Return the PSS of the processes with readers and their children: shared memory counts once."""
        return sum(process.memory_full_info().pss for process in self._with_children())

    def _with_children(self) -> Iterator[psutil.Process]:
        for reader in self.readers:
            with suppress(psutil.NoSuchProcess):
                yield from (reader, *reader.children(recursive=True))


@dataclass(frozen=True)
class Mode:
    """Deployment by name. `running` takes a directory, the number of readers and an engine."""

    name: str
    goal_start_ms: float
    running: Callable[[Path, int, str], AbstractContextManager[RunningDeployment]]


@contextmanager
def _embedded(directory: Path, readers: int, engine: str) -> Iterator[RunningDeployment]:
    settings = {"READERS": str(readers), "READER_THREADS": "1", "ENGINE": engine}
    server = Server(directory / "data", **settings).start()
    try:
        yield RunningDeployment(server, [psutil.Process(server.process.pid)])
    finally:
        server.stop()


@contextmanager
def _celery(directory: Path, readers: int, engine: str) -> Iterator[RunningDeployment]:
    with ExitStack() as stack:
        redis = Redis(directory / "redis").start()
        stack.callback(redis.stop)
        database = postgresql.PostgreSQL(POSTGRESQL)
        stack.callback(database.stop)
        settings = {
            "DATABASE_URL": database.url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "0123456789abcdef" * 4,
        }
        settings |= {"STORAGE_URL": (directory / "files").as_uri(), "ENGINE": engine, "READER_THREADS": "1"}
        server = Server(directory / "data", **settings).start()
        stack.callback(server.stop)
        workers = [Worker(server, "--concurrency", "1").start() for _ in range(readers)]
        for worker in workers:
            stack.callback(worker.stop)
        yield RunningDeployment(server, [psutil.Process(worker.process.pid) for worker in workers])


MODES = [Mode("embedded", 50, _embedded), Mode("Celery", 100, _celery)]
