"""Clients that come back: nothing is missing and nothing comes twice, also over a restart, also of 5 MB."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from tests.support.accounts import Account
from tests.support.client_state import ClientState, comparable
from tests.support.message_checks import assert_no_more_messages
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

LONG = 5_000_000


async def come_back(client: WebSocketClient, folded: ClientState) -> bool:
    """Goes on from what was folded last; whether all of it could be recovered."""
    await client.send({"type": "subscribe", "since": folded.cursor or "none:0"})
    ack = await client.receive_until(lambda m: m.get("type") == "subscribed")
    folded.apply(ack)
    assert isinstance(ack["recovered"], bool)
    return ack["recovered"]


async def follow(client: WebSocketClient, folded: ClientState, until: int) -> None:
    while folded.seq < until:
        folded.apply(await client.receive())


async def change_this_and_that(account: Account, seed: int) -> None:
    """Makes uploads, changes some, removes some, and waits for the end of the others."""
    chance = random.Random(seed)
    async with account.client() as client:
        keys: list[str] = []
        for number in range(12):
            keys.append((await client.create(scripted_png(lines=[f"{seed} {number}"])))["instance"]["id"])
            key, what = chance.choice(keys), chance.choice(["update", "cancel", "retry", "delete", "ping"])
            data = {"data": {"filename": f"{number}.png"}} if what == "update" else {}
            await client.request({"type": what, "instance_id": key, **data})
            if what == "delete":
                keys.remove(key)
        for key in keys:
            state = await client.request({"type": "retrieve", "instance_id": key})
            if state["instance"]["status"] in ("pending", "processing"):
                await client.terminal_message(key)


async def follow_with_cuts(account: Account, folded: ClientState) -> None:
    """Comes back, hears some messages, and loses its connection, for ever."""
    chance = random.Random(0)
    while True:
        async with account.client() as client:
            await come_back(client, folded)
            for _ in range(chance.randint(0, 20)):
                folded.apply(await client.receive())
            client.socket.transport.abort()


async def test_a_client_that_is_cut_off_again_and_again_knows_what_the_server_knows(alice: Account) -> None:
    folded = ClientState()
    following = asyncio.create_task(follow_with_cuts(alice, folded))
    await asyncio.gather(*(change_this_and_that(alice, seed) for seed in range(3)))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    async with alice.client() as client:
        assert await come_back(client, folded)
        await client.send({"type": "list", "ref": "l"})
        while (message := await client.receive()).get("ref") != "l":
            folded.apply(message)
        assert folded.comparable() == comparable(message["list"])
        await assert_no_more_messages(client)


async def test_a_text_of_five_megabytes_comes_whole_live_and_again(alice: Account) -> None:
    """To sockets that know the specification alone, to those with cursors, and to one that comes back."""
    lines = [["x" * 50_000] * 10 for _ in range(10)]
    tiff = scripted_tiff([{"lines": page} for page in lines])
    folded = ClientState()
    async with alice.client() as plainly, alice.client() as client:
        await client.send({"type": "subscribe", "stream": "delta"})
        folded.apply(await client.receive())
        key = (await plainly.create(tiff))["instance"]["id"]
        ends = [await each.terminal_message(key) for each in (plainly, client)]
        for end in ends:
            assert len(end["raw_text"]) >= LONG
            assert len(end["processed_text"]) >= LONG
        assert ends[1] == ends[0] | {"cursor": ends[1]["cursor"]}
        await plainly.request({"type": "update", "instance_id": key, "data": {"filename": "long.tiff"}})
    async with alice.client() as back:
        assert await come_back(back, folded)
        again = await back.terminal_message(key)
        assert again == ends[1]
        assert (await back.receive())["instance"]["raw_text"] == ends[0]["raw_text"]


@pytest.mark.timeout(240)
async def test_a_restart_keeps_the_cursors(new_server: Callable[..., Server]) -> None:
    server = await asyncio.to_thread(new_server)
    account, folded = Account.create(server), ClientState()
    async with account.client() as client:
        await client.send({"type": "subscribe", "stream": "full"})
        folded.apply(await client.receive())
        first = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(first)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    async with account.client() as other, account.client() as client:
        second = (await other.create(scripted_png()))["instance"]["id"]
        assert await come_back(client, folded)
        await follow(client, folded, until=4)
        assert set(folded.uploads) == {first, second}
        assert folded.comparable() == comparable((await client.request({"type": "list"}))["list"])
