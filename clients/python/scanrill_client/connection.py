"""WebSocket connection that reconnects, resumes the subscription and matches replies to requests."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from .backoff import INITIAL_SECONDS, MAX_SECONDS, Backoff
from .errors import (
    CertificateError,
    ConnectionLost,
    ConnectionRejected,
    RequestError,
    ServerUnreachable,
    Unauthenticated,
    UnexpectedResponse,
)
from .event_sync import EventSynchronizer
from .events import AnyEvent
from .messages import Json, ServerMessage, decode
from .tokens import TokenManager
from .websocket import MonitoredConnection, open_websocket

CLOSE_BAD_TOKEN, CLOSE_RATE_LIMITED, CLOSE_ABNORMAL = 4401, 4429, 1006
FINAL_CLOSE_CODES = (4403, 4404)
# These change nothing, so they are sent again after a cut.
IDEMPOTENT_REQUESTS = ("list", "retrieve", "ping", "resync")


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Waits of the client, in seconds.

    idle               time without a byte from the server before the client sends a ping
    ping               time for the answer to the ping before the client reconnects
    initial_backoff    upper bound of the first delay between attempts to connect; see `Backoff`
    max_backoff        upper bound of every such delay
    rate_limit_delay   delay after the server closes with 4429: too many connections or messages
    reconnect          how long to try after a cut before `ServerUnreachable`; None means without limit
    request            time for each step of an HTTP request
    """

    idle: float = 25.0
    ping: float = 10.0
    initial_backoff: float = INITIAL_SECONDS
    max_backoff: float = MAX_SECONDS
    rate_limit_delay: float = 10.0
    reconnect: float | None = None
    request: float = 60.0


@dataclass(eq=False)
class _PendingRequest:
    message: Json
    reply: asyncio.Future[ServerMessage] = field(default_factory=lambda: _create_future())
    sent: bool = False

    @property
    def type(self) -> str:
        return str(self.message["type"])


