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
    assert_no_more_messages,
    partial_texts,
    received_types,
    upload_ids,
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
            await client.receive_until(lambda m: m.get("streamed_text") == "")
        barrier.lift()
        ends = [await client.terminal_message(key) for client in (asking, watching)]

        assert ends[0] == ends[1]
        for client in (asking, watching):
            told = received_types(client, key)
            assert told[0] == "Upload.created"
            assert told[-1] == "processed"
            assert set(told[1:-1]) == {"processing"}
            assert partial_texts(client, key)[0] == ""
            assert client.seen[0]["type"] == "Upload.created"
            await assert_no_more_messages(client)
        await assert_no_more_messages(stranger)


async def test_an_event_of_a_create_has_no_duplicate_and_the_reply_has_one(alice: Account) -> None:
    async with alice.client() as asking, alice.client() as watching:
        reply = await asking.create(scripted_png())
        event = await watching.receive()

        assert reply.keys() == {"type", "instance", "duplicate"}
        assert event.keys() == {"type", "instance"}
        assert reply["type"] == event["type"] == "Upload.created"
        assert reply["instance"] == event["instance"]
        assert event["instance"].keys() == INSTANCE_KEYS
        end = await watching.terminal_message(reply["instance"]["id"])
        assert end.keys() == PROCESSED_KEYS
        assert all(m.keys() == PARTIAL_KEYS for m in watching.seen if m.get("status") == "processing")


async def test_a_socket_hears_its_own_change_once_as_the_reply(alice: Account) -> None:
    async with alice.client() as asking, alice.client() as watching:
        key = (await asking.create(scripted_png()))["instance"]["id"]
        for client in (asking, watching):
            await client.terminal_message(key)

        updated = await asking.request(
            {"type": "update", "instance_id": key, "data": {"filename": "new.png"}}
        )
        await assert_no_more_messages(asking)
        assert await watching.receive() == updated
        assert updated.keys() == {"type", "instance"}
        assert updated["instance"].keys() == INSTANCE_KEYS_WITH_TEXTS

        deleted = await watching.request({"type": "delete", "instance_id": key})
        await assert_no_more_messages(watching)
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
            await following.terminal_message(followed)
            await asking.terminal_message(other)

            await assert_no_more_messages(following)
            assert received_types(following, other) == []
            assert received_types(following, followed)[-1] == "processed"


async def test_subscribe_names_the_upload_that_the_endpoint_follows(alice: Account) -> None:
    async with alice.client() as everything:
        key = (await everything.create(scripted_png()))["instance"]["id"]
        await everything.terminal_message(key)
        async with alice.client(key) as one:
            for client, followed in ((everything, None), (one, key)):
                await client.send({"type": "subscribe"})
                expected = {"message": "subscribed", "model": "Upload", "instance_id": followed}
                assert await client.receive() == expected


async def test_every_message_works_on_the_endpoint_of_one_upload(alice: Account) -> None:
    async with alice.client() as everything:
        key = (await everything.create(scripted_png()))["instance"]["id"]
        await everything.terminal_message(key)
        async with alice.client(key) as one:
            other = (await one.create(scripted_png()))["instance"]["id"]
            await everything.terminal_message(other)
            assert await upload_ids(one) == [other, key]
            seen = await one.request({"type": "retrieve", "instance_id": other})
            assert seen["instance"]["status"] == "processed"
            update = {"type": "update", "instance_id": other, "data": {"metadata": {"n": 1}}}
            assert (await one.request(update))["instance"]["metadata"] == {"n": 1}
            assert (await one.request({"type": "delete", "instance_id": other}))["type"] == "Upload.deleted"
            await assert_no_more_messages(one)
            heard = ["Upload.created", "Upload.status", "Upload.updated", "Upload.deleted"]
            assert received_types(one, other) == heard


async def test_a_late_socket_gets_the_current_partial_unasked_and_nothing_else(
    alice: Account, bob: Account, barrier: Barrier
) -> None:
    async with alice.client() as asking:
        done = (await asking.create(scripted_png()))["instance"]["id"]
        await asking.terminal_message(done)
        key = (await asking.create(scripted_png(lines=LINES, **barrier.after(1))))["instance"]["id"]
        await asking.receive_until(lambda m: m.get("streamed_text") == "one")
        waiting = (await asking.create(scripted_png()))["instance"]["id"]
        partial = {"id": key, "status": "processing", "streamed_text": "one", "type": "Upload.status"}
        async with alice.client() as late, alice.client(key) as following:
            for client in (late, following):
                assert await client.receive() == partial
                await assert_no_more_messages(client)
        async with alice.client(done) as elsewhere, alice.client(waiting) as queued, bob.client() as stranger:
            for client in (elsewhere, queued, stranger):
                await assert_no_more_messages(client)


async def test_no_event_follows_the_deletion_of_an_upload_that_is_being_read(
    alice: Account, barrier: Barrier
) -> None:
    async with alice.client() as asking, alice.client() as watching:
        key = (await asking.create(scripted_png(lines=LINES, **barrier.after(1))))["instance"]["id"]
        await asking.receive_until(lambda m: m.get("streamed_text") == "one")
        await asking.request({"type": "delete", "instance_id": key})
        # The barrier still stands: the reader has to let go of the page to read the next upload.
        following = (await asking.create(scripted_png()))["instance"]["id"]
        for client in (asking, watching):
            await client.terminal_message(following)
            assert received_types(client, key)[-1] == "Upload.deleted"
            await assert_no_more_messages(client)
        assert await upload_ids(asking) == [following]


async def test_sixteen_identical_creates_at_once_make_one_upload(alice: Account, barrier: Barrier) -> None:
    image = scripted_png(lines=LINES, **barrier.after(0))
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(alice.client()) for _ in range(16)]
        replies: list[Message] = await asyncio.gather(*(client.create(image) for client in clients))
        barrier.lift()
        key = replies[0]["instance"]["id"]
        ends: list[Message] = await asyncio.gather(*(client.terminal_message(key) for client in clients))

        assert {reply["instance"]["id"] for reply in replies} == {key}
        assert sorted(reply["duplicate"] for reply in replies) == [False] + [True] * 15
        assert all(end == ends[0] for end in ends)
        assert await upload_ids(clients[0]) == [key]
        for client, reply in zip(clients, replies, strict=True):
            await assert_no_more_messages(client)
            created = [m for m in client.seen if m.get("type") == "Upload.created"]
            # The one that made it hears so once, as the reply; the others by one event, and their reply.
            expected = ["duplicate", None] if reply["duplicate"] else ["duplicate"]
            assert sorted(("duplicate" if "duplicate" in m else None for m in created), key=str) == sorted(
                expected, key=str
            )
            assert partial_texts(client, key).count("") == 1
            assert received_types(client, key).count("processed") == 1
