"""Invalid requests: each gets an error reply and changes nothing."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages
from tests.support.page_images import scripted_png
from tests.support.websocket_client import Message

KEY = "0a4f1f0e-6d5a-4c8e-9a43-3f3c5a7d2b10"


def encoded(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields})


# frame, type of the reply, the field with the error
INVALID_FRAMES: dict[str, tuple[str | bytes, str, str]] = {
    "an unknown type": (encoded("dance"), "error", "type"),
    "no type": ("{}", "error", "type"),
    "a type that is a number": ('{"type": 5}', "error", "type"),
    "a type of Python": ('{"type": "__init__"}', "error", "type"),
    "not JSON": ("subscribe", "error", "message"),
    "nothing": ("", "error", "message"),
    "half an object": ('{"type": "subscribe"', "error", "message"),
    "a list": ('[{"type": "subscribe"}]', "error", "message"),
    "a string": ('"subscribe"', "error", "message"),
    "null": ("null", "error", "message"),
    "deep nesting": ("[" * 100_000, "error", "message"),
    "deep nesting inside": (
        '{"type":"update","data":' + '{"metadata":' * 5_000 + "1" + "}" * 5_001,
        "error",
        "message",
    ),
    "a lone surrogate": ('{"type": "list", "search": "\\ud800"}', "error", "message"),
    "a NUL": ('{"type": "list", "search": "\\u0000"}', "error", "message"),
    "NaN": ('{"type": "list", "limit": NaN}', "error", "message"),
    "infinity": ('{"type": "list", "limit": 1e999}', "error", "message"),
    "a huge number": ('{"type": "list", "limit": ' + "9" * 10_000 + "}", "error", "message"),
    "a key twice": ('{"type": "list", "type": "subscribe"}', "error", "message"),
    "a binary frame": (b'{"type": "subscribe"}', "error", "message"),
    "a retrieve without id": (encoded("retrieve"), "Upload.status", "instance_id"),
    "an id that is a number": (encoded("retrieve", instance_id=5), "Upload.status", "instance_id"),
    "an id that is not a UUID": (encoded("retrieve", instance_id="1; DROP"), "Upload.status", "instance_id"),
    "an empty id": (encoded("retrieve", instance_id=""), "Upload.status", "instance_id"),
    "an id that is null": (encoded("delete", instance_id=None), "Upload.deleted", "instance_id"),
    "an unknown id to retrieve": (encoded("retrieve", instance_id=KEY), "Upload.status", "instance_id"),
    "an unknown id to delete": (encoded("delete", instance_id=KEY), "Upload.deleted", "instance_id"),
    "an unknown id to update": (
        encoded("update", instance_id=KEY, data={"filename": "a"}),
        "Upload.updated",
        "instance_id",
    ),
    "an update of nothing": (encoded("update", instance_id=KEY), "Upload.updated", "data"),
    "data that is a list": (encoded("update", instance_id=KEY, data=[1]), "Upload.updated", "data"),
    "base64 that is a number": (
        encoded("create", data={"image_base64": 5}),
        "Upload.created",
        "image_base64",
    ),
    "a path that is a list": (encoded("create", data={"image_path": ["a"]}), "Upload.created", "image_path"),
    "a limit of 0": (encoded("list", limit=0), "Upload.list", "limit"),
    "a limit too high": (encoded("list", limit=10_001), "Upload.list", "limit"),
    "a limit in quotes": (encoded("list", limit="2"), "Upload.list", "limit"),
    "a limit that is true": (encoded("list", limit=True), "Upload.list", "limit"),
    "a fraction of a limit": (encoded("list", limit=1.5), "Upload.list", "limit"),
    "an unknown status": (encoded("list", status="done"), "Upload.list", "status"),
    "a search that is an object": (encoded("list", search={}), "Upload.list", "search"),
    "a cursor that is a number": (encoded("list", cursor=5), "Upload.list", "cursor"),
    "a cursor of nothing": (encoded("list", cursor=""), "Upload.list", "cursor"),
    "a made-up cursor": (encoded("list", limit=2, cursor="made-up"), "Upload.list", "cursor"),
    "a cursor out of time": (
        # "0001-01-01T00:00:00+23:59 " and a UUID: a time before the first that UTC can express
        encoded(
            "list",
            cursor="MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OSAwYTRmMWYwZS02ZDVhLTRjOGUtOWE0My0zZjNjNWE3ZDJiMTA",
        ),
        "Upload.list",
        "cursor",
    ),
    "a ref too long": (encoded("list", ref="r" * 65), "Upload.list", "ref"),
    "a ref that is a number": (encoded("list", ref=7), "Upload.list", "ref"),
}


@pytest.mark.parametrize("name", INVALID_FRAMES)
async def test_invalid_frame_gets_an_error_and_the_socket_stays_open(alice: Account, name: str) -> None:
    frame, reply_type, field = INVALID_FRAMES[name]
    async with alice.client() as client:
        await client.socket.send(frame)
        reply = await client.receive()
        assert reply.keys() == {"type", "error"}
        assert reply["type"] == reply_type
        assert reply["error"].keys() == {field}
        assert all(isinstance(text, str) and text for text in reply["error"].values())
        await assert_no_more_messages(client)


@pytest.mark.parametrize("kind", ["retrieve", "update", "delete"])
async def test_request_for_another_users_upload_looks_like_an_unknown_id(
    alice: Account, bob: Account, kind: str
) -> None:
    async with alice.client() as owner, bob.client() as stranger:
        key = (await owner.create(scripted_png()))["instance"]["id"]
        await owner.terminal_message(key)
        replies = []
        for requested_id in (key, str(uuid.uuid4())):
            data = {"data": {"filename": "mine.png"}} if kind == "update" else {}
            await stranger.send({"type": kind, "instance_id": requested_id, **data})
            replies.append(await stranger.socket.recv())
        assert replies[0] == replies[1]
        assert json.loads(replies[0])["error"].keys() == {"instance_id"}
        await assert_no_more_messages(owner)
        assert (await owner.request({"type": "retrieve", "instance_id": key}))["instance"][
            "filename"
        ] != "mine.png"


async def test_update_with_several_invalid_fields_reports_all_of_them(alice: Account) -> None:
    data = {"filename": "", "owner": "bob", "status": "processed"}
    async with alice.client() as client:
        await client.send({"type": "update", "instance_id": "x", "data": data})
        assert (await client.receive())["error"].keys() == {"instance_id", "filename", "owner", "status"}


async def test_request_with_unknown_keys_ignores_them(alice: Account) -> None:
    async with alice.client() as client:
        await client.send({"type": "list", "color": "red", "data": None, "ref": None})
        assert await client.receive() == {"type": "Upload.list", "list": []}


REQUESTS: list[Message] = [
    {"type": "subscribe"},
    {"type": "list"},
    {"type": "list", "limit": 5},
    {"type": "retrieve", "instance_id": KEY},
    {"type": "update", "instance_id": KEY, "data": {"owner": "bob"}},
    {"type": "delete", "instance_id": "x"},
    {"type": "create", "data": {"image_base64": "%"}},
    {"type": "create", "data": {"image_hash": "0"}},
    {"type": "dance"},
]


@pytest.mark.parametrize("request_", REQUESTS, ids=json.dumps)
async def test_ref_is_echoed_only_if_the_request_has_one(alice: Account, request_: Message) -> None:
    async with alice.client() as client:
        await client.send(request_)
        reply = await client.receive()
        assert "ref" not in reply
        for ref in ("r" * 64, "", 'é"\\'):
            await client.send(request_ | {"ref": ref})
            assert await client.receive() == reply | {"ref": ref}


async def test_ref_is_absent_from_events_and_partials(alice: Account) -> None:
    async with alice.client() as requester, alice.client() as observer:
        key = (await requester.create(scripted_png()))["instance"]["id"]
        for client in (requester, observer):
            await client.terminal_message(key)
        await requester.request({"type": "delete", "instance_id": key})
        await observer.receive_until(lambda m: m["type"] == "Upload.deleted")
        assert not any("ref" in message for message in observer.seen)
        assert sum("ref" in message for message in requester.seen) == 2