class ReconnectingConnection:
    """Connection to the WebSocket of one server, reopened after each interruption.

    Args:
        url: The URL of the WebSocket.
        tokens: The access tokens.
        synchronizer: The protocol state, which outlives each connection.
        on_event: Called with each event, in order.
        on_fatal_error: Called with the error that ends the attempts, until the next call of `wait_open`.
        timeouts: The waits.
        tls: The TLS context; None for the default.
    """

    def __init__(
        self,
        url: str,
        tokens: TokenManager,
        synchronizer: EventSynchronizer,
        *,
        on_event: Callable[[AnyEvent], None],
        on_fatal_error: Callable[[Exception], None],
        timeouts: Timeouts,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._tls = tls
        self._tokens = tokens
        self._synchronizer = synchronizer
        self._timeouts = timeouts
        self._on_event = on_event
        self._on_fatal_error = on_fatal_error
        self._backoff = Backoff(timeouts.initial_backoff, timeouts.max_backoff)
        self._task: asyncio.Task[None] | None = None
        self._websocket: MonitoredConnection | None = None
        # Set while the connection is open, and after a fatal error.
        self._open_or_failed = asyncio.Event()
        self._fatal_error: Exception | None = None
        self._rejected_token: str | None = None
        self._last_open_at: float | None = None
        self._pending: dict[str, _PendingRequest] = {}
        self._refs = map(str, itertools.count(1))
        self._send_tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """True if the server has acknowledged the subscription on the present connection."""
        return self._open_or_failed.is_set() and self._fatal_error is None

    async def wait_open(self) -> None:
        """Wait until the server has acknowledged the subscription; start to connect if needed.

        Raises:
            ScanrillError: The error that ended the attempts for good.
        """
        if self._task is None or self._task.done():
            self._open_or_failed.clear()
            self._fatal_error = self._last_open_at = None
            self._task = asyncio.create_task(self._run(), name="scanrill connection")
        await self._open_or_failed.wait()
        if self._fatal_error is not None:
            raise self._fatal_error

    async def request(self, message: Json) -> ServerMessage:
        """Send a request and return its reply. After a cut, an idempotent request is sent again.

        Raises:
            RequestError: The server rejected the request.
            ConnectionLost: The connection broke after a request that changes something was sent.
        """
        await self.wait_open()
        ref = next(self._refs)
        pending = self._pending[ref] = _PendingRequest(message | {"ref": ref})
        try:
            # A cut may have come in between; the next connection sends what was not sent.
            if self.is_open:
                self._send_pending(pending)
            return await pending.reply
        finally:
            del self._pending[ref]

    def request_snapshot(self) -> None:
        """Request a `Snapshot`; all later events follow it."""
        self._synchronizer.request_snapshot()
        self._send_synchronizer_requests()

    async def close(self) -> None:
        """Close the connection and fail all pending requests."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail_pending(ConnectionLost("The client was closed before the reply."))

    # ── connecting ──

    async def _run(self) -> None:
        try:
            while True:
                delay_seconds = await self._connect_once()
                await asyncio.sleep(delay_seconds)
        except Exception as error:
            self._fatal_error, self._rejected_token = error, None
            self._open_or_failed.set()
            self._fail_pending(error)
            self._on_fatal_error(error)

    async def _connect_once(self) -> float:
        """Open one connection and run it to its end; return the delay before the next, in seconds."""
        try:
            token = await self._tokens.token(rejected=self._rejected_token)
            websocket = await open_websocket(self._url, token, self._tls)
        except ssl.SSLCertVerificationError as error:
            raise CertificateError(error) from error
        except (ServerUnreachable, OSError, TimeoutError, EOFError) as error:
            return self._delay_while_unreachable(error)
        except InvalidStatus as error:
            status = error.response.status_code
            if status >= 500:
                return self._delay_while_unreachable(error)
            if status >= 400:
                raise ConnectionRejected(
                    status, f"The server rejected the connection with HTTP status {status}. Check the URL."
                ) from None
            raise UnexpectedResponse(
                "The response is not from a scanrill server. Check the server URL."
            ) from None
        except InvalidHandshake as error:
            raise UnexpectedResponse("The server does not support WebSocket. Check the URL.") from error
        code, reason = await self._run_connection(websocket)
        return self._delay_after_close(code, reason, token)

    def _delay_while_unreachable(self, error: Exception) -> float:
        """Return the delay; raise at once if the server was never reached, as the URL may be wrong."""
        last_open_at, limit_seconds = self._last_open_at, self._timeouts.reconnect
        now = asyncio.get_running_loop().time()
        if last_open_at is None or (limit_seconds is not None and now - last_open_at > limit_seconds):
            raise ServerUnreachable from error
        return self._backoff.next_seconds()

    def _delay_after_close(self, code: int, reason: str, token: str) -> float:
        if code in FINAL_CLOSE_CODES:
            raise ConnectionRejected(code, reason)
        if code == CLOSE_BAD_TOKEN:
            if self._rejected_token is not None:
                raise Unauthenticated(reason or "The server rejected the token. Sign in again.")
            self._rejected_token = token
            return 0.0
        min_seconds = self._timeouts.rate_limit_delay if code == CLOSE_RATE_LIMITED else 0.0
        return max(self._backoff.next_seconds(), min_seconds)

    # ── one connection ──

    async def _run_connection(self, websocket: MonitoredConnection) -> tuple[int, str]:
        """Receive until the connection ends; return the close code and the reason."""
        self._websocket = websocket
        timeouts = self._timeouts
        monitor = asyncio.create_task(websocket.monitor(timeouts.idle, timeouts.ping, self._is_busy))
        try:
            await websocket.send_json(self._synchronizer.subscribe_request())
            while True:
                self._on_message(decode(await websocket.recv(decode=False)))
        except (ConnectionClosed, ConnectionLost):
            pass
        finally:
            monitor.cancel()
            await self._release(websocket)
        return websocket.close_code or CLOSE_ABNORMAL, websocket.close_reason or ""

    async def _release(self, websocket: MonitoredConnection) -> None:
        """Close a connection. Keep the requests that can be sent again, and fail the others."""
        self._websocket = None
        if self._open_or_failed.is_set():
            self._open_or_failed.clear()
            self._last_open_at = asyncio.get_running_loop().time()
        for pending in self._pending.values():
            if pending.type in IDEMPOTENT_REQUESTS:
                pending.sent = False
            elif pending.sent and not pending.reply.done():
                pending.reply.set_exception(ConnectionLost())
        await websocket.close()

    def _on_message(self, message: ServerMessage) -> None:
        if message.type == "subscribed" and message.error_fields is not None:
            raise RequestError(message.error_fields)
        for event in self._synchronizer.receive(message):
            self._on_event(event)
        self._send_synchronizer_requests()
        if message.is_acknowledgement:
            self._on_subscribed()
        elif message.ref is not None and (pending := self._pending.get(message.ref)):
            _resolve(pending, message)

    def _on_subscribed(self) -> None:
        self._backoff.reset()
        self._rejected_token = None
        self._open_or_failed.set()
        for pending in self._pending.values():
            if not pending.sent:
                self._send_pending(pending)

    # ── sending ──

    def _send_pending(self, pending: _PendingRequest) -> None:
        pending.sent = True
        self._send(pending.message)

    def _send_synchronizer_requests(self) -> None:
        for request in self._synchronizer.pending_requests():
            self._send(request)

    def _send(self, message: Json) -> None:
        """Send in a task: a receiver that waits for a send could deadlock with the peer."""
        if self._websocket is not None:
            task = asyncio.create_task(_send_unless_closed(self._websocket, message))
            self._send_tasks.add(task)
            task.add_done_callback(self._send_tasks.discard)

    def _is_busy(self) -> bool:
        return any(pending.type == "create" for pending in self._pending.values())

    def _fail_pending(self, error: Exception) -> None:
        for pending in self._pending.values():
            if not pending.reply.done():
                pending.reply.set_exception(error)


async def _send_unless_closed(websocket: MonitoredConnection, message: Json) -> None:
    with suppress(ConnectionClosed):  # the receiving loop handles it
        await websocket.send_json(message)


def _create_future() -> asyncio.Future[ServerMessage]:
    return asyncio.get_running_loop().create_future()


def _resolve(pending: _PendingRequest, reply: ServerMessage) -> None:
    if pending.reply.done():
        return
    if reply.error_fields is not None:
        pending.reply.set_exception(RequestError(reply.error_fields))
    else:
        pending.reply.set_result(reply)
