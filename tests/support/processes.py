"""The engine processes of a server or worker, and waits for conditions and process ends."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from typing import Protocol

import psutil

WAIT_TIMEOUT_SECONDS = 30.0
POLL_INTERVAL_SECONDS = 0.01


class EngineParent(Protocol):
    """A server or a worker that has engine processes."""

    @property
    def reader_process(self) -> subprocess.Popen[bytes]: ...


def wait_until(condition: Callable[[], object], description: str) -> None:
    """Return when the condition is true; fail with `description` after the timeout."""
    deadline = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting until {description}"
        time.sleep(POLL_INTERVAL_SECONDS)


def engine_process(parent: EngineParent) -> psutil.Process:
    """Wait for the first engine process and return it."""
    return engine_processes(parent, 1)[0]


def engine_processes(parent: EngineParent, count: int) -> list[psutil.Process]:
    """Wait for `count` engine processes and return all of them."""
    found: list[psutil.Process] = []

    def has_enough() -> bool:
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(parent.reader_process.pid).children()
            found[:] = [child for child in children if _is_engine_process(child)]
        return len(found) >= count

    wait_until(has_enough, f"there are {count} engine processes")
    return found


def _is_engine_process(child: psutil.Process) -> bool:
    command = child.cmdline()
    is_alive = child.status() != psutil.STATUS_ZOMBIE
    return is_alive and "backend_main.reading.child_process.main" in command and "dummy" in command


def wait_until_ended(process: psutil.Process) -> None:
    """Return when a process that is not a child of this one has ended."""

    def has_ended() -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until(has_ended, f"process {process.pid} has ended")
