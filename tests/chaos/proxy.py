"""A TCP proxy for network faults: it delays, throttles, stops or cuts the bytes between client and server.

    async with Proxy(server.port) as proxy:
        …a client connects to proxy.port…
        proxy.to_client.cut_after(1000)     # byte 1000 is the last that one client receives
        proxy.to_server.blackhole()         # nothing arrives any more, without an error
        proxy.cut()                         # all connections break now

The rules of a direction apply to all its connections, including open ones, until `heal`. Byte counts are per
connection and direction. Only a cut loses bytes: bytes in a black hole arrive after `heal`, as TCP would
retransmit them.
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
# The buffer of a direction before its sender blocks, beside the system's buffers.
MAX_QUEUED_CHUNKS = 16
# The interval at which a throttled direction passes bytes.
THROTTLE_INTERVAL_SECONDS = 0.02
# l_onoff, l_linger: a close sends a reset at once.
RESET = struct.pack("ii", 1, 0)


class Direction:
    """The rules for the bytes to one side. `passed_bytes` counts the bytes of all connections."""

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
        """Remove all rules; buffered bytes pass first."""
        self._clear()
        self._notify()

    def delay(self, seconds: float) -> None:
        """Delay each byte by `seconds`."""
        self._delay_seconds = seconds

    def throttle(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._notify()

    def blackhole(self, *, after: int = 0) -> None:
        """Stop each connection after byte `after`; both sides still see an open connection."""
        self._blackhole_at = after
        self._notify()

    def cut_after(self, count: int) -> None:
        """Close the first connection on which `count` bytes have passed; this ends the rule."""
        self._cut_at = count
        for link in self._links():
            if self._must_cut(link.passed[self]):
                link.close()
                break

    def record(self) -> None:
        """Record the bytes of all connections from now on in `recorded`."""
        self.recorded = bytearray()

    async def passed(self, count: int) -> None:
        """Wait until `count` bytes have passed on all connections together."""
        await self._wait_until(lambda: self.passed_bytes >= count)

    # ── for the links ──

    async def allowance(self, passed: int) -> int:
        """Wait until a connection with `passed` bytes may pass more, and return how many."""
        await self._wait_until(lambda: self._blackhole_at is None or passed < self._blackhole_at)
        limits = [
            limit - passed
            for limit in (self._cut_at, self._blackhole_at)
            if limit is not None and limit > passed
        ]
        if self._bytes_per_second is not None:
            limits.append(max(1, int(self._bytes_per_second * THROTTLE_INTERVAL_SECONDS)))
        return min([CHUNK_BYTES, *limits])

    async def count_passed(self, link: Link, chunk: bytes) -> None:
        """Count passed bytes; then cut, or wait as long as a throttled line would need."""
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
        """Return the time, on the loop's clock, at which a byte received now must arrive."""
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
    """A client's connection and the proxy's connection to the server for it."""

    def __init__(self, client: Stream, server: Stream, to_server: Direction, to_client: Direction) -> None:
        self.passed = {to_server: 0, to_client: 0}
        self._streams = (client, server)
        self._pumps = (
            _Pump(self, to_server, client[0], server[1]),
            _Pump(self, to_client, server[0], client[1]),
        )
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Run until both directions have ended, or until `close` or `cut`."""
        tasks = [
            asyncio.create_task(work) for pump in self._pumps for work in (pump.receive(), pump.forward())
        ]
        ended = asyncio.create_task(_gather(tasks))
        closed = asyncio.create_task(self._closed.wait())
        try:
            await asyncio.wait([ended, closed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, ended, closed):
                task.cancel()
            await asyncio.gather(*tasks, ended, closed, return_exceptions=True)
            for _, writer in self._streams:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        """Close both sides after the bytes that have passed."""
        self._closed.set()

    def cut(self) -> None:
        """Reset both sides."""
        for _, writer in self._streams:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        self._closed.set()


async def _gather(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pump:
    """One direction of a link. An empty chunk marks the end of the stream."""

    def __init__(
        self, link: Link, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._link, self._direction, self._reader, self._writer = link, direction, reader, writer
        self._chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MAX_QUEUED_CHUNKS)

    async def receive(self) -> None:
        chunk = b"-"
        while chunk:
            try:
                chunk = await self._reader.read(CHUNK_BYTES)
            except OSError:  # a reset, which is passed on
                self._link.cut()
                return
            await self._chunks.put((self._direction.arrival_time(), chunk))

    async def forward(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await self._chunks.get()
            await asyncio.sleep(due - loop.time())
            if not chunk:
                break
            while chunk:
                count = await self._direction.allowance(self._link.passed[self._direction])
                await self._send(chunk[:count])
                chunk = chunk[count:]
                if self._link.is_closed:
                    return
        await self._direction.allowance(self._link.passed[self._direction])  # a black hole also stops the end
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
    """A proxy on its own loopback port in front of `port` on `host`."""

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
        """The open connections."""
        return list(self._links)

    def cut(self) -> None:
        """Reset all open connections."""
        for link in self.links:
            link.cut()

    def refuse(self) -> None:
        """Reset new connections at once, as if the server were down."""
        self._is_refusing = True

    def accept(self) -> None:
        self._is_refusing = False

    def heal(self) -> None:
        """Accept connections and remove the rules of both directions."""
        self.accept()
        self.to_server.heal()
        self.to_client.heal()

    async def wait_for_connections(self, count: int) -> None:
        """Wait until the proxy has accepted `count` connections in total."""
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
