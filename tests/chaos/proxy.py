"""A TCP proxy for accidents: between a client and a server, bytes pass, wait, trickle, stop or break off.

    async with Proxy(server.port) as proxy:
        …a client connects to proxy.port…
        proxy.to_client.cut_after(1000)     # byte 1000 is the last that one client gets
        proxy.to_server.blackhole()         # nothing arrives any more, and nobody is told
        proxy.cut()                         # all connections break, now

The rules of a direction hold for all its connections, open ones too, until `heal`. Byte counts are of each
connection by itself, in that direction. Nothing is ever lost or changed but by a cut: what a black hole keeps
comes out of it when it is healed, as TCP would send it again.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024
# As much as a direction holds back before its sender feels it, beside what the system's buffers take.
MAX_QUEUED_CHUNKS = 16
# A throttled direction passes its bytes this often.
THROTTLE_INTERVAL_SECONDS = 0.02
# l_onoff, l_linger: closing sends a reset at once.
RESET = struct.pack("ii", 1, 0)


class Direction:
    """What happens to the bytes on their way to one side. `passed_bytes` counts those of all connections."""

    def __init__(self, links: Callable[[], list[Link]]) -> None:
        self._links = links
        self._changed = asyncio.Event()
        self.passed_bytes = 0
        self.recorded: bytearray | None = None
        self._clear()

    def _clear(self) -> None:
        self._delay_seconds = 0.0
        self._bytes_per_second: float | None = None
        self._cut_at: int | None = None
        self._blackhole_at: int | None = None

    def heal(self) -> None:
        """All passes again, first what was held back."""
        self._clear()
        self._notify()

    def delay(self, seconds: float) -> None:
        """Each byte arrives so much later."""
        self._delay_seconds = seconds

    def throttle(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._notify()

    def blackhole(self, *, after: int = 0) -> None:
        """From byte `after` of a connection on, nothing arrives; both sides see an open connection."""
        self._blackhole_at = after
        self._notify()

    def cut_after(self, count: int) -> None:
        """The first connection on which `count` bytes have passed is closed both ways; that ends the rule."""
        self._cut_at = count
        for link in self._links():
            if self._must_cut(link.passed[self]):
                link.close()
                break

    def record(self) -> None:
        """What passes from now on is kept in `recorded`, of all connections together."""
        self.recorded = bytearray()

    async def passed(self, count: int) -> None:
        """Waits until that many bytes have passed, on all connections together."""
        await self._wait_until(lambda: self.passed_bytes >= count)

    # ── for the links ──

    async def allowance(self, passed: int) -> int:
        """How many bytes may pass on a connection where `passed` have; waits until it is more than none."""
        await self._wait_until(lambda: self._blackhole_at is None or passed < self._blackhole_at)
        marks = [
            mark - passed for mark in (self._cut_at, self._blackhole_at) if mark is not None and mark > passed
        ]
        if self._bytes_per_second is not None:
            marks.append(max(1, int(self._bytes_per_second * THROTTLE_INTERVAL_SECONDS)))
        return min([CHUNK_BYTES, *marks])

    async def count_passed(self, link: Link, chunk: bytes) -> None:
        """Counts its bytes; cuts, or takes the time that they need on a slow line."""
        count = len(chunk)
        if self.recorded is not None:
            self.recorded += chunk
        link.passed[self] += count
        self.passed_bytes += count
        self._notify()
        if self._must_cut(link.passed[self]):
            link.close()
        elif self._bytes_per_second is not None:
            await asyncio.sleep(count / self._bytes_per_second)

    def arrival_time(self) -> float:
        """When a byte that comes now is to arrive, in the loop's time."""
        return asyncio.get_running_loop().time() + self._delay_seconds

    def _must_cut(self, passed: int) -> bool:
        if self._cut_at is None or passed < self._cut_at:
            return False
        self._cut_at = None
        return True

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()


class Link:
    """One client's connection, and the one to the server that belongs to it."""

    def __init__(self, client: Stream, server: Stream, to_server: Direction, to_client: Direction) -> None:
        self.passed = {to_server: 0, to_client: 0}
        self._streams = (client, server)
        self._pumps = (
            _Pump(self, to_server, client[0], server[1]),
            _Pump(self, to_client, server[0], client[1]),
        )
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Until both directions have ended, or `close`, or `cut`."""
        tasks = [
            asyncio.create_task(work) for pump in self._pumps for work in (pump.receive(), pump.forward())
        ]
        ended = asyncio.create_task(_gather(tasks))
        over = asyncio.create_task(self._closed.wait())
        try:
            await asyncio.wait([ended, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, ended, over):
                task.cancel()
            await asyncio.gather(*tasks, ended, over, return_exceptions=True)
            for _, writer in self._streams:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        """In good order for TCP: both sides get what has passed, then the end."""
        self._closed.set()

    def cut(self) -> None:
        """Both sides get a reset."""
        for _, writer in self._streams:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        self._closed.set()


async def _gather(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pump:
    """One direction of a link. An empty piece is the end of the stream."""

    def __init__(
        self, link: Link, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._link, self._direction, self._reader, self._writer = link, direction, reader, writer
        self._chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MAX_QUEUED_CHUNKS)

    async def receive(self) -> None:
        piece = b"-"
        while piece:
            try:
                piece = await self._reader.read(CHUNK_BYTES)
            except OSError:  # a reset, which is passed on
                self._link.cut()
                return
            await self._chunks.put((self._direction.arrival_time(), piece))

    async def forward(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, piece = await self._chunks.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                break
            while piece:
                room = await self._direction.allowance(self._link.passed[self._direction])
                await self._send(piece[:room])
                piece = piece[room:]
                if self._link.is_closed:
                    return
        await self._direction.allowance(
            self._link.passed[self._direction]
        )  # a black hole swallows an end too
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def _send(self, chunk: bytes) -> None:
        try:
            self._writer.write(chunk)
            await self._writer.drain()
        except OSError:
            self._link.cut()
            return
        await self._direction.count_passed(self._link, chunk)


class Proxy:
    """On a port of its own on loopback, before `port` on `host`."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._links: list[Link] = []
        self._running: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._is_refusing = False
        self.accepted = 0
        self.to_server = Direction(lambda: self._links)
        self.to_client = Direction(lambda: self._links)

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._handle_connection, "127.0.0.1", 0)
        self.port: int = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.refuse()
        self.cut()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def links(self) -> list[Link]:
        """The connections that are open."""
        return list(self._links)

    def cut(self) -> None:
        """All open connections break, with a reset."""
        for link in self.links:
            link.cut()

    def refuse(self) -> None:
        """Whoever connects is sent away at once, as by a server that is not there."""
        self._is_refusing = True

    def accept(self) -> None:
        self._is_refusing = False

    def heal(self) -> None:
        """All is well in both directions, for those who are connected and those who come."""
        self.accept()
        self.to_server.heal()
        self.to_client.heal()

    async def wait_for_connections(self, count: int) -> None:
        """Waits until that many connections have been let through since the beginning."""
        while self.accepted < count:
            await self._changed.wait()

    async def _handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        server = None if self._is_refusing else await self._connect_to_target()
        if server is None:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
            return
        link = Link((reader, writer), server, self.to_server, self.to_client)
        self._links.append(link)
        self.accepted += 1
        self._changed.set()
        self._changed = asyncio.Event()
        try:
            await link.run()
        finally:
            self._links.remove(link)

    async def _connect_to_target(self) -> Stream | None:
        try:
            return await asyncio.open_connection(*self._target)
        except OSError:
            return None
