"""The processes of a soak, and the faults that can be injected into them.

The functions block, so threads call them. A process that still recovers from a fault gets no second one: on a
slow machine it would never be up.
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
from tests.support.stored_files import files_in
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
    """The process still recovers from another fault."""


class Deployment(ABC):
    """The processes of a soak.

    `inject_fault` returns when all restarted processes serve again. `problems` lists unexpected behavior.
    """

    description = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.crash_markers = directory / "crash-markers"
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
        """Stop all processes; report those that do not exit cleanly."""
        self._stop(self.server, "the server")

    def close(self) -> None:
        """Stop the other services, and kill processes that are left."""
        kill(self.server)

    def stop_fatal_faults(self) -> None:
        """From now on, spare the processes whose memory trend is measured."""
        self._allows_fatal_faults = False

    def inject_fault(self, fault: Fault) -> str:
        """Inject a fault; return its target, or an empty string if there was none."""
        injectors: dict[str, Callable[[Fault], str]] = {
            name.removeprefix("_inject_").replace("_", " "): getattr(self, name)
            for name in dir(self)
            if name.startswith("_inject_")
        }
        with suppress(FaultInProgress):
            return injectors[fault.kind](fault)
        return ""

    def processes(self) -> dict[str, psutil.Process]:
        """Return the processes whose memory is measured, by name."""
        return dict(self._processes_of("server", self.server))

    def sweep(self) -> tuple[int, ...]:
        """Run maintenance without a grace period; return what `scanrill sweep` counts."""
        completed = subprocess.run(
            [sys.executable, "-c", SWEEP_PROGRAM],
            env=self.server.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert completed.returncode == 0, completed.stderr
        return tuple(map(int, completed.stdout.split()))

    def stored_files(self) -> dict[str, bytes | None]:
        """Return the stored files by key, with their content."""
        root = self.server.data_dir / "files"
        contents: dict[str, bytes | None] = {}
        for path in files_in(root):
            with suppress(FileNotFoundError):  # The server deletes files meanwhile.
                contents[str(path.relative_to(root))] = path.read_bytes()
        return contents

    @property
    def logs(self) -> dict[str, str]:
        return {"server": self.server.log}

    # ── faults ──

    def _inject_kill_reader(self, fault: Fault) -> str:
        if (reader := self._choose_reader(fault.selector)) is None:
            return ""
        with suppress(psutil.NoSuchProcess):
            reader.kill()
        return "a reader"

    def _inject_freeze_reader(self, fault: Fault) -> str:
        reader = self._choose_reader(fault.selector)
        return "" if reader is None else freeze(reader, fault.seconds)

    def _inject_kill_server(self, fault: Fault) -> str:
        return self._restart_server(signal.SIGKILL, fault.seconds)

    def _inject_stop_server(self, fault: Fault) -> str:
        return self._restart_server(signal.SIGTERM, fault.seconds)

    def _restart_server(self, signal_number: int, seconds: float) -> str:
        with exclusive(self._server_lock):
            if signal_number == signal.SIGTERM:
                self._stop(self.server, "the server")
            else:
                self.server.stop(signal_number)
            time.sleep(seconds)
            start_with_retries(self.server)
        return "the server"

    # ── helpers ──

    def _stop(self, process: Server | Worker, name: str) -> None:
        try:
            if (code := process.stop(timeout=STOP_TIMEOUT_SECONDS)) != 0:
                self.problems.append(f"{name}, which received SIGTERM, exited with {code}")
        except subprocess.TimeoutExpired:
            self.problems.append(f"{name} did not stop within {STOP_TIMEOUT_SECONDS} seconds")
            process.stop(signal.SIGKILL)

    @property
    def _parents(self) -> list[Server | Worker]:
        """The processes that have readers."""
        return [self.server]

    def _choose_reader(self, selector: float) -> psutil.Process | None:
        readers = [reader for parent in self._parents for reader in children(parent, ENGINE_MODULE)]
        return readers[int(selector * len(readers))] if readers else None

    def _processes_of(self, name: str, parent: Server | Worker) -> Iterator[tuple[str, psutil.Process]]:
        with suppress(psutil.NoSuchProcess, AttributeError):
            yield name, psutil.Process(parent.process.pid)
        for number, reader in enumerate(children(parent, ENGINE_MODULE), 1):
            yield f"reader {number} of {name}", reader


class Embedded(Deployment):
    """One `scanrill serve` process with its readers."""

    description = "one `scanrill serve` with two readers, SQLite, files on disk"

    def _new_server(self) -> Server:
        """Return an embedded server, whatever the deployment mode of the test run is."""
        embedded = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "STORAGE_URL"), "")
        return Server(self.directory / "data", READERS="2", READER_THREADS="1", **embedded, **SETTINGS)

    def _inject_hold_database(self, fault: Fault) -> str:
        path = self.server.data_dir / "scanrill.sqlite3"
        with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(fault.seconds)
            database.execute("ROLLBACK")
        return "the database"


@contextmanager
def exclusive(*locks: threading.Lock) -> Iterator[None]:
    """Hold the locks during a fault. Raises `FaultInProgress` if one is held already."""
    with ExitStack() as stack:
        for lock in locks:
            if not lock.acquire(blocking=False):
                raise FaultInProgress
            stack.callback(lock.release)
        yield


def start_with_retries(process: Server | Worker) -> None:
    """Start a process as a service manager does: a worker exits if its reader is killed during the start."""
    for _ in range(MAX_START_ATTEMPTS - 1):
        try:
            process.start()
            return
        except AssertionError:
            kill(process)
    process.start()


def kill(process: Server | Worker) -> None:
    with suppress(AttributeError):  # it has not been started
        if process.process.poll() is None:
            process.stop(signal.SIGKILL)


def children(parent: Server | Worker, program: str) -> list[psutil.Process]:
    matching: list[psutil.Process] = []
    with suppress(psutil.Error, AttributeError):
        for child in psutil.Process(parent.process.pid).children():
            with suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and program in child.cmdline():
                    matching.append(child)
    return matching


def freeze(process: psutil.Process, seconds: float) -> str:
    with suppress(psutil.NoSuchProcess):
        process.suspend()
        time.sleep(seconds)
        process.resume()
    return "frozen"
