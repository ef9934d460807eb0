"""Subclasses of uvicorn's protocols that limit connections and the heads of requests.

They run before ASGI, Django and Channels. A client gets here without a token. The head of a request therefore
has a limited time and size, and each address a limited number of connections.

They rely on private members, so pyproject.toml pins uvicorn below the next minor version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from backend_main.core.conf import conf
from backend_main.core.errors import ScanrillError
from backend_main.core.http.client_address import address_key
from backend_main.core.http.http_errors import HeadTimeout, HeadTooLarge, MalformedRequest
from backend_main.core.http.problems import MEDIA_TYPE, encode_problem
from backend_main.core.http.request_body import MIN_BODY_BYTES_PER_SECOND
from backend_main.core.live.server_connection import ABORT, ON_SHUTDOWN

from .connection_limits import Admission, ConnectionLimits
from .proxy_headers import is_trusted_proxy
from .websocket_protocol import FastPathWSProtocol

# A token in the query or a header has up to 8 KiB with most servers and proxies.
MAX_HEAD_BYTES = 16 * 1024
MALFORMED_HEAD = "The request is not valid HTTP/1.1."
LARGE_HEAD = f"The head of the request exceeds {MAX_HEAD_BYTES} bytes."
SLOW_HEAD = "The head of the request did not arrive in time."
# Headers of a handshake that wsproto decodes.
DECODED_HEADERS = {b"connection", b"host", b"sec-websocket-extensions", b"sec-websocket-protocol"}
# Interval of the check that the client reads the response.
RESPONSE_CHECK_INTERVAL_SECONDS = 30.0


class BoundedConnection(h11.Connection):
    """h11's connection with a limit on each head, and CR LF as the only end of a line.

    h11 checks its limit between packets only, and accepts a bare LF, which proxies may not.
    """

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            received, _is_closed = self.trailing_data
            end = received.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
            head = received if end < 0 else received[:end]
            if head.count(b"\n") != head.count(b"\r\n"):
                raise h11.RemoteProtocolError(MALFORMED_HEAD)
            if len(head) >= MAX_HEAD_BYTES:
                raise h11.RemoteProtocolError(LARGE_HEAD, error_status_hint=431)
        return super().next_event()


class LimitedWSProtocol(FastPathWSProtocol):
    """WebSocket protocol whose connection counts until it is lost."""

    admission: Admission

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.admission.release()


class LimitedHTTPProtocol(H11Protocol):
    """HTTP/1.1 protocol with limits on the connection, its heads, and the time for reading a response."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = BoundedConnection(h11.SERVER, MAX_HEAD_BYTES)
        self.app_state = self.app_state | {ABORT: self.evict}
        self._limits = limits
        self._admission: Admission | None = None
        self._received_bytes = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._response_timer: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0

    # ── connection ──

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        address = None if is_trusted_proxy(host) else address_key(host)
        try:
            self._admission = self._limits.admit(address, transport.get_extra_info("socket").fileno())
        except ScanrillError as error:
            self._refuse(error)
            return
        self._watch_head(is_partial=True)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._watch_head(is_partial=False)
        self._stop_response_timer()
        if self._admission is not None:
            self._admission.release()

    def shutdown(self) -> None:
        super().shutdown()
        scope: Mapping[str, Any] | None = self.scope  # uvicorn's type has no None
        on_shutdown = None if scope is None else scope["state"].pop(ON_SHUTDOWN, None)
        if on_shutdown is not None:
            on_shutdown()

    # ── head ──

    def data_received(self, data: bytes) -> None:
        self._received_bytes = True
        super().data_received(data)
        self._watch_head(is_partial=self.conn.their_state is h11.IDLE and not self.transport.is_closing())

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        if not all(value.isascii() for name, value in event.headers if name.lower() in DECODED_HEADERS):
            self._refuse(MalformedRequest(MALFORMED_HEAD))
            return
        super().handle_websocket_upgrade(event)
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, LimitedWSProtocol)
        assert self._admission is not None
        protocol.admission = self._admission

    def send_400_response(self, msg: str) -> None:
        """Refuse a head or a chunk that h11 has rejected."""
        received, _is_closed = self.conn.trailing_data
        if len(received) >= MAX_HEAD_BYTES:
            self._refuse(HeadTooLarge(LARGE_HEAD))
        else:
            self._refuse(MalformedRequest(MALFORMED_HEAD))

    def evict(self) -> None:
        """Close the connection at once: another one needs its descriptor, or the client does not read."""
        self.transport.abort()

    def _watch_head(self, *, is_partial: bool) -> None:
        """Run the timer of the head while a request is incomplete; its bytes do not extend it."""
        if is_partial and self._head_timer is None:
            self._limits.half_open[self] = None
            self._head_timer = self.loop.call_later(conf.request_head_seconds, self._on_head_timeout)
        elif not is_partial and self._head_timer is not None:
            self._limits.half_open.pop(self, None)
            self._head_timer.cancel()
            self._head_timer = None

    def _on_head_timeout(self) -> None:
        self._watch_head(is_partial=False)
        if self._received_bytes:
            self._refuse(HeadTimeout(SLOW_HEAD))
        elif not self.transport.is_closing():
            # A browser opens connections in advance, and would show the response to the next request.
            self.transport.close()

    def _refuse(self, error: ScanrillError) -> None:
        """Close the connection, with a response unless another one has begun."""
        self._limits.refusals.add(" ".join(error.fields.values()))
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type has no None
        is_in_response = cycle is not None and cycle.response_started and not cycle.response_complete
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        if not (is_in_response or self.transport.is_closing()):
            self.transport.write(_encode_response(error))
        self.transport.close()

    # ── response ──

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent_bytes = self.transport.get_write_buffer_size()
        self._response_timer = self.loop.call_later(RESPONSE_CHECK_INTERVAL_SECONDS, self._check_response)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_response_timer()

    def _check_response(self) -> None:
        """Abort the connection of a client that reads more slowly than a body must arrive."""
        unsent_bytes = self.transport.get_write_buffer_size()
        sent_bytes = self._unsent_bytes - unsent_bytes
        if sent_bytes < MIN_BODY_BYTES_PER_SECOND * RESPONSE_CHECK_INTERVAL_SECONDS:
            self._limits.refusals.add("The client does not read the response.")
            self.transport.abort()
            return
        self._unsent_bytes = unsent_bytes
        self._response_timer = self.loop.call_later(RESPONSE_CHECK_INTERVAL_SECONDS, self._check_response)

    def _stop_response_timer(self) -> None:
        if self._response_timer is not None:
            self._response_timer.cancel()
            self._response_timer = None


def _encode_response(error: ScanrillError) -> bytes:
    body = encode_problem(error)
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name.lower()}: {value}\r\n" for name, value in (headers | error.headers).items()]
    status_line = f"HTTP/1.1 {error.http_status} {HTTPStatus(error.http_status).phrase}\r\n"
    return f"{status_line}{''.join(lines)}\r\n".encode("ascii") + body
