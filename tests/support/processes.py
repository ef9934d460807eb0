"""The processes behind a server: which child reads, and whether a process is gone."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from typing import Protocol

import psutil

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.01


class Parent(Protocol):
    """A server or a worker."""

    @property
    def reading_process(self) -> subprocess.Popen[bytes]: ...


def wait_until(true: Callable[[], object], what: str) -> None:
    """Returns when it is true; a test that waits for good says what for."""
    until = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < until, f"waited in vain until {what}"
        time.sleep(POLL_SECONDS)


def reading_child(parent: Parent) -> psutil.Process:
    """The child with the engine, once there is one."""
    return reading_children(parent, 1)[0]


def reading_children(parent: Parent, count: int) -> list[psutil.Process]:
    """All children with engines, once there are so many."""
    found: list[psutil.Process] = []

    def look() -> bool:
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(parent.reading_process.pid).children()
            found[:] = [child for child in children if _reads(child)]
        return len(found) >= count

    wait_until(look, f"there are {count} children that read")
    return found


def _reads(child: psutil.Process) -> bool:
    command = child.cmdline()
    alive = child.status() != psutil.STATUS_ZOMBIE
    return alive and "backend_main.reading.child_process.main" in command and "dummy" in command


def wait_gone(process: psutil.Process) -> None:
    """Returns when a process that is nobody's child here has ended."""

    def gone() -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until(gone, f"process {process.pid} is gone")
