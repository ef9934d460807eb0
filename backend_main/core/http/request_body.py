"""Limits on the time and the bytes of a request's body, as wrappers of ASGI's `receive`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from ..conf import conf
from ..errors import BodyTooLarge, RequestTimeout
from .types import Message, Receive

# The slowest connection that the server accepts: GPRS has several times as much.
MIN_BODY_BYTES_PER_SECOND = 1024
# The shortest interval of the check, for a server that is slower than its client.
MIN_CHECK_SECONDS = 1.0


class ClientDisconnected(Exception):
    """The client closed the connection before the end of its body."""


async def body_parts(receive: Receive) -> AsyncIterator[bytes]:
    """Yield a body in the parts that arrive. Raises `ClientDisconnected`."""
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        yield message.get("body", b"")
        more_body = message.get("more_body", False)


async def receive_nothing() -> Message:
    """Report that the client has disconnected: an ASGI `receive`."""
    return {"type": "http.disconnect"}


class LimitedBody:
    """ASGI `receive` that raises `RequestTimeout` if the client sends its body too slowly.

    It counts only the time in which the server waits for the client. After the error it reports a disconnect.
    One timer serves all parts of a body: `asyncio.timeout` for each would cost a tenth of an upload.
    """

    def __init__(self, receive: Receive) -> None:
        self.is_complete = False
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._remaining_seconds = conf.request_body_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_since: float | None = None
        self._task: asyncio.Task[Any] | None = None
        self._is_expired = False

    async def __call__(self) -> Message:
        if self.is_complete:
            return await (receive_nothing() if self._is_expired else self._receive())
        self._task, self._waiting_since = cast("asyncio.Task[Any]", asyncio.current_task()), self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._remaining_seconds, self._check)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            is_own_cancellation = self._is_expired and not self._task.uncancel()
            self.close()
            if is_own_cancellation:
                raise RequestTimeout from None
            raise
        body_seconds = len(message.get("body", b"")) / MIN_BODY_BYTES_PER_SECOND
        self._remaining_seconds += body_seconds - (self._loop.time() - self._waiting_since)
        self._waiting_since = None
        if not message.get("more_body", False):
            self.close()
        return message

    def close(self) -> None:
        """Stop the timer: the body is complete, or nobody reads it."""
        self.is_complete = True
        if self._timer is not None:
            self._timer.cancel()
        self._task = self._waiting_since = None

    def _check(self) -> None:
        """Cancel the task that waits for the client, if the time is over; otherwise check again later."""
        waited_seconds = 0.0 if self._waiting_since is None else self._loop.time() - self._waiting_since
        remaining_seconds = self._remaining_seconds - waited_seconds
        if remaining_seconds > 0 or self._waiting_since is None:
            delay = max(remaining_seconds, MIN_CHECK_SECONDS)
            self._timer = self._loop.call_later(delay, self._check)
        elif self._task is not None:
            self._is_expired = True
            self._task.cancel()


class WholeBodies:
    """Receives bodies whole, a limited number at once.

    If a further one would exceed the limit, the oldest one ends: a client that sends its body at once takes
    milliseconds, so the oldest one is slow.

    Args:
        max_unfinished: Largest number of bodies that are not complete.
    """

    def __init__(self, max_unfinished: int) -> None:
        self._max_unfinished = max_unfinished
        self._unfinished: dict[asyncio.Timeout, None] = {}

    async def receive(self, receive: Receive, max_bytes: int) -> bytes:
        """Receive a body.

        Raises:
            BodyTooLarge: the body has more than `max_bytes`.
            ClientDisconnected: the client closed the connection before.
            RequestTimeout: the body was the oldest of too many.
        """
        if len(self._unfinished) >= self._max_unfinished:
            oldest = next(iter(self._unfinished))
            del self._unfinished[oldest]
            oldest.reschedule(0.0)
        try:
            async with asyncio.timeout(None) as eviction:
                self._unfinished[eviction] = None
                try:
                    return await _receive_whole(receive, max_bytes)
                finally:
                    self._unfinished.pop(eviction, None)
        except TimeoutError:
            raise RequestTimeout from None


async def _receive_whole(receive: Receive, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in body_parts(receive):
        body += part
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes)
    return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that has this body, and then what `receive` has."""
    is_sent = False

    async def replaying_receive() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying_receive
