"""Load client of `fan_out.py`: many WebSockets in one process, for every server.

It implements RFC 6455 on uvloop's transports. It parses only the stamp of a message, which is the time of
sending. So a delivery costs a few microseconds, less than in any of the servers.

Commands and replies are lines of JSON. The number of deliveries and the time of the last are in a file, which
other processes map.

    python -m benchmarks.fan_out_client PROGRESS_FILE
"""

import array
import asyncio
import base64
import json
import mmap
import os
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

STAMP, STAMP_DIGITS = b"sent-at-", 16
MAX_CONCURRENT_CONNECTS = 25
CONNECT_TIMEOUT_SECONDS = 60
# Interval at which the client checks whether it may send.
POLL_INTERVAL_SECONDS = 0.0005
TEXT, PING, PONG, MASKED = 0x81, 0x89, 0x8A, 0x80
Reply = dict[str, Any]


class Progress:
    """Memory-mapped file with two numbers: deliveries, and the monotonic time of the last in nanoseconds."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), 16)).cast("Q")

    def set(self, deliveries: int, at: int) -> None:
        self._numbers[0], self._numbers[1] = deliveries, at

    @property
    def deliveries(self) -> int:
        return self._numbers[0]

    @property
    def last_at(self) -> int:
        return self._numbers[1]


def stamped(text: bytes) -> bytes:
    """Return the message with the current time as its stamp."""
    at = text.index(STAMP) + len(STAMP)
    return text[:at] + b"%0*d" % (STAMP_DIGITS, time.monotonic_ns()) + text[at + STAMP_DIGITS :]


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    """Encode a client frame. The mask is zero, so the payload stays as it is."""
    size = len(payload)
    length = bytes([MASKED | size]) if size < 126 else struct.pack("!BH", MASKED | 126, size)
    return bytes([kind]) + length + bytes(4) + payload


class LoadClient:
    """All sockets, and the deliveries on them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.deliveries = 0
        self.latencies = array.array("q")
        self.sockets: list[Socket] = []
        self.closed = 0

    def record_deliveries(self, count: int, now: int) -> None:
        self.deliveries += count
        self._progress.set(self.deliveries, now)

    async def connect(self, port: int, paths: Sequence[str], hello: str, welcome: str) -> Reply:
        """Open a socket for each path, in order. If `hello` is set, its reply must contain `welcome`."""
        gate = asyncio.Semaphore(MAX_CONCURRENT_CONNECTS)
        loop = asyncio.get_running_loop()

        async def one(path: str) -> Socket:
            async with gate, asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                make = Socket.factory(self, port, path, hello.encode(), welcome.encode())
                _, socket = await loop.create_connection(make, "127.0.0.1", port)
                await socket.opened
                return socket

        self.sockets += await asyncio.gather(*map(one, paths))
        return {"open": len(self.sockets)}

    async def reset(self) -> Reply:
        del self.latencies[:]
        self._cpu, self._wall = time.process_time(), time.monotonic()
        return {}

    async def report(self) -> Reply:
        """Return p50 and p99 of the deliveries since `reset`, in ms, and the CPU share of this process."""
        busy = (time.process_time() - self._cpu) / (time.monotonic() - self._wall)
        found = np.frombuffer(self.latencies, dtype="q") if self.latencies else np.array([0])
        p50, p99 = (float(value) / 1e6 for value in np.percentile(found, (50, 99)))
        del found  # an exported array cannot be emptied
        return {"p50": p50, "p99": p99, "busy": busy, "closed": self.closed}

    async def send_requests(
        self, requests: Sequence[str], fan: int, seconds: float, rate: float, window: int
    ) -> Reply:
        """Send the requests in turn, each on its socket: at a rate, or (0) with `window` events in flight."""
        prepared = [request.encode() for request in requests]
        started, before, sent = time.monotonic(), self.deliveries, 0
        while (elapsed := time.monotonic() - started) < seconds:
            is_due = sent < elapsed * rate if rate else sent - (self.deliveries - before) // fan < window
            if is_due:
                turn = sent % len(prepared)
                self.sockets[turn].transport.write(frame(stamped(prepared[turn])))
                sent += 1
            if not is_due or not sent % 16:
                await asyncio.sleep(POLL_INTERVAL_SECONDS if not is_due else 0)
        return {"sent": sent, "started_at": int(started * 1e9)}

    async def disconnect(self) -> Reply:
        for socket in self.sockets:
            socket.transport.abort()
        self.sockets.clear()
        await asyncio.sleep(0)
        self.closed = 0
        return {}


class Socket(asyncio.Protocol):
    """WebSocket of the load client."""

    transport: asyncio.Transport

    def __init__(self, load: LoadClient, port: int, path: str, hello: bytes, welcome: bytes) -> None:
        self._load, self._port, self._path = load, port, path
        self._hello, self._welcome = hello, welcome
        self._rest = b""
        self._upgraded = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    def factory(cls, *arguments: Any) -> Callable[[], "Socket"]:
        return lambda: cls(*arguments)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {self._path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.closed += 1
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"connection closed during the handshake: {exc}"))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        if not self._upgraded:
            data = self._parse_handshake(data)
        self._rest = self._parse_frames(data)

    def _parse_handshake(self, data: bytes) -> bytes:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            return data
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise ConnectionError(head.decode(errors="replace"))
        self._upgraded = True
        if self._hello:
            self.transport.write(frame(self._hello))
        if not self._welcome:
            self.opened.set_result(None)
        return rest

    def _parse_frames(self, data: bytes) -> bytes:
        """Handle all whole frames, and return the rest."""
        if not self._upgraded:
            return data
        load, now = self._load, time.monotonic_ns()
        position, size, count = 0, len(data), 0
        while size - position >= 2:
            start, length = position + 2, data[position + 1]
            if length == 126:
                start += 2
                length = int.from_bytes(data[position + 2 : start])
            elif length == 127:
                start += 8
                length = int.from_bytes(data[position + 2 : start])
            end = start + length
            if end > size:
                break
            at = data.find(STAMP, start, end)
            if at >= 0:
                at += len(STAMP)
                load.latencies.append(now - int(data[at : at + STAMP_DIGITS]))
                count += 1
            else:
                self._handle_other(data[position], data[start:end])
            position = end
        if count:
            load.record_deliveries(count, now)
        return data[position:]

    def _handle_other(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self.transport.write(frame(payload, PONG))
        elif payload == b"2":  # ping of engine.io
            self.transport.write(frame(b"3"))
        elif self._welcome and self._welcome in payload and not self.opened.done():
            self.opened.set_result(None)


async def serve(progress: Path) -> None:
    """Carry out commands until standard input ends."""
    load = LoadClient(Progress(progress))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        answer = await getattr(load, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
