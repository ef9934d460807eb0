"""The requests list, retrieve, update and delete."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import ReadingGate
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
    """Create an upload, wait until it is read, and return its id."""
    key: str = (await client.create(scripted_png(**script), image_path=name))["instance"]["id"]
    await client.terminal_message(key)
    return key


async def list_ids(client: WebSocketClient, **parameters: object) -> list[str]:
    reply = await client.request({"type": "list", **parameters})
    return [instance["id"] for instance in reply["list"]]


async def update(client: WebSocketClient, key: str, **data: object) -> Message:
    return await client.request({"type": "update", "instance_id": key, "data": data})


async def test_list_returns_all_uploads_of_the_user_newest_first(alice: Account, bob: Account) -> None:
    async with alice.client() as client, bob.client() as stranger:
        keys = [await read(client) for _ in range(3)]
        await client.send({"type": "list"})
        reply = await client.receive()

        assert reply.keys() == {"type", "list"}
        assert reply["type"] == "Upload.list"
        assert [instance["id"] for instance in reply["list"]] == keys[::-1]
        assert all(instance.keys() == INSTANCE_KEYS for instance in reply["list"])
        assert await upload_ids(stranger) == []


async def test_list_with_limit_is_paginated_by_cursor(alice: Account) -> None:
    async with alice.client() as client:
        keys = [await read(client) for _ in range(5)]
        collected, cursor, sizes = [], None, []
        while True:
            page = await client.request({"type": "list", "limit": 2, "cursor": cursor})
            assert page.keys() == {"type", "list", "next"}
            collected += [instance["id"] for instance in page["list"]]
            sizes.append(len(page["list"]))
            if (cursor := page["next"]) is None:
                break
        assert sizes == [2, 2, 1]
        assert collected == keys[::-1]

        exactly = await client.request({"type": "list", "limit": 5})
        assert exactly["next"] is None
        first = await client.request({"type": "list", "limit": 2})
        rest = await client.request({"type": "list", "cursor": first["next"]})
        assert rest.keys() == {"type", "list"}
        assert [instance["id"] for instance in rest["list"]] == keys[2::-1]


async def test_list_filters_by_status_and_search(alice: Account) -> None:
    async with alice.client() as client:
        invoice = await read(client, name="Invoice_7.png", lines=["Total 12.50"])
        letter = await read(client, name="letter.png", lines=["Dear Ms Keller"])
        failed = await read(client, name="100%.png", then="raise")

        assert await list_ids(client, status="processed") == [letter, invoice]
        assert await list_ids(client, status="error") == [failed]
        assert await list_ids(client, status="cancelled") == []
        assert await list_ids(client, search="invoice") == [invoice]
        assert await list_ids(client, search="keller") == [letter]
        assert await list_ids(client, search="%") == [failed]
        assert await list_ids(client, search="_") == [invoice]
        assert await list_ids(client, search="png", status="processed", limit=1) == [letter]


async def test_retrieve_returns_the_full_instance(alice: Account) -> None:
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


async def test_retrieve_accepts_every_notation_of_an_id(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client)
        for written in (key.upper(), key.replace("-", "")):
            reply = await client.request({"type": "retrieve", "instance_id": written})
            assert reply["instance"]["id"] == key


async def test_update_changes_only_the_given_fields(alice: Account) -> None:
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


async def test_update_during_reading_is_accepted(alice: Account, gate: ReadingGate) -> None:
    async with alice.client() as client:
        reply = await client.create(scripted_png(lines=["one", "two"], **gate.after(1)))
        key = reply["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        changed = await update(client, key, filename="new.png", processed_text="mine")
        assert (changed["instance"]["status"], changed["instance"]["filename"]) == ("processing", "new.png")
        gate.open()
        end = await client.terminal_message(key)
        assert (end["raw_text"], end["processed_text"]) == ("one\ntwo", "mine")
        instance = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        assert (instance["status"], instance["filename"]) == ("processed", "new.png")


async def test_update_of_processed_text_to_null_removes_the_correction(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client, lines=["one"])
        assert (await update(client, key, processed_text="mine"))["instance"]["processed_text"] == "mine"
        assert (await update(client, key, processed_text=None))["instance"]["processed_text"] == "one"


async def test_correction_survives_a_second_reading(alice: Account, tmp_path: Path) -> None:
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
async def test_update_with_forbidden_or_invalid_field_is_an_error_on_it(
    alice: Account, field: str, value: object
) -> None:
    async with alice.client() as client, alice.client() as observer:
        key = (await client.create(scripted_png()))["instance"]["id"]
        for each in (client, observer):
            await each.terminal_message(key)
        before = await client.request({"type": "retrieve", "instance_id": key})
        reply = await client.request(
            {"type": "update", "instance_id": key, "data": {"processed_text": "x", field: value}}
        )
        assert reply.keys() == {"type", "error"}
        assert reply["type"] == "Upload.updated"
        assert reply["error"].keys() == {field}
        assert await client.request({"type": "retrieve", "instance_id": key}) == before
        await assert_no_more_messages(observer)


async def test_update_with_metadata_of_exactly_the_limit_is_accepted(alice: Account) -> None:
    async with alice.client() as client:
        key = await read(client)
        metadata = {"m": "x" * (16 * 1024 - len('{"m":""}'))}
        assert (await update(client, key, metadata=metadata))["instance"]["metadata"] == metadata


async def test_delete_returns_the_last_state_and_removes_the_upload(alice: Account) -> None:
    async with alice.client() as client, alice.client() as observer:
        key = await read(client)
        await observer.terminal_message(key)
        async with alice.client(key) as upload_client:
            last = await client.request({"type": "delete", "instance_id": key})
            assert last.keys() == {"type", "instance"}
            assert last["type"] == "Upload.deleted"
            assert last["instance"].keys() == INSTANCE_KEYS
            assert last["instance"]["status"] == "processed"
            assert await observer.receive() == last
            assert await upload_client.receive() == last
            unknown = await client.request(
                {"type": "retrieve", "instance_id": "0a4f1f0e-6d5a-4c8e-9a43-3f3c5a7d2b10"}
            )
            for each in (client, observer, upload_client):
                assert await each.request({"type": "retrieve", "instance_id": key}) == unknown
            second_delete = await client.request({"type": "delete", "instance_id": key})
            assert second_delete == {"type": "Upload.deleted", "error": unknown["error"]}
        assert await upload_ids(client) == []
