"""Who hears what, and in which order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.acceptance.conftest import Barrier
from tests.support.accounts import Account
from tests.support.message_checks import (
    INSTANCE_KEYS,
    INSTANCE_KEYS_WITH_TEXTS,
    PARTIAL_KEYS,
    PROCESSED_KEYS,
    expect_silence,
    ids_of,
    partials,
    receive_until_end,
)
from tests.support.page_images import scripted_png
from tests.support.websocket_client import Message

LINES = ["one", "two", "three"]


async def test_both_sockets_of_a_user_hear_everything_and_another_user_hears_nothing(
    alice: Account, bob: Account, barrier: Barrier
) -> None:
    async with alice.client() as asking, alice.client() as watching, bob.client() as stranger:
        created = await asking.create(scripted_png(lines=LINES, **barrier.after(0)))
        key = created["instance"]["id"]
        for client in (asking, watching):
            await client.until(lambda m: m.get("streamed_text") == "")
        barrier.lift()
        ends = [await client.end_of(key) for client in (asking, watching)]

        assert ends[0] == ends[1]
        for client in (asking, watching):
            told = receive_until_end(client, key)
            assert told[0] == "Upload.created"
            assert told[-1] == "processed"
            assert set(told[1:-1]) == {"processing"}
            assert partials(client, key)[0] == ""
            assert client.seen[0]["type"] == "Upload.created"
            await expect_silence(client)
        await expect_silence(stranger)


async def test_an_event_of_a_create_has_no_duplicate_and_the_reply_has_one(alice: Account) -> None:
    async with alice.client() as asking, alice.client() as watching:
        reply = await asking.create(scripted_png())
        event = await watching.receive()

        assert reply.keys() == {"type", "instance", "duplicate"}
        assert event.keys() == {"type", "instance"}
        assert reply["type"] == event["type"] == "Upload.created"
        assert reply["instance"] == event["instance"]
        assert event["instance"].keys() == INSTANCE_KEYS
        end = await watching.end_of(reply["instance"]["id"])
        assert end.keys() == PROCESSED_KEYS
        assert all(m.keys() == PARTIAL_KEYS for m in watching.seen if m.get("status") == "processing")


async def test_a_socket_hears_its_own_change_once_as_the_reply(alice: Account) -> None:
    async with alice.client() as asking, alice.client() as watching:
        key = (await asking.create(scripted_png()))["instance"]["id"]
        for client in (asking, watching):
            await client.end_of(key)

        updated = await asking.ask({"type": "update", "instance_id": key, "data": {"filename": "new.png"}})
        await expect_silence(asking)
        assert await watching.receive() == updated
        assert updated.keys() == {"type", "instance"}
        assert updated["instance"].keys() == INSTANCE_KEYS_WITH_TEXTS

        deleted = await watching.ask({"type": "delete", "instance_id": key})
        await expect_silence(watching)
        assert await asking.receive() == deleted
        assert deleted.keys() == {"type", "instance"}
        assert deleted["instance"].keys() == INSTANCE_KEYS


async def test_the_endpoint_of_one_upload_hears_of_that_upload_alone(
    alice: Account, barrier: Barrier
) -> None:
    async with alice.client() as asking:
        followed = (await asking.create(scripted_png(lines=LINES, **barrier.after(0))))["instance"]["id"]
        async with alice.client(followed) as following:
            other = (await asking.create(scripted_png()))["instance"]["id"]
            barrier.lift()
            await following.end_of(followed)
            await asking.end_of(other)

            await expect_silence(following)
            assert receive_until_end(following, other) == []
            assert receive_until_end(following, followed)[-1] == "processed"


async def test_subscribe_names_the_upload_that_the_endpoint_follows(alice: Account) -> None:
    async with alice.client() as everything:
        key = (await everything.create(scripted_png()))["instance"]["id"]
        await everything.end_of(key)
        async with alice.client(key) as one:
            for client, followed in ((everything, None), (one, key)):
                await client.send({"type": "subscribe"})
                expected = {"message": "subscribed", "model": "Upload", "instance_id": followed}
                assert await client.receive() == expected


async def test_every_message_works_on_the_endpoint_of_one_upload(alice: Account) -> None:
    async with alice.client() as everything:
        key = (await everything.create(scripted_png()))["instance"]["id"]
        await everything.end_of(key)
        async with alice.client(key) as one:
            other = (await one.create(scripted_png()))["instance"]["id"]
            await everything.end_of(other)
            assert await ids_of(one) == [other, key]
            seen = await one.ask({"type": "retrieve", "instance_id": other})
            assert seen["instance"]["status"] == "processed"
            update = {"type": "update", "instance_id": other, "data": {"metadata": {"n": 1}}}
            assert (await one.ask(update))["instance"]["metadata"] == {"n": 1}
            assert (await one.ask({"type": "delete", "instance_id": other}))["type"] == "Upload.deleted"
            await expect_silence(one)
            heard = ["Upload.created", "Upload.status", "Upload.updated", "Upload.deleted"]
            assert receive_until_end(one, other) == heard


async def test_a_late_socket_gets_the_current_partial_unasked_and_nothing_else(
    alice: Account, bob: Account, barrier: Barrier
) -> None:
    async with alice.client() as asking:
        done = (await asking.create(scripted_png()))["instance"]["id"]
        await asking.end_of(done)
        key = (await asking.create(scripted_png(lines=LINES, **barrier.after(1))))["instance"]["id"]
        await asking.until(lambda m: m.get("streamed_text") == "one")
        waiting = (await asking.create(scripted_png()))["instance"]["id"]
        partial = {"id": key, "status": "processing", "streamed_text": "one", "type": "Upload.status"}
        async with alice.client() as late, alice.client(key) as following:
            for client in (late, following):
                assert await client.receive() == partial
                await expect_silence(client)
        async with alice.client(done) as elsewhere, alice.client(waiting) as queued, bob.client() as stranger:
            for client in (elsewhere, queued, stranger):
                await expect_silence(client)


async def test_no_event_follows_the_deletion_of_an_upload_that_is_being_read(
    alice: Account, barrier: Barrier
) -> None:
    async with alice.client() as asking, alice.client() as watching:
        key = (await asking.create(scripted_png(lines=LINES, **barrier.after(1))))["instance"]["id"]
        await asking.until(lambda m: m.get("streamed_text") == "one")
        await asking.ask({"type": "delete", "instance_id": key})
        # The barrier still stands: the reader has to let go of the page to read the next upload.
        following = (await asking.create(scripted_png()))["instance"]["id"]
        for client in (asking, watching):
            await client.end_of(following)
            assert receive_until_end(client, key)[-1] == "Upload.deleted"
            await expect_silence(client)
        assert await ids_of(asking) == [following]


async def test_sixteen_identical_creates_at_once_make_one_upload(alice: Account, barrier: Barrier) -> None:
    image = scripted_png(lines=LINES, **barrier.after(0))
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(alice.client()) for _ in range(16)]
        replies: list[Message] = await asyncio.gather(*(client.create(image) for client in clients))
        barrier.lift()
        key = replies[0]["instance"]["id"]
        ends: list[Message] = await asyncio.gather(*(client.end_of(key) for client in clients))

        assert {reply["instance"]["id"] for reply in replies} == {key}
        assert sorted(reply["duplicate"] for reply in replies) == [False] + [True] * 15
        assert all(end == ends[0] for end in ends)
        assert await ids_of(clients[0]) == [key]
        for client, reply in zip(clients, replies, strict=True):
            await expect_silence(client)
            created = [m for m in client.seen if m.get("type") == "Upload.created"]
            # The one that made it hears so once, as the reply; the others by one event, and their reply.
            expected = ["duplicate", None] if reply["duplicate"] else ["duplicate"]
            assert sorted(("duplicate" if "duplicate" in m else None for m in created), key=str) == sorted(
                expected, key=str
            )
            assert partials(client, key).count("") == 1
            assert receive_until_end(client, key).count("processed") == 1
