"""H5 - places for large messages are held while work is done, never while the server waits for a client."""

from __future__ import annotations

import asyncio
import json

import pytest

from backend_main.core.live.rate_limit import MAX_PLACES, LargeMessageLimit
from backend_main.core.protocol.parsing import MAX_ENVELOPE_CHARACTERS
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.raw_websocket import RawWebSocket
from tests.support.server import Server

MIB = 1024 * 1024
ATTACKERS = 4
# The events that a subscription catches up with exceed the buffers of a client that does not read.
CORRECTION, UPDATES = "x" * MIB, 12


async def test_h5_clients_that_do_not_read_keep_no_place_of_another_user(server: Server) -> None:
    attacker, other = Account.create(server), Account.create(server)
    async with attacker.client() as writer:
        created = await writer.create(scripted_png())
        upload_id = created["instance"]["id"]
        await writer.terminal_message(upload_id)
        await writer.send({"type": "subscribe", "since": "unknown"})
        cursor = (await writer.receive_until(lambda message: "cursor" in message))["cursor"]
        for number in range(UPDATES):
            data = {"processed_text": f"{number} {CORRECTION}"}
            await writer.request({"type": "update", "instance_id": upload_id, "data": data})
    padded = json.dumps(
        {"type": "subscribe", "since": cursor, "padding": "x" * (MAX_ENVELOPE_CHARACTERS - 200)}
    ).encode()
    raws = []
    for _ in range(ATTACKERS):
        raw = await asyncio.to_thread(RawWebSocket, server.url(token=attacker.mint()))
        await asyncio.to_thread(raw.send, padded)
        # More than a message without base64 may have. The reply is an error.
        await asyncio.to_thread(raw.send, padded.replace(b"xxx", b"xxxxxx"))
        raws.append(raw)
    async with asyncio.timeout(30), other.client() as client:
        reply = await client.create(scripted_png() + bytes(2 * MIB))
        assert "error" not in reply
    for raw in raws:
        raw.close()


async def take(limit: LargeMessageLimit, user: str, order: list[str], release: asyncio.Event) -> None:
    async with limit.place(user, MIB):
        order.append(user)
        await release.wait()


async def run_until_blocked() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_h5_limit_gives_a_free_place_to_the_user_with_fewest() -> None:
    limit, order = LargeMessageLimit(MIB), list[str]()
    releases = [asyncio.Event() for _ in range(6)]
    users = ["hoarder"] * 4 + ["other", "third"]
    tasks = []
    for user, release in zip(users, releases, strict=True):
        tasks.append(asyncio.create_task(take(limit, user, order, release)))
        await run_until_blocked()
    assert order == ["hoarder"] * MAX_PLACES
    releases[0].set()
    await run_until_blocked()
    assert order[MAX_PLACES:] == ["other"]
    releases[4].set()
    await run_until_blocked()
    assert order[MAX_PLACES:] == ["other", "third"]
    for release in releases:
        release.set()
    await asyncio.gather(*tasks)
    assert order[MAX_PLACES:] == ["other", "third", "hoarder", "hoarder"]


@pytest.mark.parametrize("is_given", [True, False])
async def test_h5_limit_loses_no_place_by_a_cancelled_request(is_given: bool) -> None:
    limit, order = LargeMessageLimit(MIB), list[str]()
    releases = [asyncio.Event() for _ in range(MAX_PLACES)]
    holders = [asyncio.create_task(take(limit, "one", order, release)) for release in releases]
    await run_until_blocked()
    waiting = asyncio.create_task(take(limit, "two", order, asyncio.Event()))
    await run_until_blocked()
    if is_given:  # in the same turn of the event loop as the cancellation
        releases[0].set()
        await asyncio.sleep(0)
    waiting.cancel()
    for release in releases:
        release.set()
    await asyncio.gather(*holders, waiting, return_exceptions=True)
    for _ in range(MAX_PLACES):
        releases[0].set()
        await take(limit, "three", order, releases[0])


async def test_h5_small_message_needs_no_place() -> None:
    limit, order, release = LargeMessageLimit(MIB), list[str](), asyncio.Event()
    holders = [asyncio.create_task(take(limit, "one", order, release)) for _ in range(MAX_PLACES)]
    await run_until_blocked()
    async with limit.place("two", MIB - 1):
        release.set()
    await asyncio.gather(*holders)
