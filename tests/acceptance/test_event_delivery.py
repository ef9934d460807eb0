"""Which socket receives which events, and in which order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.acceptance.conftest import ReadingGate
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


async def test_events_reach_all_sockets_of_the_owner_and_no_other_user(
    alice: Account, bob: Account, gate: ReadingGate
) -> None:
    async with alice.client() as requester, alice.client() as observer, bob.client() as stranger:
        created = await requester.create(scripted_png(lines=LINES, **gate.after(0)))
        key = created["instance"]["id"]
        for client in (requester, observer):
            await client.receive_until(lambda m: m.get("streamed_text") == "")
        gate.open()
        terminal_messages = [await client.terminal_message(key) for client in (requester, observer)]

        assert terminal_messages[0] == terminal_messages[1]
        for client in (requester, observer):
            types = received_types(client, key)
            assert types[0] == "Upload.created"
            assert types[-1] == "processed"
            assert types[1] == types[-2] == "Upload.status"  # its instance: processing, then processed
            assert set(types[2:-2]) == {"processing"}
            assert partial_texts(client, key)[0] == ""
            assert client.seen[0]["type"] == "Upload.created"
            await assert_no_more_messages(client)
        await assert_no_more_messages(stranger)


async def test_created_reply_has_the_duplicate_flag_and_the_event_has_not(alice: Account) -> None:
    async with alice.client() as requester, alice.client() as observer:
        reply = await requester.create(scripted_png())
        event = await observer.receive()

        assert reply.keys() == {"type", "instance", "duplicate"}
        assert event.keys() == {"type", "instance"}
        assert reply["type"] == event["type"] == "Upload.created"
        assert reply["instance"] == event["instance"]
        assert event["instance"].keys() == INSTANCE_KEYS
        end = await observer.terminal_message(reply["instance"]["id"])
        assert end.keys() == PROCESSED_KEYS
        assert all(m.keys() == PARTIAL_KEYS for m in observer.seen if m.get("status") == "processing")


async def test_change_reaches_its_own_socket_once_as_the_reply(alice: Account) -> None:
    async with alice.client() as requester, alice.client() as observer:
        key = (await requester.create(scripted_png()))["instance"]["id"]
        for client in (requester, observer):
            await client.terminal_message(key)

        updated = await requester.request(
            {"type": "update", "instance_id": key, "data": {"filename": "new.png"}}
        )
        await assert_no_more_messages(requester)
        assert await observer.receive() == updated
        assert updated.keys() == {"type", "instance"}
        assert updated["instance"].keys() == INSTANCE_KEYS_WITH_TEXTS

        deleted = await observer.request({"type": "delete", "instance_id": key})
        await assert_no_more_messages(observer)
        assert await requester.receive() == deleted
        assert deleted.keys() == {"type", "instance"}
        assert deleted["instance"].keys() == INSTANCE_KEYS


async def test_upload_endpoint_receives_events_of_its_upload_only(alice: Account, gate: ReadingGate) -> None:
    async with alice.client() as requester:
        followed = (await requester.create(scripted_png(lines=LINES, **gate.after(0))))["instance"]["id"]
        async with alice.client(followed) as following:
            other = (await requester.create(scripted_png()))["instance"]["id"]
            gate.open()
            await following.terminal_message(followed)
            await requester.terminal_message(other)

            await assert_no_more_messages(following)
            assert received_types(following, other) == []
            assert received_types(following, followed)[-1] == "processed"


async def test_subscribe_reply_names_the_upload_of_the_endpoint(alice: Account) -> None:
    async with alice.client() as everything:
        key = (await everything.create(scripted_png()))["instance"]["id"]
        await everything.terminal_message(key)
        async with alice.client(key) as one:
            for client, followed in ((everything, None), (one, key)):
                await client.send({"type": "subscribe"})
                expected = {"message": "subscribed", "model": "Upload", "instance_id": followed}
                assert await client.receive() == expected


async def test_upload_endpoint_accepts_every_request(alice: Account) -> None:
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
            types = ["Upload.created", "Upload.status", "Upload.updated", "Upload.deleted"]
            assert received_types(one, other) == types


async def test_late_socket_receives_the_current_partial_and_nothing_else(
    alice: Account, bob: Account, gate: ReadingGate
) -> None:
    async with alice.client() as requester:
        done = (await requester.create(scripted_png()))["instance"]["id"]
        await requester.terminal_message(done)
        key = (await requester.create(scripted_png(lines=LINES, **gate.after(1))))["instance"]["id"]
        await requester.receive_until(lambda m: m.get("streamed_text") == "one")
        waiting = (await requester.create(scripted_png()))["instance"]["id"]
        partial = {"id": key, "status": "processing", "streamed_text": "one", "type": "Upload.status"}
        async with alice.client() as late, alice.client(key) as following:
            for client in (late, following):
                assert await client.receive() == partial
                await assert_no_more_messages(client)
        async with (
            alice.client(done) as other_upload_client,
            alice.client(waiting) as waiting_client,
            bob.client() as stranger,
        ):
            for client in (other_upload_client, waiting_client, stranger):
                await assert_no_more_messages(client)


async def test_delete_during_reading_is_the_last_event_of_the_upload(
    alice: Account, gate: ReadingGate
) -> None:
    async with alice.client() as requester, alice.client() as observer:
        key = (await requester.create(scripted_png(lines=LINES, **gate.after(1))))["instance"]["id"]
        await requester.receive_until(lambda m: m.get("streamed_text") == "one")
        await requester.request({"type": "delete", "instance_id": key})
        # The gate is still closed: the reader must drop the page to read the next upload.
        following = (await requester.create(scripted_png()))["instance"]["id"]
        for client in (requester, observer):
            await client.terminal_message(following)
            assert received_types(client, key)[-1] == "Upload.deleted"
            await assert_no_more_messages(client)
        assert await upload_ids(requester) == [following]


async def test_sixteen_concurrent_identical_creates_make_one_upload(
    alice: Account, gate: ReadingGate
) -> None:
    image = scripted_png(lines=LINES, **gate.after(0))
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(alice.client()) for _ in range(16)]
        replies: list[Message] = await asyncio.gather(*(client.create(image) for client in clients))
        gate.open()
        key = replies[0]["instance"]["id"]
        terminal_messages: list[Message] = await asyncio.gather(
            *(client.terminal_message(key) for client in clients)
        )

        assert {reply["instance"]["id"] for reply in replies} == {key}
        assert sorted(reply["duplicate"] for reply in replies) == [False] + [True] * 15
        assert all(end == terminal_messages[0] for end in terminal_messages)
        assert await upload_ids(clients[0]) == [key]
        for client, reply in zip(clients, replies, strict=True):
            await assert_no_more_messages(client)
            created = [m for m in client.seen if m.get("type") == "Upload.created"]
            # The creator receives only its reply; each other socket receives one event and its own reply.
            expected = ["duplicate", None] if reply["duplicate"] else ["duplicate"]
            assert sorted(("duplicate" if "duplicate" in m else None for m in created), key=str) == sorted(
                expected, key=str
            )
            assert partial_texts(client, key).count("") == 1
            assert received_types(client, key).count("processed") == 1
