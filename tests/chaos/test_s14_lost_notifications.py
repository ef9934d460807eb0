"""S14 - notifications are lost: replies, events and ends still arrive completely and in order."""

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


async def test_s14_events_arrive_completely_without_notifications(
    server_without_notifications: Server,
) -> None:
    account = Account.create(server_without_notifications)
    async with account.client() as plain_client, account.client() as client:
        state = ClientState()
        await client.send({"type": "subscribe", "stream": "delta"})
        state.apply(await client.receive())
        created = await client.create(scripted_png())
        key = created["instance"]["id"]
        await client.terminal_message(key)
        await client.request({"type": "update", "instance_id": key, "data": {"filename": "new.png"}})
        other = (await plain_client.create(scripted_png(lines=["x"])))["instance"]["id"]
        await plain_client.terminal_message(other)
        await plain_client.request({"type": "delete", "instance_id": key})
        await client.receive_until(lambda m: m.get("type") == "Upload.deleted")
        for message in client.seen:
            state.apply(message)
        listed = (await client.request({"type": "list"}))["list"]
        assert state.comparable() == comparable(listed)
        assert [upload["id"] for upload in listed] == [other]
        # A client that uses only the specification receives each change once.
        assert received_types(plain_client, key) == [
            "Upload.created",
            "Upload.status",
            "Upload.status",
            "processed",
            "Upload.updated",
            "Upload.deleted",
        ]
        statuses = ["Upload.status", "Upload.status"]
        assert received_types(plain_client, other) == ["Upload.created", *statuses, "processed"]


async def test_s14_change_by_another_process_without_notification_arrives(
    server: Server, tmp_path: Path
) -> None:
    account = Account.create(server)
    first = Document(tmp_path, 1, gates={1: 1})
    async with account.client() as client:
        reading = (await client.create(first.tiff))["instance"]["id"]
        waiting = (await client.create(scripted_png()))["instance"]["id"]
        # A warm reader may send it before the second reply.
        await client.received(lambda m: m.get("streamed_text") == "page 1")
        await asyncio.to_thread(cancel_in_database, account, waiting)
        assert (await client.terminal_message(waiting))["error"] == "Cancelled elsewhere"
        first.release_page(1)
        assert (await client.terminal_message(reading))["status"] == "processed"
