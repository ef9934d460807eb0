"""One WebSocket connection: what it takes to open one, and whether anybody is at its other end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from .messages import Json, encode

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
# A server that has a big file to take in answers nothing else meanwhile.
BUSY_TIMEOUT_FACTOR = 6


class _NoTokens(logging.Filter):
    """The library logs the headers of its handshake, and one of them is the token."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.args, tuple) and "authorization" in map(_lower, record.args))


def _lower(argument: object) -> object:
    return argument.lower() if isinstance(argument, str) else argument


_log = logging.getLogger("scanrill_client.websocket")
_log.addFilter(_NoTokens())


class MonitoredConnection(ClientConnection):
    """`last_received_at` is when bytes came last, in the loop's time; those of a part of a message count too."""

    last_received_at = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._heard = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.last_received_at = self.loop.time()
        self._heard.set()
        super().data_received(data)

    async def tell(self, message: Json) -> None:
        await self.send(encode(message), text=True)

    async def watch(self, silence_seconds: float, answer_seconds: float, is_busy: Callable[[], bool]) -> None:
        """Asks after a silence, and cuts the connection when there is no answer. Ends with the connection.

        The library's own pings would not do: they know no progress within a big frame, in either direction.
        """
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.last_received_at + silence_seconds - self.loop.time())
                if self.loop.time() - self.last_received_at < silence_seconds:
                    continue
                unsent = self.transport.get_write_buffer_size()
                answers = await self._answers(answer_seconds * (BUSY_TIMEOUT_FACTOR if is_busy() else 1))
                if not answers and self.transport.get_write_buffer_size() >= unsent:
                    self.transport.abort()
                    return

    async def _answers(self, within_seconds: float) -> bool:
        self._heard.clear()
        try:
            async with asyncio.timeout(within_seconds):
                await self.tell({"type": "ping"})
                await self._heard.wait()
        except TimeoutError:
            return False
        return True


class _Connect(connect):
    """A redirect is not followed: a token goes to the server that it is for, and to no other."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_websocket(url: str, token: str) -> MonitoredConnection:
    """Raises OSError, TimeoutError, EOFError (the answer breaks off), or `websockets.InvalidHandshake`."""
    try:
        wire = await _Connect(
            url,
            additional_headers={"Authorization": f"Bearer {token}"},
            create_connection=MonitoredConnection,
            max_size=None,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            logger=_log,
        )
    except InvalidMessage as error:
        if isinstance(error.__cause__, EOFError | OSError):
            raise error.__cause__ from None
        raise
    assert isinstance(wire, MonitoredConnection)
    return wire
