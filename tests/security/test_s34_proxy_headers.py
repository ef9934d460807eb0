"""S34 and L7 - the headers of a trusted proxy count, and those of all others are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext
from typing import Any

import httpx
import msgspec
import pytest

from backend_main.backend import proxy_headers
from backend_main.backend.connection_limits import ConnectionLimits
from backend_main.core.auth import origin
from backend_main.core.conf import conf
from backend_main.core.errors import OriginNotAllowed
from tests.support.processes import wait_until
from tests.support.raw_http import RawHttp, fetch
from tests.support.server import Server

PROXY = "127.0.0.1"
# A request counts a little longer than its response takes.
MAX_PER_ADDRESS = 4
CLIENT = "198.51.100.7"
HSTS = b"strict-transport-security: max-age=31536000"


@pytest.fixture(scope="module")
def proxied_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that trusts the proxies 127.0.0.1 and 10.0.0.0/8, with few connections for each address."""
    running = Server(
        tmp_path_factory.mktemp("proxied") / "data",
        TRUSTED_PROXIES=f"{PROXY}, 10.0.0.0/8",
        MAX_CONNECTIONS_PER_ADDRESS=str(MAX_PER_ADDRESS),
        ALLOWED_HOSTS="scans.example.org",
    ).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def token(proxied_server: Server) -> str:
    return proxied_server.token(proxied_server.user())


def logged_address(server: Server, *headers: str, source: str = PROXY) -> str:
    """Return the address of a request in the access log."""
    path = f"/healthz?{len(server.log)}"
    assert fetch(server, path, *headers, source=source).status == 200
    match = re.search(rf'(\S+):\d+ - "GET {re.escape(path)} ', server.log)
    assert match
    return match[1]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (CLIENT, CLIENT),
        (f"203.0.113.1, {CLIENT}", CLIENT),  # the first one may be forged
        (f"203.0.113.1, {CLIENT}, 10.1.2.3", CLIENT),  # the last one is a proxy too
        (f"{CLIENT}:4711", CLIENT),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_s34_trusted_proxy_names_the_client(proxied_server: Server, forwarded: str, address: str) -> None:
    assert logged_address(proxied_server, f"X-Forwarded-For: {forwarded}") == address


def test_s34_forged_header_of_a_client_is_ignored(proxied_server: Server, server: Server) -> None:
    header = f"X-Forwarded-For: {CLIENT}"
    assert logged_address(proxied_server, header, source="127.0.0.2") == "127.0.0.2"
    assert logged_address(server, header) == "127.0.0.1"


def test_s34_forwarded_prefix_counts_from_a_trusted_proxy_only(
    proxied_server: Server, server: Server
) -> None:
    header = "X-Forwarded-Prefix: /scan"
    assert fetch(proxied_server, "/scan/healthz", header).status == 200
    assert fetch(proxied_server, "/scan/healthz", header, source="127.0.0.2").status == 404
    assert fetch(server, "/scan/healthz", header).status == 404


def test_s34_clients_behind_a_proxy_are_limited_by_address(proxied_server: Server, token: str) -> None:
    def status(address: str) -> int | None:
        return fetch(proxied_server, "/healthz", f"X-Forwarded-For: {address}").status

    handshake = (
        f"GET /ws/core/upload/?token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "X-Forwarded-For: 2001:db8:0:1::1\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        for _ in range(MAX_PER_ADDRESS):
            held = stack.enter_context(closing(RawHttp(proxied_server).send(handshake)))
            assert b"101" in held.socket.recv(64)
        assert status("2001:db8:0:1::2") == 429  # one subscriber has a /64
        assert status("2001:db8:0:2::1") == 200
        refused = stack.enter_context(closing(RawHttp(proxied_server).send(handshake)))
        data = b""
        while b"Too many connections from your address." not in data:  # in the close frame
            data += refused.socket.recv(65536)
    wait_until(lambda: status("2001:db8:0:1::2") == 200, "the closed socket counts no more")


# ── L7: HTTPS ──


def test_l7_response_over_https_has_hsts(proxied_server: Server, server: Server) -> None:
    https = "X-Forwarded-Proto: https"
    assert HSTS in fetch(proxied_server, "/healthz", https).data
    assert HSTS in fetch(proxied_server, "/nothing", https).data
    assert HSTS not in fetch(proxied_server, "/healthz", "X-Forwarded-Proto: http").data
    assert HSTS not in fetch(proxied_server, "/healthz", https, source="127.0.0.2").data
    assert HSTS not in fetch(server, "/healthz", https).data


def sign_in_status(server: Server, page: str, **headers: str) -> int:
    """Try a sign-in that sets a cookie, which checks the origin first."""
    response = httpx.post(
        f"{server.http}/api/token/",
        json={"username": "nobody", "password": "wrong", "cookie": True},
        headers={"Host": "scans.example.org", "Origin": page} | headers,
        timeout=30,
    )
    return response.status_code


def test_l7_own_http_origin_behind_tls_is_foreign(proxied_server: Server) -> None:
    proto = {"X-Forwarded-Proto": "https"}
    assert sign_in_status(proxied_server, "http://scans.example.org", **proto) == 403
    assert sign_in_status(proxied_server, "https://scans.example.org", **proto) == 401


@pytest.mark.parametrize(
    ("allowed", "host", "is_allowed"),
    [
        ("https://localhost", "localhost", False),
        ("https://localhost:8443", "localhost:8443", False),
        ("https://localhost:5173", "localhost:8000", True),  # another server of the same machine
        ("https://app.example", "localhost", True),
    ],
)
def test_l7_own_http_origin_is_foreign_if_its_https_origin_is_allowed(
    monkeypatch: pytest.MonkeyPatch, allowed: str, host: str, is_allowed: bool
) -> None:
    monkeypatch.setattr(origin, "conf", msgspec.structs.replace(conf, allowed_origins=[allowed]))
    headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode())]
    with nullcontext() if is_allowed else pytest.raises(OriginNotAllowed):
        origin.check_origin({"headers": headers, "scheme": "http"})


async def test_l7_https_only_sets_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_headers, "conf", msgspec.structs.replace(conf, https_only=True))
    schemes = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        schemes.append(scope["scheme"])

    wrapped = proxy_headers.proxy_headers_middleware(
        application, ConnectionLimits(descriptors=1024, max_per_address=0)
    )
    for kind in ("http", "websocket"):
        await wrapped({"type": kind, "scheme": "x", "headers": []}, None, None)
    assert schemes == ["https", "wss"]
