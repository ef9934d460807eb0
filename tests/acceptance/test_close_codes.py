"""Who may not be here is accepted and told so by a close code: a close before accept reaches nobody."""

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


async def code_of(client: WebSocketClient) -> int:
    """The close code of a socket that must hear nothing else."""
    async with client:
        with pytest.raises(websockets.ConnectionClosed):
            await client.receive()
        return await client.close_code()


async def test_no_token_is_4401(server: Server) -> None:
    assert await code_of(WebSocketClient(server.url())) == 4401
    assert await code_of(WebSocketClient(server.url() + "?token=")) == 4401


async def test_a_bad_token_is_4401(alice: Account) -> None:
    now = time.time()
    bad: dict[str, str] = {
        "no JWT": "nonsense",
        "signed by another": alice.mint(key="k" * 50),
        "expired": alice.mint(seconds=-1),
        "without expiry": alice.mint(exp=None),
        "for refreshing": alice.mint(token_type="refresh"),
        "of nobody": alice.mint(sub=str(uuid.uuid4())),
        "of no UUID": alice.mint(sub="alice"),
        "without user": alice.mint(sub=None),
        "not yet valid": alice.mint(nbf=int(now) + 3600),
        "cut": alice.mint()[:-5],
    }
    codes = {
        what: await code_of(WebSocketClient(alice.server.url(token=token))) for what, token in bad.items()
    }
    assert codes == dict.fromkeys(bad, 4401)


async def test_a_token_may_come_in_the_header(alice: Account) -> None:
    url = alice.server.url()
    async with WebSocketClient(url, additional_headers={"Authorization": f"Bearer {alice.mint()}"}) as client:
        await assert_no_more_messages(client)
    refused = WebSocketClient(url, additional_headers={"Authorization": "Bearer nonsense"})
    assert await code_of(refused) == 4401


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:1", "https://scans.example.evil.example", "null", "nonsense"],
)
async def test_a_page_of_another_origin_is_4403(alice: Account, origin: str) -> None:
    assert await code_of(alice.client(origin=origin)) == 4403


async def test_pages_of_the_servers_own_and_of_allowed_origins_may_connect(
    alice: Account, strict_server: Server
) -> None:
    async with alice.client(origin=alice.server.http) as client:
        await assert_no_more_messages(client)
    account = Account.create(strict_server)
    async with account.client(origin="https://scans.example") as client:
        await assert_no_more_messages(client)
    assert await code_of(account.client(origin="http://scans.example")) == 4403


@pytest.mark.parametrize("path", ["/", "/ws/core/upload", "/ws/core/upload/5/", "/ws/core/", "/healthz"])
async def test_an_unknown_path_is_4404(alice: Account, path: str) -> None:
    assert await code_of(WebSocketClient(alice.server.url(path, token=alice.mint()))) == 4404


async def test_another_users_upload_and_none_at_all_are_4404(alice: Account, bob: Account) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(key)
        for unknown in (key, str(uuid.uuid4())):
            assert await code_of(bob.client(unknown)) == 4404
        await client.request({"type": "delete", "instance_id": key})
        assert await code_of(alice.client(key)) == 4404


async def test_one_socket_too_many_is_4429(strict_server: Server) -> None:
    account, other = Account.create(strict_server), Account.create(strict_server)
    async with account.client() as one, account.client() as two:
        assert await code_of(account.client()) == 4429
        async with other.client() as client:
            await assert_no_more_messages(client)
        for client in (one, two):
            await assert_no_more_messages(client)
    # A socket counts until the server lets go of it, which is just after its client has heard of the end.
    async with asyncio.timeout(30):
        while not await is_let_in(account):
            pass


async def is_let_in(account: Account) -> bool:
    async with account.client() as client:
        try:
            await assert_no_more_messages(client)
        except websockets.ConnectionClosed:
            return False
        return True


async def test_a_flood_of_messages_is_4429(strict_server: Server) -> None:
    account = Account.create(strict_server)
    async with account.client() as client, account.client() as other:
        with suppress(websockets.ConnectionClosed):
            for _ in range(10_000):
                await client.send({"type": "subscribe"})
                await client.receive()
        assert await client.close_code() == 4429
        assert 20 <= len(client.seen) < 1_000
        await assert_no_more_messages(other)


async def test_a_socket_is_closed_when_its_token_expires(alice: Account) -> None:
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
async def test_a_socket_is_closed_when_its_user_may_no_longer_be_here(
    alice: Account, bob: Account, how: str
) -> None:
    token = alice.mint()
    async with alice.client() as one, alice.client() as two, bob.client() as other:
        change: Any = getattr(alice, how)
        change()
        assert [await client.close_code() for client in (one, two)] == [4401, 4401]
        await assert_no_more_messages(other)
    assert await code_of(WebSocketClient(alice.server.url(token=token))) == 4401


async def test_a_token_made_after_a_revocation_is_good(alice: Account) -> None:
    alice.revoke_tokens()
    async with alice.client() as client:
        await assert_no_more_messages(client)
