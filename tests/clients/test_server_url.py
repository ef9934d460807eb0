"""The server's address, as users may write it."""

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
def test_one_address_gives_both(given: str, http: str, socket: str) -> None:
    address = ServerURL(given)
    assert (address.http, address.socket) == (http, socket)


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://a.example", "http://", "http:///path"])
def test_what_is_no_address_of_a_server_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        ServerURL(url)


@pytest.mark.parametrize(
    "url", ["http://a.example/?token=secret-7", "http://secret-7:x@a.example", "ws://a/#secret-7"]
)
@pytest.mark.parametrize("kind", [AsyncClient, Client])
def test_a_token_in_the_address_is_an_error_that_does_not_repeat_it(
    kind: type[AsyncClient], url: str
) -> None:
    with pytest.raises(ValueError, match="without a token") as raised:
        kind(url, token="t")
    assert "secret-7" not in str(raised.value)
