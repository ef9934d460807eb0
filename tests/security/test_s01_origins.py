"""S01 — another site opens the socket: the Origin, when there is one, must be ours to the letter."""

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

ALLOWED = ["https://app.example", "http://dev.example:3000", "https://[2001:db8::1]:8443"]


def check(origin: str | bytes | None, *, host: str = "localhost:8000", scheme: str = "ws") -> None:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin if isinstance(origin, bytes) else origin.encode()))
    check_origin({"headers": headers, "scheme": scheme})


@pytest.fixture(autouse=True)
def allowed_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "conf", msgspec.structs.replace(conf, allowed_origins=ALLOWED))


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
    ],
)
def test_s01_an_allowed_origin_or_none_may_connect(origin: str | None) -> None:
    check(origin)


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
def test_s01_every_other_origin_is_refused(origin: str | bytes) -> None:
    with pytest.raises(OriginNotAllowed):
        check(origin)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "[", "localhost:x", "a b", "\xff"])
def test_s01_a_forged_host_makes_no_origin_its_own(host: str) -> None:
    """DNS rebinding: the page's own name stands in both headers."""
    with pytest.raises(OriginNotAllowed):
        check(f"http://{host}", host=host)


def test_s01_the_own_origin_goes_by_the_server_s_scheme() -> None:
    secure, plain = ("wss", "https"), ("ws", "http")
    for scheme in secure:
        check("https://localhost", host="localhost", scheme=scheme)
    for scheme in plain:
        check("http://localhost", host="localhost", scheme=scheme)
    check("http://[::1]:8000", host="[::1]:8000")
    crossed = [("http://localhost", scheme) for scheme in secure]
    for origin, scheme in [*crossed, *(("https://localhost", scheme) for scheme in plain)]:
        with pytest.raises(OriginNotAllowed):
            check(origin, host="localhost", scheme=scheme)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://["])
async def test_s01_a_refused_origin_is_told_by_its_close_code(
    server: Server, origin: str, a_token: str
) -> None:
    async with WebSocketClient(server.url(token=a_token), additional_headers={"Origin": origin}) as client:
        assert await client.close_code() == 4403
    assert server.unexpected_tracebacks == []


@pytest.mark.parametrize("origin", ["https://app.example/", "app.example", "null", "http://["])
def test_s01_an_allowed_origin_that_is_none_stops_the_start(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, allowed_origins=[*ALLOWED, origin]))
    assert [problem.id for problem in checks.allowed_origins()] == ["core.E003"]
