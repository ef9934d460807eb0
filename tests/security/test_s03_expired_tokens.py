"""S03 - a socket outlives its token: the server closes it at the expiry, unless a new token has come."""

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


async def test_s03_authenticate_with_new_token_keeps_the_socket_open(ada: Account) -> None:
    expires_at = int(time.time()) + 3
    async with socket_for(ada, expires_at) as renewed, socket_for(ada, expires_at) as other:
        assert await authenticate(renewed, ada.mint()) == {"type": "authenticated"}
        assert await other.close_code() == 4401
        assert time.time() >= expires_at
        await assert_no_more_messages(renewed)


async def test_s03_authenticate_with_shorter_token_shortens_the_socket_lifetime(ada: Account) -> None:
    async with ada.client() as client:
        expires_at = int(time.time()) + 2
        assert await authenticate(client, ada.mint(exp=expires_at)) == {"type": "authenticated"}
        assert await client.close_code() == 4401
        assert time.time() >= expires_at


async def test_s03_authenticate_with_invalid_token_keeps_the_old_expiry(ada: Account, server: Server) -> None:
    bob = Account.create(server)
    expires_at = int(time.time()) + 3
    async with socket_for(ada, expires_at) as client:
        for invalid in (
            ada.mint(seconds=-60),
            ada.mint(token_type="refresh"),
            bob.mint(),
            "nonsense",
            "",
            None,
            7,
        ):
            reply = await authenticate(client, invalid)
            assert reply.keys() == {"type", "error"}, invalid
            assert (reply["type"], reply["error"].keys()) == ("authenticated", {"token"})
            assert not (isinstance(invalid, str) and invalid and invalid in str(reply))
        await assert_no_more_messages(client)
        assert await client.close_code() == 4401
        assert time.time() >= expires_at


async def test_s03_authenticate_with_token_issued_after_revocation_keeps_the_socket(ada: Account) -> None:
    now = time.time()
    old_url = ada.server.url(token=ada.mint(iat=now - 10))
    async with WebSocketClient(old_url) as old, WebSocketClient(old_url) as renewed:
        assert "error" not in await authenticate(renewed, ada.mint(iat=now))
        ada.revoke_tokens(seconds_ago=5)
        assert await old.close_code() == 4401
        await assert_no_more_messages(renewed)
