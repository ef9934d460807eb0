"""Close codes of rejected connections.

The server accepts a connection before it rejects it: a close before accept carries no code.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Any

import pytest
import websockets

from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient


async def close_code_of(client: WebSocketClient) -> int:
    """Return the close code of a socket that must receive no message."""
    async with client:
        with pytest.raises(websockets.ConnectionClosed):
            await client.receive()
        return await client.close_code()


async def test_connect_without_token_is_4401(server: Server) -> None:
    assert await close_code_of(WebSocketClient(server.url())) == 4401
    assert await close_code_of(WebSocketClient(server.url() + "?token=")) == 4401


async def test_connect_with_invalid_token_is_4401(alice: Account) -> None:
    now = time.time()
    invalid: dict[str, str] = {
        "not a JWT": "nonsense",
        "signed with another key": alice.mint(key="0123456789abcdef" * 4),
        "expired": alice.mint(seconds=-60),
        "without expiry": alice.mint(exp=None),
        "refresh token": alice.mint(token_type="refresh"),
        "unknown user": alice.mint(sub=str(uuid.uuid4())),
        "user id not a UUID": alice.mint(sub="alice"),
        "without user": alice.mint(sub=None),
        "not yet valid": alice.mint(nbf=int(now) + 3600),
        "truncated": alice.mint()[:-5],
    }
    codes = {
        name: await close_code_of(WebSocketClient(alice.server.url(token=token)))
        for name, token in invalid.items()
    }
    assert codes == dict.fromkeys(invalid, 4401)


async def test_connect_with_token_in_the_header_is_accepted(alice: Account) -> None:
    url = alice.server.url()
    async with WebSocketClient(url, additional_headers={"Authorization": f"Bearer {alice.mint()}"}) as client:
        await assert_no_more_messages(client)
    refused = WebSocketClient(url, additional_headers={"Authorization": "Bearer nonsense"})
    assert await close_code_of(refused) == 4401


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:1", "https://scans.example.evil.example", "null", "nonsense"],
)
async def test_connect_from_a_foreign_origin_is_4403(alice: Account, origin: str) -> None:
    assert await close_code_of(alice.client(origin=origin)) == 4403


async def test_connect_from_own_or_allowed_origin_is_accepted(alice: Account, strict_server: Server) -> None:
    async with alice.client(origin=alice.server.http) as client:
        await assert_no_more_messages(client)
    account = Account.create(strict_server)
    async with account.client(origin="https://scans.example") as client:
        await assert_no_more_messages(client)
    assert await close_code_of(account.client(origin="http://scans.example")) == 4403


@pytest.mark.parametrize("path", ["/", "/ws/core/upload", "/ws/core/upload/5/", "/ws/core/", "/healthz"])
async def test_connect_to_unknown_path_is_4404(alice: Account, path: str) -> None:
    assert await close_code_of(WebSocketClient(alice.server.url(path, token=alice.mint()))) == 4404


async def test_connect_to_another_users_or_unknown_upload_is_4404(alice: Account, bob: Account) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(key)
        for unknown in (key, str(uuid.uuid4())):
            assert await close_code_of(bob.client(unknown)) == 4404
        await client.request({"type": "delete", "instance_id": key})
        assert await close_code_of(alice.client(key)) == 4404


async def test_connect_over_the_socket_limit_is_4429(strict_server: Server) -> None:
    account, other = Account.create(strict_server), Account.create(strict_server)
    async with account.client() as one, account.client() as two:
        assert await close_code_of(account.client()) == 4429
        async with other.client() as client:
            await assert_no_more_messages(client)
        for client in (one, two):
            await assert_no_more_messages(client)
    # The server releases a socket shortly after its client has received the close.
    async with asyncio.timeout(30):
        while not await is_accepted(account):
            pass


async def is_accepted(account: Account) -> bool:
    async with account.client() as client:
        try:
            await assert_no_more_messages(client)
        except websockets.ConnectionClosed:
            return False
        return True


async def test_messages_over_the_rate_limit_close_with_4429(strict_server: Server) -> None:
    account = Account.create(strict_server)
    async with account.client() as client, account.client() as other:
        with suppress(websockets.ConnectionClosed):
            for _ in range(10_000):
                await client.send({"type": "subscribe"})
                await client.receive()
        assert await client.close_code() == 4429
        assert 20 <= len(client.seen) < 1_000
        await assert_no_more_messages(other)


async def test_socket_is_closed_when_its_token_expires(alice: Account) -> None:
    expires_at = int(time.time()) + 3
    async with (
        WebSocketClient(alice.server.url(token=alice.mint(exp=expires_at))) as client,
        alice.client() as other,
    ):
        await assert_no_more_messages(client)
        assert await client.close_code() == 4401
        assert time.time() >= expires_at
        await assert_no_more_messages(other)


@pytest.mark.parametrize("how", ["deactivate", "revoke_tokens"])
async def test_socket_is_closed_when_its_user_is_deactivated_or_tokens_revoked(
    alice: Account, bob: Account, how: str
) -> None:
    token = alice.mint()
    async with alice.client() as one, alice.client() as two, bob.client() as other:
        change: Any = getattr(alice, how)
        change()
        assert [await client.close_code() for client in (one, two)] == [4401, 4401]
        await assert_no_more_messages(other)
    assert await close_code_of(WebSocketClient(alice.server.url(token=token))) == 4401


async def test_connect_with_token_issued_after_revocation_is_accepted(alice: Account) -> None:
    alice.revoke_tokens()
    async with alice.client() as client:
        await assert_no_more_messages(client)
