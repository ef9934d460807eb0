"""list, retrieve, update and delete."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Barrier
from tests.support.accounts import Account
from tests.support.message_checks import (
    INSTANCE_KEYS,
    INSTANCE_KEYS_WITH_TEXTS,
    assert_no_more_messages,
    upload_ids,
)
from tests.support.page_images import scripted_png
from tests.support.websocket_client import Message, WebSocketClient


async def read(client: WebSocketClient, *, name: str = "scan.png", **script: object) -> str:
    """The id of a new upload that has been read."""
    key: str = (await client.create(scripted_png(**script), image_path=name))["instance"]["id"]
    await client.terminal_message(key)
    return key


async def listed(client: WebSocketClient, **parameters: object) -> list[str]:
    reply = await client.request({"type": "list", **parameters})
    return [instance["id"] for instance in reply["list"]]


async def update(client: WebSocketClient, key: str, **data: object) -> Message:
    return await client.request({"type": "update", "instance_id": key, "data": data})


async def test_a_list_has_all_uploads_of_the_user_newest_first(alice: Account, bob: Account) -> None:
    async with alice.client() as client, bob.client() as stranger:
        keys = [await read(client) for _ in range(3)]
        await client.send({"type": "list"})
        reply = await client.receive()

        assert reply.keys() == {"type", "list"}
        assert reply["type"] == "Upload.list"
        assert [instance["id"] for instance in reply["list"]] == keys[::-1]
        assert all(instance.keys() == INSTANCE_KEYS for instance in reply["list"])
        assert await upload_ids(stranger) == []


async def test_a_list_is_walked_in_pages(alice: Account) -> None:
    async with alice.client() as client:
        keys = [await read(client) for _ in range(5)]
        walked, cursor, sizes = [], None, []
        while True:
            page = await client.request({"type": "list", "limit": 2, "cursor": cursor})
            assert page.keys() == {"type", "list", "next"}
            walked += [instance["id"] for instance in page["list"]]
            sizes.append(len(page["list"]))
            if (cursor := page["next"]) is None:
                break
        assert sizes == [2, 2, 1]
        assert walked == keys[::-1]

        exactly = await client.request({"type": "list", "limit": 5})
        assert exactly["next"] is None
        first = await client.request({"type": "list", "limit": 2})
        rest = await client.request({"type": "list", "cursor": first["next"]})
        assert rest.keys() == {"type", "list"}
        assert [instance["id"] for instance in rest["list"]] == keys[2::-1]


async def test_a_list_can_be_narrowed(alice: Account) -> None:
    async with alice.client() as client:
        invoice = await read(client, name="Invoice_7.png", lines=["Total 12.50"])
        letter = await read(client, name="letter.png", lines=["Dear Ms Keller"])
        failed = await read(client, name="100%.png", then="raise")

        assert await listed(client, status="processed") == [letter, invoice]
        assert await listed(client, status="error") == [failed]
        assert await listed(client, status="cancelled") == []
        assert await listed(client, search="invoice") == [invoice]
        assert await listed(client, search="keller") == [letter]
        assert await listed(client, search="%") == [failed]
        assert await listed(client, search="_") == [invoice]
        assert await listed(client, search="png", status="processed", limit=1) == [letter]


async def test_retrieve_gives_the_whole_state(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client, lines=["# Title", "one", "two"])
        await client.send({"type": "retrieve", "instance_id": key})
        reply = await client.receive()

        assert reply.keys() == {"type", "instance"}
        assert reply["type"] == "Upload.status"
        instance = reply["instance"]
        assert instance.keys() == INSTANCE_KEYS_WITH_TEXTS
        assert instance["status"] == "processed"
        assert instance["raw_text"] == "# Title\n\none\ntwo"
        assert instance["processed_text"] == "Title\n\none two"
        assert (instance["page_count"], instance["pages_done"], instance["engine"]) == (1, 1, "dummy")
        assert instance["created_at"] <= instance["updated_at"]
        assert instance["created_at"].endswith("Z")


async def test_retrieve_takes_an_id_however_it_is_written(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client)
        for written in (key.upper(), key.replace("-", "")):
            reply = await client.request({"type": "retrieve", "instance_id": written})
            assert reply["instance"]["id"] == key


async def test_an_update_sets_what_is_given_and_leaves_the_rest(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client, lines=["one"])
        before = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        changes: list[Message] = [
            {"filename": "Übersicht 2026.png"},
            {"metadata": {"tags": ["a", "b"], "nested": {"n": 1.5, "none": None}}},
            {"processed_text": "corrected\n\nby hand"},
            {"processed_text": ""},
        ]
        for change in changes:
            reply = await update(client, key, **change)
            assert reply.keys() == {"type", "instance"}
            assert reply["type"] == "Upload.updated"
            assert reply["instance"].keys() == INSTANCE_KEYS_WITH_TEXTS
            before |= change
            assert reply["instance"] == before | {"updated_at": reply["instance"]["updated_at"]}
        assert before["raw_text"] == "one"


async def test_an_upload_may_be_changed_while_it_is_read(alice: Account, barrier: Barrier) -> None:
    async with alice.client() as client:
        reply = await client.create(scripted_png(lines=["one", "two"], **barrier.after(1)))
        key = reply["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        changed = await update(client, key, filename="new.png", processed_text="mine")
        assert (changed["instance"]["status"], changed["instance"]["filename"]) == ("processing", "new.png")
        barrier.lift()
        end = await client.terminal_message(key)
        assert (end["raw_text"], end["processed_text"]) == ("one\ntwo", "mine")
        instance = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        assert (instance["status"], instance["filename"]) == ("processed", "new.png")


async def test_null_takes_a_correction_back(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client, lines=["one"])
        assert (await update(client, key, processed_text="mine"))["instance"]["processed_text"] == "mine"
        assert (await update(client, key, processed_text=None))["instance"]["processed_text"] == "one"


async def test_a_correction_survives_reading_again(alice: Account, tmp_path: Path) -> None:
    image = scripted_png(lines=["read"], then="raise", only_once=str(tmp_path / "raised"))
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        assert (await client.terminal_message(key))["status"] == "error"
        await update(client, key, processed_text="mine")
        await client.create(image)
        end = await client.terminal_message(key)
        assert (end["raw_text"], end["processed_text"]) == ("read", "mine")
        assert (await update(client, key, processed_text=None))["instance"]["processed_text"] == "read"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("raw_text", "forged"),
        ("status", "processed"),
        ("owner", "bob"),
        ("id", "0a4f1f0e-6d5a-4c8e-9a43-3f3c5a7d2b10"),
        ("image_path", "../../etc/passwd"),
        ("image_base64", "Zg=="),
        ("correction", "x"),
        ("filename", ""),
        ("filename", "a/b.png"),
        ("filename", ".."),
        ("filename", "a" * 256),
        ("filename", "line\nbreak"),
        ("filename", None),
        ("filename", 5),
        ("processed_text", 5),
        ("metadata", []),
        ("metadata", None),
        ("metadata", {"big": "x" * 16_384}),
    ],
)
async def test_an_update_of_any_other_kind_is_an_error_on_its_field(
    alice: Account, field: str, value: object
) -> None:
    async with alice.client() as client, alice.client() as watching:
        key = (await client.create(scripted_png()))["instance"]["id"]
        for each in (client, watching):
            await each.terminal_message(key)
        before = await client.request({"type": "retrieve", "instance_id": key})
        reply = await client.request(
            {"type": "update", "instance_id": key, "data": {"processed_text": "x", field: value}}
        )
        assert reply.keys() == {"type", "error"}
        assert reply["type"] == "Upload.updated"
        assert reply["error"].keys() == {field}
        assert await client.request({"type": "retrieve", "instance_id": key}) == before
        await assert_no_more_messages(watching)


async def test_metadata_may_be_just_as_large_as_allowed(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client)
        metadata = {"m": "x" * (16 * 1024 - len('{"m":""}'))}
        assert (await update(client, key, metadata=metadata))["instance"]["metadata"] == metadata


async def test_a_deleted_upload_gives_its_last_state_and_is_gone(alice: Account) -> None:
    async with alice.client() as client, alice.client() as watching:
        key = await read(client)
        await watching.terminal_message(key)
        async with alice.client(key) as following:
            last = await client.request({"type": "delete", "instance_id": key})
            assert last.keys() == {"type", "instance"}
            assert last["type"] == "Upload.deleted"
            assert last["instance"].keys() == INSTANCE_KEYS
            assert last["instance"]["status"] == "processed"
            assert await watching.receive() == last
            assert await following.receive() == last
            unknown = await client.request(
                {"type": "retrieve", "instance_id": "0a4f1f0e-6d5a-4c8e-9a43-3f3c5a7d2b10"}
            )
            for each in (client, watching, following):
                assert await each.request({"type": "retrieve", "instance_id": key}) == unknown
            again = await client.request({"type": "delete", "instance_id": key})
            assert again == {"type": "Upload.deleted", "error": unknown["error"]}
        assert await upload_ids(client) == []
