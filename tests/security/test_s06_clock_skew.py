"""S06 - clocks of two machines differ: times of a token may be wrong by the leeway (M1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backend_main.core.conf import conf
from tests.support.accounts import Account
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

LEEWAY = conf.jwt_leeway_seconds
MARGIN = 10


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.create(server)


def status(ada: Account, token: str) -> int:
    return httpx.get(f"{ada.server.http}/api/me/", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(
    ("seconds_ahead", "expected"), [(2, 200), (LEEWAY - MARGIN, 200), (LEEWAY + MARGIN, 401)]
)
def test_s06_token_of_a_clock_that_is_ahead(
    ada: Account, claim: str, seconds_ahead: int, expected: int
) -> None:
    claims: dict[str, Any] = {claim: time.time() + seconds_ahead}
    assert status(ada, ada.mint(**claims)) == expected


@pytest.mark.parametrize(("seconds_ago", "expected"), [(LEEWAY - MARGIN, 200), (LEEWAY + MARGIN, 401)])
def test_s06_token_of_a_clock_that_is_behind(ada: Account, seconds_ago: int, expected: int) -> None:
    assert status(ada, ada.mint(seconds=-seconds_ago)) == expected


async def test_s06_socket_of_a_token_within_the_leeway_stays_open(ada: Account) -> None:
    token = ada.mint(seconds=-1, iat=time.time() + 5)
    async with WebSocketClient(ada.server.url(token=token)) as socket:
        assert (await socket.request({"type": "ping"}))["type"] == "pong"


def test_s06_leeway_follows_the_setting(new_server: Callable[..., Server]) -> None:
    ada = Account.create(new_server(JWT_LEEWAY_SECONDS="0"))
    assert status(ada, ada.mint()) == 200
    assert status(ada, ada.mint(nbf=time.time() + MARGIN)) == 401
    assert status(ada, ada.mint(seconds=-MARGIN)) == 401
