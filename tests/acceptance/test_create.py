"""What a create may bring, and what becomes of it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.acceptance.conftest import Barrier
from tests.support.accounts import Account
from tests.support.message_checks import (
    assert_no_more_messages,
    partial_texts,
    receive_terminal,
    received_types,
    upload_ids,
)
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient


def noise_png() -> bytes:
    """A PNG that does not compress: some 120 kB."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (200, 200), random.randbytes(120_000)).save(buffer, "PNG")
    return buffer.getvalue()


def broken_header() -> bytes:
    return scripted_png()[:20]


def cut_short() -> bytes:
    """A PNG whose header is fine and whose pixels are not all there."""
    return noise_png()[:60_000]


async def create_error(client: WebSocketClient, **data: object) -> Message:
    reply = await client.request({"type": "create", "data": data})
    assert reply.keys() == {"type", "error"}
    assert reply["type"] == "Upload.created"
    errors: Message = reply["error"]
    return errors


async def test_a_created_upload_says_what_it_is(alice: Account) -> None:
    image = scripted_png()
    async with alice.client() as client:
        instance = (await client.create(image, image_path="/home/someone/Rechnung 7.png"))["instance"]

        assert instance["owner"] == alice.name
        assert instance["status"] == "pending"
        assert instance["filename"] == "Rechnung 7.png"
        assert instance["image_path"] == f"{instance['id']}/original.png"
        assert instance["image_hash"] == hashlib.sha256(image).hexdigest()
        assert instance["content_type"] == "image/png"
        assert instance["bytes"] == len(image)
        assert instance["error"] is None
        assert (alice.server.data_dir / "files" / instance["image_path"]).read_bytes() == image


WRITTEN: dict[str, Callable[[str], str]] = {
    "plainly": lambda text: f'{{"type":"create","data":{{"image_base64":"{text}"}}}}',
    "with a data URL prefix": lambda text: (
        f'{{"type":"create","data":{{"image_base64":"data:image/png;base64,{text}"}}}}'
    ),
    "with white space inside": lambda text: json.dumps(
        {"type": "create", "data": {"image_base64": "\r\n ".join(textwrap.wrap(text, 76))}}
    ),
    "with escaped slashes": lambda text: (
        '{"type":"create","data":{"image_base64":"' + text.replace("/", "\\/") + '"}}'
    ),
    "with other escapes": lambda text: (
        '{"type":"create","data":{"image_base64":"' + text.replace("i", "\\u0069") + '"}}'
    ),
    "with spaces around the colon": lambda text: (
        f'{{ "data" : {{ "image_base64" : "{text}" , "image_path":null }} , "type" : "create" }}'
    ),
    "with its own key in a name": lambda text: json.dumps(
        {"type": "create", "data": {"image_path": '"image_base64": "', "image_base64": text}}
    ),
}


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("written", WRITTEN)
async def test_base64_may_be_written(alice: Account, written: str, size: str) -> None:
    image = scripted_png() if size == "small" else noise_png()
    async with alice.client() as client:
        await client.send_text(WRITTEN[written](base64.b64encode(image).decode()))
        reply = await client.receive()
        assert "error" not in reply
        assert reply["instance"]["image_hash"] == hashlib.sha256(image).hexdigest()


@pytest.mark.parametrize(
    "text",
    ["not base64!", "Zg", "Zg=", "Zg==Zg==", "Zm9v\u00e9", "data:image/png;base64,%%%%", "=", "A" * 100_001],
    ids=["letters", "no padding", "half of it", "two ends", "no ASCII", "data URL", "padding alone", "long"],
)
async def test_invalid_base64_is_an_error_on_its_field(alice: Account, text: str) -> None:
    async with alice.client() as client:
        errors = await create_error(client, image_base64=text)
        assert errors.keys() == {"image_base64"}
        assert errors["image_base64"].startswith("Invalid base64 encoding: ")
        assert await upload_ids(client) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"only text", b"\x89PNG", b"%PD", b"GIF89a", b"\xff\xd8\xff", b"BM", b"II*\0", broken_header()],
    ids=["empty", "text", "no PNG", "no PDF", "GIF", "JPEG", "BMP", "TIFF", "PNG"],
)
async def test_bytes_that_are_no_readable_format_make_no_upload(alice: Account, content: bytes) -> None:
    async with alice.client() as client, alice.client() as watching:
        errors = await create_error(client, image_base64=base64.b64encode(content).decode())
        assert errors.keys() == {"image_base64"}
        assert await upload_ids(client) == []
        await assert_no_more_messages(watching)
    assert list((alice.server.data_dir / "incoming").iterdir()) == []


