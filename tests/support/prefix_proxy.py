"""A reverse proxy that serves a server below a path, for HTTP and WebSockets.

Each HTTP connection carries one request: the proxy rewrites its head, and passes all other bytes unchanged.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

REQUEST_LINE = re.compile(rb"(\S+) (\S+) (HTTP/1\.1)")
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class PrefixProxy:
    """The proxy: `http` is the URL of the server behind it. `outside` has the paths that are not below it.

    Args:
        port: The port of the server.
        prefix: The path, such as `/scan`.
        strips: Whether requests reach the server without the prefix.
        headers: Headers that the proxy adds.
    """

    def __init__(self, port: int, prefix: str, *, strips: bool, headers: dict[str, str]) -> None:
        self.outside: list[str] = []
        self.http = ""
        self._writers: set[asyncio.StreamWriter] = set()
        self._port, self._prefix, self._strips = port, prefix.encode(), strips
        self._added = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.http = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._prefix.decode()}"

    async def stop(self) -> None:
        self._server.close()
        for writer in [*self._writers]:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._closing(writer):
            head = self._rewritten(await reader.readuntil(b"\r\n\r\n"))
            if head is None:
                writer.write(NOT_FOUND)
                return
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._port)
            async with self._closing(upstream), asyncio.TaskGroup() as tasks:
                upstream.write(head)
                to_server = tasks.create_task(_pass(reader, upstream))
                await _pass(upstream_reader, writer)
                to_server.cancel()

    @asynccontextmanager
    async def _closing(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                yield
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._writers.discard(writer)

    def _rewritten(self, head: bytes) -> bytes | None:
        """Return the head for the server; None for a path that the proxy does not serve."""
        request_line, _, fields = head.partition(b"\r\n")
        match = REQUEST_LINE.fullmatch(request_line)
        assert match, request_line
        method, target, version = match.groups()
        if not target.startswith(self._prefix + b"/"):
            self.outside.append(target.decode())
            return None
        if self._strips:
            target = target.removeprefix(self._prefix)
        if b"upgrade:" not in fields.lower():
            fields = re.sub(rb"(?i)connection:[^\r]*\r\n", b"", fields)
            fields = b"Connection: close\r\n" + fields
        return b" ".join((method, target, version)) + b"\r\n" + self._added + fields


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()


@contextmanager
def running_proxy(
    port: int, prefix: str, *, strips: bool, headers: dict[str, str] | None = None
) -> Iterator[PrefixProxy]:
    """Run a proxy on a thread of its own, because the loop of a test may wait for a browser."""
    proxy = PrefixProxy(port, prefix, strips=strips, headers=headers or {})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(30)
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
