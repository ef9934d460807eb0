"""One WebSocket connection: the handshake, and detection of a peer that no longer responds."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from .messages import Json, encode

OPEN_TIMEOUT_SECONDS = 10.0
CLOSE_TIMEOUT_SECONDS = 1.0
# A server that receives a large file in a message answers no ping meanwhile.
BUSY_TIMEOUT_FACTOR = 6


class TokenLogFilter(logging.Filter):
    """Log filter that drops the handshake header with the token, which the library logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.args, tuple) and "authorization" in map(_to_lower, record.args))


def _to_lower(argument: object) -> object:
    return argument.lower() if isinstance(argument, str) else argument


_log = logging.getLogger("scanrill_client.websocket")
_log.addFilter(TokenLogFilter())


class MonitoredConnection(ClientConnection):
    """Client connection that records when bytes arrive.

    `last_received_at` is in the loop's time. The bytes of an incomplete message count.
    """

    last_received_at = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._received = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.last_received_at = self.loop.time()
        self._received.set()
        super().data_received(data)

    async def send_json(self, message: Json) -> None:
        """Send a message as a text frame."""
        await self.send(encode(message), text=True)

    async def monitor(self, idle_seconds: float, ping_seconds: float, is_busy: Callable[[], bool]) -> None:
        """Ping an idle peer, and abort the connection if no byte arrives. Return when it is closed.

        The library's own pings do not detect progress within a large frame, in either direction.

        Args:
            idle_seconds: Time without a byte from the peer before the ping.
            ping_seconds: Time for the answer; `BUSY_TIMEOUT_FACTOR` times as long while `is_busy()`.
            is_busy: Function that returns True while a file is being sent.
        """
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.last_received_at + idle_seconds - self.loop.time())
                if self.loop.time() - self.last_received_at < idle_seconds:
                    continue
                unsent_bytes = self.transport.get_write_buffer_size()
                responds = await self._responds(ping_seconds * (BUSY_TIMEOUT_FACTOR if is_busy() else 1))
                if not responds and self.transport.get_write_buffer_size() >= unsent_bytes:
                    self.transport.abort()
                    return

    async def _responds(self, timeout_seconds: float) -> bool:
        """Send a ping, and return whether any byte arrives in time."""
        self._received.clear()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.send_json({"type": "ping"})
                await self._received.wait()
        except TimeoutError:
            return False
        return True


class _NoRedirectConnect(connect):
    """Handshake that follows no redirect: the token goes to this server only."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_websocket(url: str, token: str, tls: ssl.SSLContext | None = None) -> MonitoredConnection:
    """Open a connection.

    Raises:
        OSError: The server is not reachable.
        TimeoutError: The handshake took longer than `OPEN_TIMEOUT_SECONDS`.
        EOFError: The response to the handshake is incomplete.
        websockets.InvalidHandshake: The server rejected the handshake.
    """
    options: dict[str, Any] = {"ssl": tls} if tls is not None and url.startswith("wss:") else {}
    try:
        websocket = await _NoRedirectConnect(
            url,
            additional_headers={"Authorization": f"Bearer {token}"},
            create_connection=MonitoredConnection,
            max_size=None,
            **options,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_TIMEOUT_SECONDS,
            close_timeout=CLOSE_TIMEOUT_SECONDS,
            logger=_log,
        )
    except InvalidMessage as error:
        if isinstance(error.__cause__, EOFError | OSError):
            raise error.__cause__ from None
        raise
    assert isinstance(websocket, MonitoredConnection)
    return websocket
