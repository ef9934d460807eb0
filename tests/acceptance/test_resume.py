"""Resuming from a cursor: no event is lost or duplicated, across restarts and with texts of 5 MB."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine

import pytest

from tests.support.accounts import Account
from tests.support.client_state import ClientState, comparable
from tests.support.event_stream_client import EventStreamClient
from tests.support.message_checks import assert_no_more_messages
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

LONG_TEXT_CHARS = 5_000_000


async def resume(client: WebSocketClient, state: ClientState) -> bool:
    """Subscribe from the state's cursor; return whether the server recovered all events."""
    await client.send({"type": "subscribe", "since": state.cursor or "none:0"})
    ack = await client.receive_until(lambda m: m.get("type") == "subscribed")
    state.apply(ack)
    assert isinstance(ack["recovered"], bool)
    return ack["recovered"]


async def follow(client: WebSocketClient, state: ClientState, until: int) -> None:
    while state.seq < until:
        state.apply(await client.receive())


async def change_uploads_randomly(account: Account, seed: int) -> None:
    """Create uploads, change and delete some, and wait until the others are terminal."""
    rng = random.Random(seed)
    async with account.client() as client:
        keys: list[str] = []
        for number in range(12):
            keys.append((await client.create(scripted_png(lines=[f"{seed} {number}"])))["instance"]["id"])
            key, kind = rng.choice(keys), rng.choice(["update", "cancel", "retry", "delete", "ping"])
            data = {"data": {"filename": f"{number}.png"}} if kind == "update" else {}
            await client.request({"type": kind, "instance_id": key, **data})
            if kind == "delete":
                keys.remove(key)
        for key in keys:
            reply = await client.request({"type": "retrieve", "instance_id": key})
            if reply["instance"]["status"] in ("pending", "processing"):
                await client.terminal_message(key)


async def follow_with_cuts(account: Account, state: ClientState) -> None:
    """Resume, receive some messages and lose the connection, in an endless loop."""
    rng = random.Random(0)
    while True:
        async with account.client() as client:
            await resume(client, state)
            for _ in range(rng.randint(0, 20)):
                state.apply(await client.receive())
            client.socket.transport.abort()


async def follow_events_with_cuts(account: Account, state: ClientState) -> None:
    """Resume an event stream, receive some messages and lose the connection, in an endless loop."""
    rng = random.Random(0)
    last_event_id = "none:0"
    while True:
        async with EventStreamClient(account, last_event_id=last_event_id) as client:
            state.apply(client.subscribed)
            for _ in range(rng.randint(1, 20)):
                state.apply(await client.receive())
                last_event_id = client.last_event_id or last_event_id


@pytest.mark.parametrize("follow", [follow_with_cuts, follow_events_with_cuts])
async def test_resume_after_repeated_disconnects_matches_the_server_state(
    alice: Account, follow: Callable[[Account, ClientState], Coroutine[None, None, None]]
) -> None:
    state = ClientState()
    following = asyncio.create_task(follow(alice, state))
    await asyncio.gather(*(change_uploads_randomly(alice, seed) for seed in range(3)))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    async with alice.client() as client:
        assert await resume(client, state)
        await client.send({"type": "list", "ref": "l"})
        while (message := await client.receive()).get("ref") != "l":
            state.apply(message)
        assert state.comparable() == comparable(message["list"])
        await assert_no_more_messages(client)


async def test_text_of_five_megabytes_arrives_complete_live_and_on_resume(alice: Account) -> None:
    """Plain sockets, sockets with cursors and a resuming socket all receive the complete text."""
    lines = [["x" * 50_000] * 10 for _ in range(10)]
    tiff = scripted_tiff([{"lines": page} for page in lines])
    state = ClientState()
    async with alice.client() as plain_client, alice.client() as client:
        await client.send({"type": "subscribe", "stream": "delta"})
        state.apply(await client.receive())
        key = (await plain_client.create(tiff))["instance"]["id"]
        terminal_messages = [await each.terminal_message(key) for each in (plain_client, client)]
        for end in terminal_messages:
            assert len(end["raw_text"]) >= LONG_TEXT_CHARS
            assert len(end["processed_text"]) >= LONG_TEXT_CHARS
        assert terminal_messages[1] == terminal_messages[0] | {"cursor": terminal_messages[1]["cursor"]}
        await plain_client.request({"type": "update", "instance_id": key, "data": {"filename": "long.tiff"}})
    async with alice.client() as resumed:
        assert await resume(resumed, state)
        resent = await resumed.terminal_message(key)
        assert resent == terminal_messages[1]
        assert (await resumed.receive())["instance"]["raw_text"] == terminal_messages[0]["raw_text"]


@pytest.mark.timeout(240)
async def test_cursor_stays_valid_after_a_restart(new_server: Callable[..., Server]) -> None:
    server = await asyncio.to_thread(new_server)
    account, state = Account.create(server), ClientState()
    async with account.client() as client:
        await client.send({"type": "subscribe", "stream": "full"})
        state.apply(await client.receive())
        first = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(first)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    async with account.client() as other, account.client() as client:
        second = (await other.create(scripted_png()))["instance"]["id"]
        assert await resume(client, state)
        await follow(client, state, until=8)
        assert set(state.uploads) == {first, second}
        assert state.comparable() == comparable((await client.request({"type": "list"}))["list"])
