"""`scanrill serve --workers N`: N processes on one listening socket; where one dies, another takes its place.

Each is `member.py` in a process of its own, and gets three descriptors: the socket, a pipe on which it says
that it serves, and one that breaks when this process ends, however it ends.
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

# A member ends in less; one that does not is killed. With it, all of the command ends within ten seconds.
STOP_TIMEOUT_SECONDS = 9
INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.1, 10.0
# One that lived for so long did not die of its start.
STABLE_AFTER_SECONDS = 60.0


class ProcessSupervisor:
    """`started` is called once, when all serve for the first time."""

    program = (sys.executable, "-m", "backend_main.cli.server_process")

    def __init__(self, listener: socket.socket, count: int, on_ready: Callable[[], None]) -> None:
        self._listener, self._count, self._on_ready = listener, count, on_ready
        self._parent_alive_pipe, self._alive_pipe = os.pipe()
        self._ready_reader, self._ready_writer = os.pipe()
        self._ready_count, self._failed = 0, False
        self._processes: set[Process] = set()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises `CommandError` where a member dies before all have served."""
        asyncio.run(self._run())
        if self._failed:
            raise CommandError("A process of the server ended at its start; the lines above say why.")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_reader(self._ready_reader, self._count_ready)
        members = {asyncio.create_task(self._supervise(number)) for number in range(1, self._count + 1)}
        await self._stopping.wait()
        await self._terminate(members)

    def _count_ready(self) -> None:
        before = self._ready_count
        self._ready_count += len(os.read(self._ready_reader, 1024))
        if before < self._count <= self._ready_count:
            self._on_ready()

    async def _supervise(self, number: int) -> None:
        delay, loop = INITIAL_BACKOFF_SECONDS, asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            code = await self._run_process(number)
            if self._stopping.is_set():
                return
            if self._ready_count < self._count:
                self._failed = True
                self._stopping.set()
                return
            log.error("process %d of the server ended with %d; another takes its place", number, code)
            delay = INITIAL_BACKOFF_SECONDS if loop.time() - began > STABLE_AFTER_SECONDS else delay
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, MAX_BACKOFF_SECONDS)

    async def _run_process(self, number: int) -> int:
        """How it ended."""
        descriptors = (self._listener.fileno(), self._ready_writer, self._parent_alive_pipe)
        process = await asyncio.create_subprocess_exec(
            *self.program,
            *map(str, (number, *descriptors)),
            pass_fds=descriptors,
            stdin=DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process, which tells the others
        )
        self._processes.add(process)
        try:
            return await process.wait()
        finally:
            self._processes.discard(process)

    async def _terminate(self, members: set[asyncio.Task[None]]) -> None:
        """Says so each second, as a process that is just starting may not hear it at once."""
        for _ in range(STOP_TIMEOUT_SECONDS):
            self._signal(signal.SIGTERM)
            _, members = await asyncio.wait(members, timeout=1)
            if not members:
                return
        log.error("processes of the server that did not end were killed")
        self._signal(signal.SIGKILL)
        await asyncio.wait(members)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)