async def test_a_file_that_only_decoding_shows_to_be_broken_ends_in_error_and_the_next_is_read(
    alice: Account,
) -> None:
    async with alice.client() as client:
        broken = (await client.create(cut_short()))["instance"]
        following = (await client.create(scripted_png(lines=["fine"])))["instance"]
        assert broken["status"] == "pending"

        end = await receive_terminal(client, broken["id"])
        assert end.keys() == {"id", "status", "type", "error"}
        assert end["status"] == "error"
        assert end["error"]
        assert (await receive_terminal(client, following["id"]))["raw_text"] == "fine"
        again = await client.request({"type": "retrieve", "instance_id": broken["id"]})
        assert again["instance"]["error"] == end["error"]


async def test_a_create_with_no_source_is_an_error_on_image_base64(alice: Account) -> None:
    async with alice.client() as client:
        assert (await create_error(client)).keys() == {"image_base64"}
        nulls = dict.fromkeys(("image_base64", "image_path", "image_hash"))
        assert (await create_error(client, **nulls)).keys() == {"image_base64"}
        await client.send({"type": "create"})
        assert (await client.receive())["error"].keys() == {"image_base64"}


async def test_an_unknown_field_is_an_error_on_that_field(alice: Account) -> None:
    async with alice.client() as client:
        assert (await create_error(client, image_base64="Zg==", owner="bob")).keys() == {"owner"}
        assert await upload_ids(client) == []


# ── duplicates ──


async def test_the_same_bytes_after_success_are_not_read_again(alice: Account) -> None:
    image = scripted_png()
    async with alice.client() as asking, alice.client() as watching:
        first = await asking.create(image)
        key = first["instance"]["id"]
        for client in (asking, watching):
            await client.terminal_message(key)

        again = await asking.create(image, image_path="other.png")
        assert again.keys() == {"type", "instance", "duplicate"}
        assert again["duplicate"] is True
        assert again["instance"]["id"] == key
        assert again["instance"]["status"] == "processed"
        assert again["instance"]["filename"] == first["instance"]["filename"]
        # Had it been queued again, it would be read before this one.
        other = (await asking.create(scripted_png()))["instance"]["id"]
        for client in (asking, watching):
            await client.terminal_message(other)
        assert received_types(watching, key)[-1] == "processed"
        assert received_types(asking, key)[-2:] == ["processed", "Upload.created"]


async def test_the_same_bytes_while_they_are_read_are_read_once(alice: Account, barrier: Barrier) -> None:
    image = scripted_png(lines=["one", "two"], **barrier.after(1))
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        again = await client.create(image)
        assert (again["duplicate"], again["instance"]["id"]) == (True, key)
        assert again["instance"]["status"] == "processing"
        barrier.lift()
        assert (await client.terminal_message(key))["raw_text"] == "one\ntwo"
        other = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(other)
        assert received_types(client, key).count("processed") == 1
        assert partial_texts(client, key).count("") == 1


