"""The WebSocket that comes back: connects, subscribes, pairs replies with requests, goes on after a cut."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from .backoff import INITIAL_SECONDS, MAX_SECONDS, Backoff
from .errors import (
    ConnectionLost,
    ConnectionRejected,
    RequestError,
    ServerUnreachable,
    Unauthenticated,
    UnexpectedResponse,
)
from .event_sync import EventSynchronizer
from .events import Event
from .messages import Json, ServerMessage, decode
from .tokens import TokenManager
from .websocket import MonitoredConnection, open_websocket

BAD_TOKEN, TOO_MANY, CUT = 4401, 4429, 1006
FINAL = (4403, 4404)
# Asking twice changes nothing: sent again after a cut.
IDEMPOTENT_REQUESTS = ("list", "retrieve", "ping", "resync")


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long the client waits for what, in seconds.

    idle       without a byte of the server, before it is asked whether it is there
    ping        for its answer, before the connection is given up and opened anew
    initial_backoff, max_backoff   between attempts to connect, see `Backoff`
    rate_limit_delay      when the server says that there were too many connections or messages
    reconnect          the server may be away once it was there, before `ServerUnreachable`; None is for ever
    request       for each step of an HTTP request
    """

    idle: float = 25.0
    ping: float = 10.0
    initial_backoff: float = INITIAL_SECONDS
    max_backoff: float = MAX_SECONDS
    rate_limit_delay: float = 10.0
    reconnect: float | None = None
    request: float = 60.0


@dataclass(eq=False)
class _Pending:
    message: Json
    reply: asyncio.Future[ServerMessage] = field(default_factory=lambda: _future())
    sent: bool = False

    @property
    def kind(self) -> str:
        return str(self.message["type"])


