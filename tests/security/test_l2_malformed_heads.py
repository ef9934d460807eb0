"""L2 and L8 - a malformed head gets 400 or 431, and neither a traceback nor a log line of its own."""

from __future__ import annotations

import pytest

from tests.support.raw_http import RawHttp, fetch, request
from tests.support.server import Server

HANDSHAKE = (
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


@pytest.mark.parametrize(
    "header",
    [
        "Sec-WebSocket-Extensions: \xff",
        "Sec-WebSocket-Protocol: \xff",
        "Connection: \xff, Upgrade",
        "Connection: Upgrade\r\nHost: \xff",
        "Connection: Upgrade\r\nHost: xn--\xe9",
    ],
    ids=ascii,
)
def test_l2_non_ascii_byte_in_a_handshake_is_refused(server: Server, header: str) -> None:
    lines = ["GET /ws/core/upload/ HTTP/1.1", *HANDSHAKE, header]
    if "Connection" not in header:
        lines.append("Connection: Upgrade")
    if "Host" not in header:
        lines.append("Host: 127.0.0.1")
    response = RawHttp(server).send("\r\n".join([*lines, "", ""]).encode("latin-1")).response()
    assert (response.status, response.sentence) == (400, "The request is not valid HTTP/1.1.")
    assert "Fatal error" not in server.log
    assert not server.unexpected_tracebacks


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\nX-A: b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\n",
    ],
)
def test_l8_bare_line_feed_is_refused(server: Server, head: bytes) -> None:
    assert RawHttp(server).send(head).response().status == 400


def test_l8_bare_line_feed_in_a_pipelined_head_is_refused(server: Server) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    response = RawHttp(server).send(first + b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n").response()
    assert response.status == 200
    assert b"HTTP/1.1 400" in response.data


@pytest.mark.parametrize("head", [b"GET /" + b"a" * 70_000, b"GET / HTTP/1.1\r\nX-A: " + b"a" * 70_000])
def test_c1_large_head_is_refused_with_431(server: Server, head: bytes) -> None:
    response = RawHttp(server).send(head + b"\r\nHost: 127.0.0.1\r\n\r\n").response()
    assert response.status in (431, None)  # None: the kernel dropped the response, because bytes were unread


def test_c1_head_of_58_kib_is_not_logged(server: Server) -> None:
    RawHttp(server).send(request("GET", "/?" + "eyJ" * 19_000)).response()
    assert "eyJeyJ" not in server.log


def test_l2_malformed_chunk_during_a_request_has_no_traceback(server: Server) -> None:
    head = request("POST", "/api/token/", "Transfer-Encoding: chunked")
    assert RawHttp(server).send(head + b"not a number\r\n").response().status == 400
    assert not server.unexpected_tracebacks


def test_c1_refused_query_has_no_traceback(server: Server) -> None:
    response = fetch(server, "/api/me/?" + "a=&" * 4000)
    assert response.status in (400, 401)
    assert "TooManyFieldsSent" not in server.log
    assert not server.unexpected_tracebacks
