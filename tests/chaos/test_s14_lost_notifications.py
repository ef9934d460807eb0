"""S14 — no bell is heard: replies, events and ends come all the same, in order, and nothing is missing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.accounts import Account
from tests.support.client_state import ClientState, comparable
from tests.support.external_changes import cancel_in_database
from tests.support.message_checks import received_types
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import Document
from tests.support.server import Server


async def test_s14_everything_arrives_without_a_bell(server_without_notifications: Server) -> None:
    account = Account.create(server_without_notifications)
    async with account.client() as plainly, account.client() as client:
        folded = ClientState()
        await client.send({"type": "subscribe", "stream": "delta"})
        folded.apply(await client.receive())
        created = await client.create(scripted_png())
        key = created["instance"]["id"]
        await client.terminal_message(key)
        await client.request({"type": "update", "instance_id": key, "data": {"filename": "new.png"}})
        other = (await plainly.create(scripted_png(lines=["x"])))["instance"]["id"]
        await plainly.terminal_message(other)
        await plainly.request({"type": "delete", "instance_id": key})
        await client.receive_until(lambda m: m.get("type") == "Upload.deleted")
        for message in client.seen:
            folded.apply(message)
        listed = (await client.request({"type": "list"}))["list"]
        assert folded.comparable() == comparable(listed)
        assert [upload["id"] for upload in listed] == [other]
        # One that knows the specification alone hears each change once.
        assert received_types(plainly, key) == [
            "Upload.created",
            "processed",
            "Upload.updated",
            "Upload.deleted",
        ]
        assert received_types(plainly, other) == ["Upload.created", "processed"]


async def test_s14_what_another_process_does_is_found(server: Server, tmp_path: Path) -> None:
    account = Account.create(server)
    first = Document(tmp_path, 1, gates={1: 1})
    async with account.client() as client:
        reading = (await client.create(first.tiff))["instance"]["id"]
        waiting = (await client.create(scripted_png()))["instance"]["id"]
        # A reader that is warm may say it before the second reply.
        await client.received(lambda m: m.get("streamed_text") == "page 1")
        await asyncio.to_thread(cancel_in_database, account, waiting)
        assert (await client.terminal_message(waiting))["error"] == "Cancelled elsewhere"
        first.release_page(1)
        assert (await client.terminal_message(reading))["status"] == "processed"
