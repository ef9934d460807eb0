"""`wait`, `follow`, `list_all` and deadlines of the clients."""

from __future__ import annotations

import pytest
from scanrill_client import (
    Client,
    DeadlineExceeded,
    Deleted,
    Finished,
    NotFound,
    Progress,
    RequestError,
    Updated,
    UploadDeleted,
)

from tests.clients.conftest import MakeClient, ReadingGate
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import scripted_tiff

UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"


async def test_wait_returns_the_upload_with_its_text(make_client: MakeClient, ada: Account) -> None:
    client = make_client(ada)
    created = await client.create(scripted_png(lines=["awaited"]), filename="a.png")
    instance = await client.wait(created.upload_id)
    assert (instance.status, instance.raw_text) == ("processed", "awaited")
    assert (await client.wait(created.upload_id)).raw_text == "awaited"
    with pytest.raises(NotFound):
        await client.wait(UNKNOWN_ID)


async def test_wait_past_its_deadline_leaves_the_upload(
    make_client: MakeClient, ada: Account, gate: ReadingGate
) -> None:
    client = make_client(ada)
    scan = scripted_png(lines=["late"], **gate.after(1))
    created = await client.create(scan)
    with pytest.raises(DeadlineExceeded, match="within 0 seconds"):
        await client.wait(created.upload_id, timeout=0)
    with pytest.raises(TimeoutError):
        await client.read(scan, timeout=0)
    gate.open()
    assert (await client.wait(created.upload_id)).raw_text == "late"


async def test_follow_yields_the_text_and_ends(
    make_client: MakeClient, ada: Account, gate: ReadingGate
) -> None:
    client = make_client(ada)
    created = await client.create(scripted_png(lines=["followed"], **gate.after(1)))
    followed = []
    async for event in client.follow(created.upload_id):
        if not followed:
            gate.open()
        followed.append(event)
    assert isinstance(followed[-1], Finished)
    assert followed[-1].result() == "followed"
    assert {type(event) for event in followed[:-1]} <= {Progress, Updated}


async def test_follow_of_a_deleted_upload_ends(
    make_client: MakeClient, ada: Account, gate: ReadingGate
) -> None:
    client = make_client(ada)
    created = await client.create(scripted_png(lines=["deleted"], **gate.after(1)))
    events = client.follow(created.upload_id)
    first = await anext(events)
    await client.delete(created.upload_id)
    rest = [first, *[event async for event in events]]
    assert isinstance(rest[-1], Deleted)
    with pytest.raises((NotFound, UploadDeleted)):
        await client.wait(created.upload_id)


async def test_list_all_yields_every_upload_over_pages(make_client: MakeClient, ada: Account) -> None:
    client = make_client(ada)
    ids = [(await client.create(scripted_png(lines=[f"scan {n}"]))).upload_id for n in range(3)]
    listed = [instance.id async for instance in client.list_all(limit=2)]
    assert listed == ids[::-1]


def test_sync_client_waits_follows_and_lists(ada: Account) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        created = client.create(scripted_png(lines=["sync"]))
        assert client.wait(created.upload_id, timeout=60).raw_text == "sync"
        [finished] = client.follow(created.upload_id)
        assert isinstance(finished, Finished)
        assert [upload.id for upload in client.list_all()] == [created.upload_id]


async def test_read_of_a_duplicate_with_other_options_returns_what_was_asked(
    make_client: MakeClient, ada: Account
) -> None:
    client = make_client(ada)
    scan = scripted_tiff([{"lines": ["page one"]}, {"lines": ["page two"]}])
    assert await client.read(scan, metadata={"box": 7}) == "page one\n\npage two"
    assert await client.read(scan, pages="2") == "page two"
    assert await client.read(scan, pages="1", on_duplicate="existing") == "page two"
    with pytest.raises(RequestError, match=r"\w"):
        await client.read(scan, on_duplicate="error")
    [upload] = [instance async for instance in client.list_all()]
    assert upload.metadata == {"box": 7}
