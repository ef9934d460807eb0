"""H1 and S32 - connections without a request have a limited time and number, and others are served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.raw_http import RawHttp, fetch
from tests.support.raw_websocket import RawWebSocket
from tests.support.server import SCANRILL, Server

DESCRIPTORS = 256
MAX_PER_ADDRESS = 5
HALF_REQUESTS = {
    "no byte": b"",
    "half a request line": b"GET /heal",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
    "half a handshake": b"GET /ws/core/upload/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
}
LOG_LINE = "Refused or closed connections"


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits one second for the head of a request."""
    running = Server(tmp_path_factory.mktemp("impatient") / "data", REQUEST_HEAD_SECONDS="1").start()
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize("data", [data for data in HALF_REQUESTS.values() if data], ids=ascii)
def test_s32_head_that_never_ends_is_closed_with_408(impatient_server: Server, data: bytes) -> None:
    response = RawHttp(impatient_server).send(data).response()
    assert (response.status, response.sentence) == (408, "The head of the request did not arrive in time.")


def test_s32_connection_without_a_byte_is_closed_without_a_response(impatient_server: Server) -> None:
    assert RawHttp(impatient_server).response().status is None


def test_s32_second_head_of_a_connection_has_the_same_time(impatient_server: Server) -> None:
    connection = RawHttp(impatient_server).send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    while not connection.socket.recv(65536).endswith(b"}"):
        pass
    assert b"408" in connection.send(b"GET /").response().data


def test_s32_500_half_open_connections_leave_one_log_line(impatient_server: Server) -> None:
    log_before = impatient_server.log
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(RawHttp(impatient_server))) for _ in range(500)]
        for number, connection in enumerate(connections):
            connection.send([*HALF_REQUESTS.values()][number % len(HALF_REQUESTS)])
        assert fetch(impatient_server).status == 200
        for connection in connections:
            connection.response()
    assert impatient_server.log.removeprefix(log_before).count(LOG_LINE) <= 1
    assert LOG_LINE in impatient_server.log


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with few descriptors and few connections for an address, which waits long for a head."""
    server = Server(
        tmp_path_factory.mktemp("small") / "data",
        MAX_CONNECTIONS_PER_ADDRESS=str(MAX_PER_ADDRESS),
        REQUEST_HEAD_SECONDS="600",
    )
    server.program = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", *SCANRILL]
    yield server.start()
    assert server.stop() == 0


@pytest.fixture(scope="module")
def small_server_token(small_server: Server) -> str:
    return small_server.token(small_server.user())


def test_h1_connections_of_one_address_are_limited(small_server: Server) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(closing(RawHttp(small_server))) for _ in range(MAX_PER_ADDRESS)]
        refused = RawHttp(small_server).response()
        assert refused.status == 429
        assert refused.sentence == "Too many connections from your address. Close some, then try again."
        assert fetch(small_server, source="127.0.0.2").status == 200
        held[0].close()
        wait_until(lambda: fetch(small_server).status == 200, "a closed connection counts no more")


def test_h1_websockets_count_until_they_are_closed(small_server: Server, small_server_token: str) -> None:
    url = small_server.url(token=small_server_token)
    with ExitStack() as stack:
        wait_until(lambda: fetch(small_server).status == 200, "the connections of other tests are closed")
        sockets = [stack.enter_context(closing(RawWebSocket(url))) for _ in range(MAX_PER_ADDRESS)]
        assert RawHttp(small_server).response().status == 429
        sockets[0].close()
        wait_until(lambda: fetch(small_server).status == 200, "a closed socket counts no more")


def test_h1_oldest_half_open_connection_yields_the_last_descriptors(
    small_server: Server, small_server_token: str
) -> None:
    client = HttpClient(small_server, small_server_token)
    with ExitStack() as stack:
        stack.enter_context(client.http)
        for number in range(2 * DESCRIPTORS):
            source = f"127.0.1.{1 + number // MAX_PER_ADDRESS}"
            connection = stack.enter_context(closing(RawHttp(small_server, source=source)))
            connection.send([*HALF_REQUESTS.values()][number % len(HALF_REQUESTS)])
            if number % 16 == 0:  # the kernel queues only some connections that the server has not accepted
                assert fetch(small_server).status == 200
        assert client.post(scripted_png(lines=["one page"])).status_code == 201
    assert small_server.log.count(LOG_LINE) <= 2  # hundreds of connections, and a line a minute
