"""H6 - large lists are bounded by bytes, take no write lock, and wait in memory for few clients."""

from __future__ import annotations

import asyncio
import threading
import uuid

import pytest
from django.db import connection

from backend_main.core.fair_sharing import FairSemaphore
from backend_main.core.live.replay import EventLogReader, Snapshot
from backend_main.core.models import Upload
from backend_main.core.protocol import messages
from backend_main.core.runtime import MAX_UNREAD_LISTS_PER_USER
from backend_main.core.uploads import listing
from tests.support.database import new_upload, new_user
from tests.support.hub_harness import OTHER, FakeClient, HubHarness, clock, hub, join, run_until_idle

__all__ = ["clock", "hub"]

# More than a connection may have unsent before its next request.
LONG_LIST = '{"type": "Upload.list", "list": [], "padding": "' + "x" * 200_000 + '"}'


def subscribe_since(hub: HubHarness, client: FakeClient) -> asyncio.Task[None]:
    client.connection.begin_request(messages.Subscribe(since="unknown"))
    return asyncio.create_task(hub.resume(client.connection, "unknown", None))


async def test_h6_few_lists_of_a_user_wait_until_clients_read(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[uuid.UUID] = []

    def snapshot(owner_id: uuid.UUID, upload_id: uuid.UUID | None) -> Snapshot:
        built.append(owner_id)
        return Snapshot(0, LONG_LIST)

    monkeypatch.setattr(hub.log, "snapshot", snapshot)
    monkeypatch.setattr(hub, "_unread_lists", FairSemaphore(None, MAX_UNREAD_LISTS_PER_USER))
    clients = [await join(hub, FakeClient()) for _ in range(5)]
    tasks = [subscribe_since(hub, client) for client in clients]
    await run_until_idle()
    assert len(built) == MAX_UNREAD_LISTS_PER_USER
    other = await join(hub, FakeClient(owner=OTHER))
    tasks.append(subscribe_since(hub, other))
    await run_until_idle()
    assert built[-1] == OTHER, "another user does not wait"
    await clients[0].received
    await run_until_idle()
    assert len(built) == MAX_UNREAD_LISTS_PER_USER + 2, "the next list follows when one is read"
    for client in clients:
        client.connection.send_queue.close()
    await run_until_idle()
    assert len(built) == 6, "the end of a connection frees its place"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.django_db(transaction=True)
def test_h6_snapshot_takes_no_write_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    upload, list_uploads = new_upload(new_user()), listing.uploads

    def write() -> None:
        Upload.objects.filter(pk=upload.pk).update(filename="written.png")
        connection.close()

    writer = threading.Thread(target=write)

    def list_while_writing(**filters: object) -> listing.Listing:
        writer.start()
        writer.join()  # for as long as SQLite waits for a lock, if there is one
        return list_uploads(**filters)  # type: ignore[arg-type]

    monkeypatch.setattr(listing, "uploads", list_while_writing)
    snapshot = EventLogReader().snapshot(upload.owner_id, None)
    assert upload.filename in snapshot.text, "it is of the moment before"
    assert Upload.objects.get(pk=upload.pk).filename == "written.png"
