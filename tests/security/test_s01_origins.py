"""S01 - a page of another site opens a socket: an Origin must equal the server's own or an allowed one."""

from __future__ import annotations

import msgspec
import pytest

from backend_main.core import checks
from backend_main.core.auth import origin as origins
from backend_main.core.auth.origin import check_origin
from backend_main.core.conf import conf
from backend_main.core.errors import OriginNotAllowed
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

ALLOWED_ORIGINS = ["https://app.example", "http://dev.example:3000", "https://[2001:db8::1]:8443"]
ALLOWED_ORIGINS += ["capacitor://localhost", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"]


def check_headers(origin: str | bytes | None, *, host: str = "localhost:8000", scheme: str = "ws") -> None:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin if isinstance(origin, bytes) else origin.encode()))
    check_origin({"headers": headers, "scheme": scheme})


@pytest.fixture(autouse=True)
def allowed_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "conf", msgspec.structs.replace(conf, allowed_origins=ALLOWED_ORIGINS))


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "https://app.example",
        "https://app.example:443",
        "HTTPS://App.Example",
        "http://dev.example:3000",
        "https://[2001:db8::1]:8443",
        "http://localhost:8000",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    ],
)
def test_s01_origin_allowed_or_absent_does_not_raise(origin: str | None) -> None:
    check_headers(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://app.example",
        "https://app.example:444",
        "https://app.example:80",
        "http://dev.example",
        "http://dev.example:3001",
        "https://dev.example:3000",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://evil.example/https://app.example",
        "https://app.example@evil.example",
        "https://evil@app.example",
        "https://:@app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?",
        "https://app.example?a",
        "https://app.example#",
        "https://app.example#a",
        "https://app.example.",
        "https://sub.app.example",
        "ws://app.example",
        "wss://app.example",
        "file://",
        "chrome-extension://app.example",
        "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba",
        "moz-extension://abcdefghijklmnopabcdefghijklmnop",
        "capacitor://localhost:8000",
        "capacitor://",
        "ionic://localhost",
        "null",
        "",
        " ",
        "http://[",
        "http://]",
        "http://[::1",
        "http://[2001:db8::1%25eth0]",
        "https://app.example:x",
        "https://app.example:99999",
        "https://app.example:-443",
        "https://app.example:4 43",
        "https://app.example, https://evil.example",
        "https://app.example https://evil.example",
        "https://аpp.example",  # a Cyrillic letter
        "https://app。example",
        "https://app.example\\.evil.example",
        "https://app.example\tx",
        b"https://\xff.example",
        "//app.example",
        "app.example",
        "javascript:alert(1)",
        "http://localhost",
        "https://localhost:8000",
        "http://localhost:8001",
        "http://localhost.evil.example:8000",
        "http://127.0.0.1:8000",
    ],
)
def test_s01_origin_not_allowed_or_malformed_is_rejected(origin: str | bytes) -> None:
    with pytest.raises(OriginNotAllowed):
        check_headers(origin)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "[", "localhost:x", "a b", "\xff"])
def test_s01_origin_equal_to_a_forged_host_is_rejected(host: str) -> None:
    """DNS rebinding: both headers hold the name of the attacker's page."""
    with pytest.raises(OriginNotAllowed):
        check_headers(f"http://{host}", host=host)


def test_s01_origin_of_the_server_must_have_its_scheme() -> None:
    secure, plain = ("wss", "https"), ("ws", "http")
    for scheme in secure:
        check_headers("https://localhost", host="localhost", scheme=scheme)
    for scheme in plain:
        check_headers("http://localhost", host="localhost", scheme=scheme)
    check_headers("http://[::1]:8000", host="[::1]:8000")
    wrong_scheme = [("http://localhost", scheme) for scheme in secure]
    for origin, scheme in [*wrong_scheme, *(("https://localhost", scheme) for scheme in plain)]:
        with pytest.raises(OriginNotAllowed):
            check_headers(origin, host="localhost", scheme=scheme)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://["])
async def test_s01_origin_rejected_closes_the_socket_with_4403(
    server: Server, origin: str, a_token: str
) -> None:
    async with WebSocketClient(server.url(token=a_token), additional_headers={"Origin": origin}) as client:
        assert await client.close_code() == 4403
    assert server.unexpected_tracebacks == []


@pytest.mark.parametrize("origin", ["https://app.example/", "app.example", "null", "http://["])
def test_s01_setting_with_invalid_origin_is_a_system_check_error(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        checks, "conf", msgspec.structs.replace(conf, allowed_origins=[*ALLOWED_ORIGINS, origin])
    )
    assert [problem.id for problem in checks.check_allowed_origins()] == ["core.E003"]
