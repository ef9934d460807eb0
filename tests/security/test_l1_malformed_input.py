"""L1 - input of a wrong shape is 400 or 401, on a socket 4401, and never 500."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.support.accounts import Account
from tests.support.problems import errors_of, problem_of
from tests.support.server import Server
from tests.support.tokens import _part, claims, signed
from tests.support.websocket_client import WebSocketClient

DEEP = "[" * 9_000
CLAIMS: dict[str, dict[str, Any]] = {
    "exp is a string": {"exp": str(int(time.time()) + 3600)},
    "exp is huge": {"exp": 1e18},
    "exp is a huge integer": {"exp": 10**18},
    "exp is negative": {"exp": -1},
    "exp is true": {"exp": True},
    "exp is an object": {"exp": {"$date": 1}},
    "iat is a string": {"iat": "1700000000"},
    "iat is huge": {"iat": 1e300},
    "iat is a list": {"iat": [1]},
    "nbf is a string": {"nbf": "1"},
    "nbf is null": {"nbf": None},
    "sub is a list": {"sub": [1]},
    "sub is deep": {"sub": [[[[]]]]},
    "aud is a number": {"aud": 1, "exp": "x"},
}


@pytest.fixture(scope="module")
def tokens(server: Server) -> dict[str, str]:
    """Tokens with claims of a wrong type, and tokens that no JSON parser likes."""
    ada, key = Account.create(server), server.secret_key
    found = {name: signed(claims(str(ada.id), **changes), key) for name, changes in CLAIMS.items()}
    found["the header is deep"] = f"{_part(DEEP.encode())}.{_part(b'{}')}.AA"
    found["the kid is an object"] = signed(claims(str(ada.id), exp="x"), key, header={"kid": {}})
    return found


def test_l1_tokens_of_a_wrong_shape_are_401(server: Server, tokens: dict[str, str]) -> None:
    for name, token in tokens.items():
        answer = httpx.get(f"{server.http}/api/me/", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, name
        assert errors_of(answer)["detail"], name


def test_l1_refresh_tokens_of_a_wrong_shape_are_401(server: Server, tokens: dict[str, str]) -> None:
    for name, token in tokens.items():
        if len(token) < 16_000:
            answer = httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": token})
            assert answer.status_code == 401, name


async def test_l1_socket_with_a_token_of_a_wrong_shape_is_4401(
    server: Server, tokens: dict[str, str]
) -> None:
    for name, token in tokens.items():
        if len(token) < 8_000:  # a longer one does not fit into the URL
            async with WebSocketClient(server.url(token=token)) as client:
                assert await client.close_code() == 4401, name


@pytest.mark.parametrize("path", ["/api/token/", "/api/token/code/", "/api/token/refresh/"])
@pytest.mark.parametrize(
    "body", [DEEP[:8_000], '{"username":' + DEEP[:8_000], "null", "1", '"a"', "{", "\x00", "1" * 5_000]
)
def test_l1_body_of_a_wrong_shape_is_400(server: Server, path: str, body: str) -> None:
    headers = {"Content-Type": "application/json", "Origin": server.http}
    answer = httpx.post(server.http + path, content=body, headers=headers)
    assert answer.status_code == 400
    assert problem_of(answer)["code"] == "invalid_request"


def test_l1_limit_with_thousands_of_digits_is_400(server: Server) -> None:
    headers = Account.create(server).headers
    for limit in ("1" * 5_000, "9" * 18, "٣" * 1_500):
        answer = httpx.get(f"{server.http}/api/uploads/", params={"limit": limit}, headers=headers)
        assert answer.status_code == 400
        assert errors_of(answer).keys() == {"limit"}


def test_l1_wrong_shapes_cause_no_traceback(server: Server) -> None:
    assert server.unexpected_tracebacks == []