class ReconnectingConnection:
    """`tell` gets each event, `ended` the error after which nothing more is tried until `ready` is called."""

    def __init__(
        self,
        url: str,
        session: TokenManager,
        follower: EventSynchronizer,
        *,
        tell: Callable[[Event], None],
        ended: Callable[[Exception], None],
        timeouts: Timeouts,
    ) -> None:
        self._url, self._session, self._follower, self._timeouts = url, session, follower, timeouts
        self._tell, self._ended = tell, ended
        self._backoff = Backoff(timeouts.initial_backoff, timeouts.max_backoff)
        self._task: asyncio.Task[None] | None = None
        self._websocket: MonitoredConnection | None = None
        # Set when the connection is open, or will not be.
        self._settled = asyncio.Event()
        self._error: Exception | None = None
        self._rejected: str | None = None
        self._there_at: float | None = None
        self._pending: dict[str, _Pending] = {}
        self._refs = map(str, itertools.count(1))
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        return self._settled.is_set() and self._error is None

    async def ready(self) -> None:
        """Returns when the server has acknowledged. Raises what ended the last attempt for good."""
        if self._task is None or self._task.done():
            self._settled.clear()
            self._error = self._there_at = None
            self._task = asyncio.create_task(self._run(), name="scanrill connection")
        await self._settled.wait()
        if self._error is not None:
            raise self._error

    async def request(self, message: Json) -> ServerMessage:
        """The reply; after a cut, that of the next connection, or `ConnectionLost` where it was a change."""
        await self.ready()
        ref = next(self._refs)
        pending = self._pending[ref] = _Pending(message | {"ref": ref})
        try:
            # It may have been cut again already: then the next one sends what was not sent.
            if self.is_open:
                self._send(pending)
            return await pending.reply
        finally:
            del self._pending[ref]

    def request_snapshot(self) -> None:
        """A `Snapshot` is told, and after it all that happens from now on."""
        self._follower.request_snapshot()
        self._send_outgoing()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail_pending(ConnectionLost("The client was closed."))

    # ── connecting ──

    async def _run(self) -> None:
        try:
            while True:
                wait_seconds = await self._attempt()
                await asyncio.sleep(wait_seconds)
        except Exception as error:
            self._error, self._rejected = error, None
            self._settled.set()
            self._fail_pending(error)
            self._ended(error)

    async def _attempt(self) -> float:
        """One connection, from its beginning to its end; gives the seconds to wait before the next."""
        try:
            token = await self._session.token(rejected=self._rejected)
            wire = await open_websocket(self._url, token)
        except (ServerUnreachable, OSError, TimeoutError, EOFError) as error:
            return self._wait_for_server(error)
        except InvalidStatus as error:
            status = error.response.status_code
            if status >= 500:
                return self._wait_for_server(error)
            if status >= 400:
                raise ConnectionRejected(status, f"The server answered with status {status}.") from None
            raise UnexpectedResponse("What answers is no scanrill server.") from None
        except InvalidHandshake as error:
            raise UnexpectedResponse("What answers speaks no WebSocket.") from error
        code, reason = await self._hold(wire)
        return self._after(code, reason, token)

    def _wait_for_server(self, error: Exception) -> float:
        """One that never was there is no server to wait for: the address may be wrong."""
        away, there_at = self._timeouts.reconnect, self._there_at
        now = asyncio.get_running_loop().time()
        if there_at is None or (away is not None and now - there_at > away):
            raise ServerUnreachable from error
        return self._backoff.next_seconds()

    def _after(self, code: int, reason: str, token: str) -> float:
        if code in FINAL:
            raise ConnectionRejected(code, reason)
        if code == BAD_TOKEN:
            if self._rejected is not None:
                raise Unauthenticated(reason or "The server does not take the token.")
            self._rejected = token
            return 0.0
        return max(self._backoff.next_seconds(), self._timeouts.rate_limit_delay if code == TOO_MANY else 0.0)

    # ── one connection ──

    async def _hold(self, wire: MonitoredConnection) -> tuple[int, str]:
        """Until it ends; gives the code and the reason."""
        self._websocket = wire
        timeouts = self._timeouts
        watching = asyncio.create_task(wire.watch(timeouts.idle, timeouts.ping, self._is_busy))
        try:
            await wire.tell(self._follower.subscribe_request())
            while True:
                self._take(decode(await wire.recv(decode=False)))
        except (ConnectionClosed, ConnectionLost):
            pass
        finally:
            watching.cancel()
            await self._let_go(wire)
        return wire.close_code or CUT, wire.close_reason or ""

    async def _let_go(self, wire: MonitoredConnection) -> None:
        self._websocket = None
        if self._settled.is_set():
            self._settled.clear()
            self._there_at = asyncio.get_running_loop().time()
        for pending in self._pending.values():
            if pending.kind in IDEMPOTENT_REQUESTS:
                pending.sent = False
            elif pending.sent and not pending.reply.done():
                pending.reply.set_exception(ConnectionLost())
        await wire.close()

    def _take(self, message: ServerMessage) -> None:
        if message.type == "subscribed" and message.refusal is not None:
            raise RequestError(message.refusal)
        for event in self._follower.take(message):
            self._tell(event)
        self._send_outgoing()
        if message.is_acknowledgement:
            self._subscribed()
        elif message.ref is not None and (pending := self._pending.get(message.ref)):
            _settle(pending, message)

    def _subscribed(self) -> None:
        self._backoff.reset()
        self._rejected = None
        self._settled.set()
        for pending in self._pending.values():
            if not pending.sent:
                self._send(pending)

    # ── sending ──

    def _send(self, pending: _Pending) -> None:
        pending.sent = True
        self._post(pending.message)

    def _send_outgoing(self) -> None:
        for request in self._follower.pending_requests():
            self._post(request)

    def _post(self, message: Json) -> None:
        """In a task: who hears what comes must not wait until something is sent, or both sides would."""
        if self._websocket is not None:
            task = asyncio.create_task(_tell(self._websocket, message))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _is_busy(self) -> bool:
        return any(pending.kind == "create" for pending in self._pending.values())

    def _fail_pending(self, error: Exception) -> None:
        for pending in self._pending.values():
            if not pending.reply.done():
                pending.reply.set_exception(error)


async def _tell(wire: MonitoredConnection, message: Json) -> None:
    with suppress(ConnectionClosed):  # who reads from it learns of that too
        await wire.tell(message)


def _future() -> asyncio.Future[ServerMessage]:
    return asyncio.get_running_loop().create_future()


def _settle(pending: _Pending, reply: ServerMessage) -> None:
    if pending.reply.done():
        return
    if reply.refusal is not None:
        pending.reply.set_exception(RequestError(reply.refusal))
    else:
        pending.reply.set_result(reply)
