"""The processes behind a server: which child reads, and whether a process is gone."""

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
    """A server or a worker."""

    @property
    def reader_process(self) -> subprocess.Popen[bytes]: ...


def wait_until(condition: Callable[[], object], description: str) -> None:
    """Returns when it is true; a test that waits for good says what for."""
    until = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < until, f"waited in vain until {description}"
        time.sleep(POLL_INTERVAL_SECONDS)


def engine_process(parent: EngineParent) -> psutil.Process:
    """The child with the engine, once there is one."""
    return engine_processes(parent, 1)[0]


def engine_processes(parent: EngineParent, count: int) -> list[psutil.Process]:
    """All children with engines, once there are so many."""
    found: list[psutil.Process] = []

    def has_enough() -> bool:
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(parent.reader_process.pid).children()
            found[:] = [child for child in children if _is_engine_process(child)]
        return len(found) >= count

    wait_until(has_enough, f"there are {count} children that read")
    return found


def _is_engine_process(child: psutil.Process) -> bool:
    command = child.cmdline()
    alive = child.status() != psutil.STATUS_ZOMBIE
    return alive and "backend_main.reading.child_process.main" in command and "dummy" in command


def wait_until_ended(process: psutil.Process) -> None:
    """Returns when a process that is nobody's child here has ended."""

    def has_ended() -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until(has_ended, f"process {process.pid} is gone")
