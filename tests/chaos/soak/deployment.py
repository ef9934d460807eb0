"""The processes of a soak, real ones, and how each of them comes to harm and back.

What is done here blocks, and is called from threads. What is still in one accident is spared another: on a
slow machine nothing would ever be up between them.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil

from tests.chaos.soak.plan import Fault
from tests.support.server import Server
from tests.support.worker import Worker

SETTINGS = {"MAX_PENDING_PER_USER": "12", "MAX_UPLOADS_PER_USER": "60"}
SWEEP_PROGRAM = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
from backend_main.core import maintenance
print(*maintenance.run_all(grace_seconds=0))
"""
ENGINE_MODULE = "backend_main.reading.child_process.main"
STOP_TIMEOUT_SECONDS = 20
MAX_START_ATTEMPTS = 3


class FaultInProgress(Exception):
    """It is in another accident."""


class Deployment(ABC):
    """`harm` carries out an accident, and returns when all that was started again serves.

    `problems` are sentences on what did not go as it must meanwhile.
    """

    description = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.crash_markers = directory / "marks"
        self.crash_markers.mkdir()
        self.problems: list[str] = []
        self.server = self._new_server()
        self._server_lock = threading.Lock()
        self._allows_fatal_faults = True

    @abstractmethod
    def _new_server(self) -> Server: ...

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        """All of it, in order; each process ends well."""
        self._stop(self.server, "the server")

    def close(self) -> None:
        """What is not scanrill's; and what is still there."""
        kill(self.server)

    def stop_fatal_faults(self) -> None:
        """From now on what is weighed lives on."""
        self._allows_fatal_faults = False

    def inject_fault(self, fault: Fault) -> str:
        """What was hit; empty where there was nothing to hit."""
        harms: dict[str, Callable[[Fault], str]] = {
            name.removeprefix("_do_").replace("_", " "): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }
        with suppress(FaultInProgress):
            return harms[fault.kind](fault)
        return ""

    def processes(self) -> dict[str, psutil.Process]:
        """Those that are to be weighed, by name; readers among them."""
        return dict(self._processes_of("server", self.server))

    def sweep(self) -> tuple[int, ...]:
        """As `scanrill sweep` where nothing is young; how many were found of each."""
        swept = subprocess.run(
            [sys.executable, "-c", SWEEP_PROGRAM],
            env=self.server.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert swept.returncode == 0, swept.stderr
        return tuple(map(int, swept.stdout.split()))

    def stored_files(self) -> dict[str, bytes | None]:
        """The files that are kept, by their keys, with their content."""
        root = self.server.data_dir / "files"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    @property
    def logs(self) -> dict[str, str]:
        return {"server": self.server.log}

    # ── accidents ──

    def _do_kill_reader(self, fault: Fault) -> str:
        if (reader := self._choose_reader(fault.selector)) is None:
            return ""
        with suppress(psutil.NoSuchProcess):
            reader.kill()
        return "a reader"

    def _do_freeze_reader(self, fault: Fault) -> str:
        reader = self._choose_reader(fault.selector)
        return "" if reader is None else freeze(reader, fault.seconds)

    def _do_kill_server(self, fault: Fault) -> str:
        return self._restart_server(signal.SIGKILL, fault.seconds)

    def _do_stop_server(self, fault: Fault) -> str:
        return self._restart_server(signal.SIGTERM, fault.seconds)

    def _restart_server(self, number: int, seconds: float) -> str:
        with exclusive(self._server_lock):
            if number == signal.SIGTERM:
                self._stop(self.server, "the server")
            else:
                self.server.stop(number)
            time.sleep(seconds)
            start_with_retries(self.server)
        return "the server"

    # ── parts ──

    def _stop(self, process: Server | Worker, name: str) -> None:
        try:
            if (code := process.stop(timeout=STOP_TIMEOUT_SECONDS)) != 0:
                self.problems.append(f"{name}, which was told to stop, ended with {code}")
        except subprocess.TimeoutExpired:
            self.problems.append(f"{name} did not stop within {STOP_TIMEOUT_SECONDS} seconds")
            process.stop(signal.SIGKILL)

    @property
    def _parents(self) -> list[Server | Worker]:
        """Those that have readers."""
        return [self.server]

    def _choose_reader(self, which: float) -> psutil.Process | None:
        readers = [reader for parent in self._parents for reader in children(parent, ENGINE_MODULE)]
        return readers[int(which * len(readers))] if readers else None

    def _processes_of(self, name: str, parent: Server | Worker) -> Iterator[tuple[str, psutil.Process]]:
        with suppress(psutil.NoSuchProcess, AttributeError):
            yield name, psutil.Process(parent.process.pid)
        for number, reader in enumerate(children(parent, ENGINE_MODULE), 1):
            yield f"reader {number} of {name}", reader


class Embedded(Deployment):
    description = "one `scanrill serve` with two readers, SQLite, files on disk"

    def _new_server(self) -> Server:
        """Whatever the tests' other servers are on."""
        alone = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "STORAGE_URL"), "")
        return Server(self.directory / "data", READERS="2", READER_THREADS="1", **alone, **SETTINGS)

    def _do_hold_database(self, fault: Fault) -> str:
        path = self.server.data_dir / "scanrill.sqlite3"
        with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(fault.seconds)
            database.execute("ROLLBACK")
        return "the database"


@contextmanager
def exclusive(*locks: threading.Lock) -> Iterator[None]:
    """For an accident to what these stand for. Raises `Busy`."""
    with ExitStack() as held:
        for lock in locks:
            if not lock.acquire(blocking=False):
                raise FaultInProgress
            held.callback(lock.release)
        yield


def start_with_retries(process: Server | Worker) -> None:
    """As what keeps services running does: a worker ends where its reader is killed while it starts."""
    for _ in range(MAX_START_ATTEMPTS - 1):
        try:
            process.start()
            return
        except AssertionError:
            kill(process)
    process.start()


def kill(process: Server | Worker) -> None:
    with suppress(AttributeError):  # it was never started
        if process.process.poll() is None:
            process.stop(signal.SIGKILL)


def children(parent: Server | Worker, program: str) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    with suppress(psutil.Error, AttributeError):
        for child in psutil.Process(parent.process.pid).children():
            with suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and program in child.cmdline():
                    found.append(child)
    return found


def freeze(process: psutil.Process, seconds: float) -> str:
    with suppress(psutil.NoSuchProcess):
        process.suspend()
        time.sleep(seconds)
        process.resume()
    return "frozen"
