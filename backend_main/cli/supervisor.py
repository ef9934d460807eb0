"""Supervisor of `scanrill serve --workers N`: N server processes on one listening socket.

It restarts a process that dies. Each process runs `server_process.py` and inherits three descriptors: the
socket, a pipe on which it reports that it is ready, and a pipe that closes when the supervisor ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from contextlib import suppress

from backend_main.core.errors import CommandError

log = logging.getLogger(__name__)

# A server process needs less; one that does not end by then is killed. So the command ends within 10 seconds.
STOP_TIMEOUT_SECONDS = 9
INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.1, 10.0
# A process that lived this long did not die of its start, so the backoff begins from its initial value.
STABLE_AFTER_SECONDS = 60.0


class ProcessSupervisor:
    """Runs and restarts the server processes. `on_ready` is called once, when all of them serve."""

    program = (sys.executable, "-m", "backend_main.cli.server_process")

    def __init__(self, listener: socket.socket, count: int, on_ready: Callable[[], None]) -> None:
        self._listener = listener
        self._count = count
        self._on_ready = on_ready
        self._parent_alive_pipe, self._alive_pipe = os.pipe()
        self._ready_reader, self._ready_writer = os.pipe()
        self._ready_count = 0
        self._failed = False
        self._processes: set[Process] = set()

    def run(self) -> None:
        """Run the processes until SIGTERM or SIGINT.

        Raises:
            CommandError: a process died before all of them were ready.
        """
        asyncio.run(self._run())
        if self._failed:
            raise CommandError("A server process ended during its start. See its output above.")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_reader(self._ready_reader, self._count_ready)
        tasks = {asyncio.create_task(self._supervise(number)) for number in range(1, self._count + 1)}
        await self._stopping.wait()
        # SIGTERM every second, because a starting process may lose the signal; finally SIGKILL.
        for _ in range(STOP_TIMEOUT_SECONDS):
            self._signal(signal.SIGTERM)
            _, tasks = await asyncio.wait(tasks, timeout=1)
            if not tasks:
                return
        log.error("Server processes did not end in time and were killed.")
        self._signal(signal.SIGKILL)
        await asyncio.wait(tasks)

    def _count_ready(self) -> None:
        before = self._ready_count
        self._ready_count += len(os.read(self._ready_reader, 1024))
        if before < self._count <= self._ready_count:
            self._on_ready()

    async def _supervise(self, number: int) -> None:
        delay, loop = INITIAL_BACKOFF_SECONDS, asyncio.get_running_loop()
        while not self._stopping.is_set():
            started_at = loop.time()
            code = await self._run_process(number)
            if self._stopping.is_set():
                return
            if self._ready_count < self._count:
                self._failed = True
                self._stopping.set()
                return
            log.error("Server process %d exited with code %d and is restarted.", number, code)
            delay = INITIAL_BACKOFF_SECONDS if loop.time() - started_at > STABLE_AFTER_SECONDS else delay
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, MAX_BACKOFF_SECONDS)

    async def _run_process(self, number: int) -> int:
        """Run a server process until it ends, and return its exit code."""
        descriptors = (self._listener.fileno(), self._ready_writer, self._parent_alive_pipe)
        process = await asyncio.create_subprocess_exec(
            *self.program,
            *map(str, (number, *descriptors)),
            pass_fds=descriptors,
            stdin=DEVNULL,
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which terminates the processes
        )
        self._processes.add(process)
        try:
            return await process.wait()
        finally:
            self._processes.discard(process)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)
