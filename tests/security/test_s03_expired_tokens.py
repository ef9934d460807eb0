"""S03 — a token that expires on an open socket closes it, unless a fresh one came in time."""

from __future__ import annotations

import time

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.create(server)


async def authenticate(client: WebSocketClient, token: object) -> Message:
    return await client.request({"type": "authenticate", "token": token})


def socket_for(account: Account, expires_at: int) -> WebSocketClient:
    return WebSocketClient(account.server.url(token=account.mint(exp=expires_at)))


async def test_s03_a_fresh_token_keeps_the_socket_open(ada: Account) -> None:
    expires_at = int(time.time()) + 3
    async with socket_for(ada, expires_at) as renewed, socket_for(ada, expires_at) as other:
        assert await authenticate(renewed, ada.mint()) == {"type": "authenticated"}
        assert await other.close_code() == 4401
        assert time.time() >= expires_at
        await assert_no_more_messages(renewed)


async def test_s03_the_socket_lives_as_long_as_the_token_given_last(ada: Account) -> None:
    async with ada.client() as client:
        expires_at = int(time.time()) + 2
        assert await authenticate(client, ada.mint(exp=expires_at)) == {"type": "authenticated"}
        assert await client.close_code() == 4401
        assert time.time() >= expires_at


async def test_s03_a_token_that_is_refused_changes_nothing(ada: Account, server: Server) -> None:
    bob = Account.create(server)
    expires_at = int(time.time()) + 3
    async with socket_for(ada, expires_at) as client:
        for bad in (
            ada.mint(seconds=-60),
            ada.mint(token_type="refresh"),
            bob.mint(),
            "nonsense",
            "",
            None,
            7,
        ):
            reply = await authenticate(client, bad)
            assert reply.keys() == {"type", "error"}, bad
            assert (reply["type"], reply["error"].keys()) == ("authenticated", {"token"})
            assert not (isinstance(bad, str) and bad and bad in str(reply))
        await assert_no_more_messages(client)
        assert await client.close_code() == 4401
        assert time.time() >= expires_at


async def test_s03_a_fresh_token_outlives_the_revocation_of_the_older_ones(ada: Account) -> None:
    old, fresh = (
        WebSocketClient(ada.server.url(token=ada.mint())),
        WebSocketClient(ada.server.url(token=ada.mint())),
    )
    async with old, fresh:
        issued_at = time.time() + 0.5
        assert "error" not in await authenticate(fresh, ada.mint(iat=issued_at))
        ada.revoke_tokens()
        assert await old.close_code() == 4401
        await assert_no_more_messages(fresh)