async def test_the_same_bytes_after_an_error_are_read_again(alice: Account, tmp_path: Path) -> None:
    image = scripted_png(lines=["one"], then="raise", only_once=str(tmp_path / "raised"))
    async with alice.client() as asking, alice.client() as watching:
        key = (await asking.create(image))["instance"]["id"]
        for client in (asking, watching):
            assert (await client.terminal_message(key))["status"] == "error"

        again = await asking.create(image)
        event = await watching.receive()
        assert (again["type"], again["duplicate"]) == ("Upload.created", True)
        assert (again["instance"]["id"], again["instance"]["status"]) == (key, "pending")
        assert (event["type"], event["instance"]["status"]) == ("Upload.updated", "pending")
        assert event["instance"]["error"] is None
        for client in (asking, watching):
            assert (await client.terminal_message(key))["raw_text"] == "one"
            assert received_types(client, key).count("Upload.updated") == (client is watching)
        assert await upload_ids(asking) == [key]


async def test_a_hash_alone_finds_the_users_own_upload(alice: Account, bob: Account) -> None:
    image = scripted_png()
    async with alice.client() as client, bob.client() as stranger:
        created = (await client.create(image))["instance"]
        await client.terminal_message(created["id"])
        known = {"image_hash": created["image_hash"].upper()}
        reply = await client.request({"type": "create", "data": known})
        assert reply["duplicate"] is True
        assert reply["instance"]["id"] == created["id"]

        unknown = await create_error(client, image_hash="0" * 64)
        assert unknown.keys() == {"image_hash"}
        assert await create_error(stranger, **known) == unknown
        assert (await create_error(client, image_hash="optional-sha256")).keys() == {"image_hash"}


async def test_a_hash_beside_the_bytes_must_be_theirs(alice: Account) -> None:
    image = scripted_png()
    text = base64.b64encode(image).decode()
    async with alice.client() as client:
        errors = await create_error(client, image_base64=text, image_hash="0" * 64)
        assert errors.keys() == {"image_hash"}
        assert await upload_ids(client) == []

        own = hashlib.sha256(image).hexdigest().upper()
        assert (await client.create(image, image_hash=own))["duplicate"] is False


async def test_two_users_with_the_same_bytes_have_an_upload_each(alice: Account, bob: Account) -> None:
    image = scripted_png()
    async with alice.client() as one, bob.client() as other:
        first, second = await one.create(image), await other.create(image)
        assert second["duplicate"] is False
        assert first["instance"]["id"] != second["instance"]["id"]
        assert first["instance"]["image_path"] != second["instance"]["image_path"]


async def test_a_deleted_upload_leaves_no_duplicate_behind(alice: Account) -> None:
    image = scripted_png()
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        await client.terminal_message(key)
        last = await client.request({"type": "delete", "instance_id": key})
        assert (await client.create(image))["duplicate"] is False
        # The file goes after the row, but before the next request of the socket is heard.
        assert not (alice.server.data_dir / "files" / last["instance"]["image_path"]).exists()


# ── files of the server's machine ──


async def test_an_image_path_is_refused_unless_it_is_turned_on(alice: Account, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(scripted_png())
    async with alice.client() as client:
        assert (await create_error(client, image_path=str(path))).keys() == {"image_path"}
        assert await upload_ids(client) == []


async def test_an_image_path_below_an_import_root_is_copied_in(
    strict_server: Server, import_root: Path, tmp_path: Path
) -> None:
    account, image = Account.create(strict_server), scripted_png(lines=["imported"])
    (import_root / "below").mkdir()
    inside, outside = import_root / "below" / "scan.png", tmp_path / "scan.png"
    inside.write_bytes(image)
    outside.write_bytes(image)
    (import_root / "link.png").symlink_to(outside)
    async with account.client() as client:
        for refused in (str(outside), "link.png", "below", "missing.png", f"../{tmp_path.name}/scan.png"):
            assert (await create_error(client, image_path=refused)).keys() == {"image_path"}
        reply = await client.request({"type": "create", "data": {"image_path": "below/scan.png"}})
        assert reply["instance"]["filename"] == "scan.png"
        assert (await client.terminal_message(reply["instance"]["id"]))["raw_text"] == "imported"
        again = await client.request({"type": "create", "data": {"image_path": str(inside)}})
        assert again["duplicate"] is True
        assert inside.read_bytes() == image
