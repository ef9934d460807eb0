"""HTTP protocol with limits: a response that the client does not read, and a head in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import h11
import pytest
import uvicorn
from uvicorn.server import ServerState

from backend_main.backend.connection_limits import ConnectionLimits
from backend_main.backend.http_protocol import (
    MAX_HEAD_BYTES,
    RESPONSE_CHECK_INTERVAL_SECONDS,
    BoundedConnection,
    LimitedHTTPProtocol,
)
from backend_main.core.http.request_body import MIN_BODY_BYTES_PER_SECOND

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
FLOOR = int(MIN_BODY_BYTES_PER_SECOND * RESPONSE_CHECK_INTERVAL_SECONDS)


class Transport(asyncio.Transport):
    """A transport whose buffer has `unsent_bytes`."""

    unsent_bytes = 0
    is_aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def fileno(self) -> int:
        return 5

    def getpeername(self) -> tuple[str, int]:
        return "192.0.2.1", 1

    getsockname = getpeername

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def abort(self) -> None:
        self.is_aborted = True


class Timers:
    """Stands in for `call_later`: the test fires the newest timer."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def call_later(self, _seconds: float, callback: Callable[[], None]) -> Timers:
        self.callbacks.append(callback)
        return self

    def cancel(self) -> None:
        self.callbacks.pop()


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    timers = Timers()
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", timers.call_later)
    return timers


@pytest.fixture
async def protocol(timers: Timers) -> AsyncIterator[LimitedHTTPProtocol]:
    """A protocol whose client has sent a request, so only timers of the response remain."""
    end = asyncio.Event()

    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        await end.wait()

    protocol = LimitedHTTPProtocol(
        uvicorn.Config(application, log_config=None),
        ServerState(),
        {},
        limits=ConnectionLimits(descriptors=1024, max_per_address=0),
    )
    protocol.connection_made(Transport())
    protocol.data_received(HEAD)
    assert not timers.callbacks
    yield protocol
    protocol.cycle.disconnected = True
    end.set()
    await asyncio.gather(*protocol.tasks)


def unread(protocol: LimitedHTTPProtocol, unsent_bytes: int) -> Transport:
    transport = protocol.transport
    assert isinstance(transport, Transport)
    transport.unsent_bytes = unsent_bytes
    return transport


async def test_response_that_is_not_read_aborts_the_connection(
    protocol: LimitedHTTPProtocol, timers: Timers
) -> None:
    transport = unread(protocol, 10 * FLOOR)
    protocol.pause_writing()
    unread(protocol, 9 * FLOOR)
    timers.callbacks.pop()()
    assert not transport.is_aborted
    unread(protocol, 8 * FLOOR + 1)
    timers.callbacks.pop()()
    assert transport.is_aborted


async def test_response_that_is_read_has_no_timer(protocol: LimitedHTTPProtocol, timers: Timers) -> None:
    protocol.pause_writing()
    protocol.resume_writing()
    assert not timers.callbacks


def next_event(*pieces: bytes) -> Any:
    connection = BoundedConnection(h11.SERVER, MAX_HEAD_BYTES)
    event: Any = None
    for piece in pieces:
        connection.receive_data(piece)
        event = connection.next_event()
    return event


def test_bounded_connection_head_in_any_pieces_is_a_request() -> None:
    for cut in range(1, len(HEAD)):
        assert isinstance(next_event(HEAD[:cut], HEAD[cut:]), h11.Request)


def test_bounded_connection_largest_head_is_a_request() -> None:
    padding = b"a" * (MAX_HEAD_BYTES - len(HEAD) - len(b"X: \r\n"))
    assert isinstance(next_event(HEAD[:-2] + b"X: " + padding + b"\r\n\r\n"), h11.Request)


@pytest.mark.parametrize("ending", [b"\r\n\r\n", b""])
def test_bounded_connection_larger_head_is_refused(ending: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError) as caught:
        next_event(HEAD[:-2] + b"X: " + b"a" * MAX_HEAD_BYTES + ending)
    assert caught.value.error_status_hint == 431


@pytest.mark.parametrize("head", [HEAD.replace(b"\r\n", b"\n"), b"GET / HTTP/1.1\nHost: a\r\n\r\n"])
def test_bounded_connection_bare_line_feed_is_refused(head: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        next_event(head)
