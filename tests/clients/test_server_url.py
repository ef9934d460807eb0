"""Server URLs in the forms that users write."""

from __future__ import annotations

import pytest
from scanrill_client import AsyncClient, Client
from scanrill_client.server_url import ServerURL


@pytest.mark.parametrize(
    ("given", "http", "socket"),
    [
        ("http://localhost:8000", "http://localhost:8000", "ws://localhost:8000/ws/core/upload/"),
        ("https://scans.example/", "https://scans.example", "wss://scans.example/ws/core/upload/"),
        ("wss://scans.example", "https://scans.example", "wss://scans.example/ws/core/upload/"),
        ("ws://[::1]:8000/ws/core/upload/", "http://[::1]:8000", "ws://[::1]:8000/ws/core/upload/"),
        ("https://a.example/scan/", "https://a.example/scan", "wss://a.example/scan/ws/core/upload/"),
    ],
)
def test_server_url_gives_http_and_socket_urls(given: str, http: str, socket: str) -> None:
    server_url = ServerURL(given)
    assert (server_url.http, server_url.socket) == (http, socket)


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://a.example", "http://", "http:///path"])
def test_server_url_invalid_raises_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="Invalid server URL"):
        ServerURL(url)


@pytest.mark.parametrize(
    "url", ["http://a.example/?token=secret-7", "http://secret-7:x@a.example", "ws://a/#secret-7"]
)
@pytest.mark.parametrize("kind", [AsyncClient, Client])
def test_server_url_with_a_token_raises_without_quoting_it(kind: type[AsyncClient], url: str) -> None:
    with pytest.raises(ValueError, match="Pass a token as") as raised:
        kind(url, token="t")
    assert "secret-7" not in str(raised.value)
