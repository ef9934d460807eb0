"""Creating uploads over the WebSocket: sources, encodings, errors, duplicates, import paths."""

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

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.message_checks import (
    assert_no_more_messages,
    partial_texts,
    receive_terminal,
    received_types,
    upload_ids,
)
from tests.support.page_images import cut_before_pixels, scripted_png
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient


def noise_png() -> bytes:
    """Return a PNG of about 120 kB that does not compress."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (200, 200), random.randbytes(120_000)).save(buffer, "PNG")
    return buffer.getvalue()


def png_with_cut_header() -> bytes:
    return scripted_png()[:20]


def png_without_pixels() -> bytes:
    """Return a PNG with a valid header that ends where its pixels begin."""
    return cut_before_pixels(noise_png())


async def create_error(client: WebSocketClient, **data: object) -> Message:
    reply = await client.request({"type": "create", "data": data})
    assert reply.keys() == {"type", "error"}
    assert reply["type"] == "Upload.created"
    errors: Message = reply["error"]
    return errors


async def test_create_returns_the_metadata_of_the_upload(alice: Account) -> None:
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


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: f'{{"type":"create","data":{{"image_base64":"{text}"}}}}',
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
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_create_accepts_base64_in_every_encoding(alice: Account, encoding: str, size: str) -> None:
    image = scripted_png() if size == "small" else noise_png()
    async with alice.client() as client:
        await client.send_text(ENCODINGS[encoding](base64.b64encode(image).decode()))
        reply = await client.receive()
        assert "error" not in reply
        assert reply["instance"]["image_hash"] == hashlib.sha256(image).hexdigest()


@pytest.mark.parametrize(
    "text",
    ["not base64!", "Zg", "Zg=", "Zg==Zg==", "Zm9v\u00e9", "data:image/png;base64,%%%%", "=", "A" * 100_001],
    ids=["letters", "no padding", "half", "two ends", "not ASCII", "data URL", "padding only", "long"],
)
async def test_create_with_invalid_base64_is_an_error_on_its_field(alice: Account, text: str) -> None:
    async with alice.client() as client:
        errors = await create_error(client, image_base64=text)
        assert errors.keys() == {"image_base64"}
        assert errors["image_base64"].startswith("Invalid base64 encoding: ")
        assert await upload_ids(client) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"only text",
        b"\x89PNG",
        b"%PD",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"BM",
        b"II*\0",
        png_with_cut_header(),
    ],
    ids=["empty", "text", "cut PNG signature", "cut PDF signature", "GIF", "JPEG", "BMP", "TIFF", "PNG"],
)
async def test_create_with_unsupported_bytes_makes_no_upload(alice: Account, content: bytes) -> None:
    async with alice.client() as client, alice.client() as observer:
        errors = await create_error(client, image_base64=base64.b64encode(content).decode())
        assert errors.keys() == {"image_base64"}
        assert await upload_ids(client) == []
        await assert_no_more_messages(observer)
    assert not any(path.is_file() for path in (alice.server.data_dir / "incoming").iterdir())


async def test_read_of_undecodable_file_ends_in_error_and_the_next_is_read(
    alice: Account,
) -> None:
    async with alice.client() as client:
        broken = (await client.create(png_without_pixels()))["instance"]
        following = (await client.create(scripted_png(lines=["fine"])))["instance"]
        assert broken["status"] == "pending"

        end = await receive_terminal(client, broken["id"])
        assert end.keys() == {"id", "status", "type", "error"}
        assert end["status"] == "error"
        assert end["error"]
        assert (await receive_terminal(client, following["id"]))["raw_text"] == "fine"
        repeated = await client.request({"type": "retrieve", "instance_id": broken["id"]})
        assert repeated["instance"]["error"] == end["error"]


async def test_create_without_source_is_an_error_on_image_base64(alice: Account) -> None:
    async with alice.client() as client:
        assert (await create_error(client)).keys() == {"image_base64"}
        nulls = dict.fromkeys(("image_base64", "image_path", "image_hash"))
        assert (await create_error(client, **nulls)).keys() == {"image_base64"}
        await client.send({"type": "create"})
        assert (await client.receive())["error"].keys() == {"image_base64"}


async def test_create_with_unknown_field_is_an_error_on_that_field(alice: Account) -> None:
    async with alice.client() as client:
        assert (await create_error(client, image_base64="Zg==", owner="bob")).keys() == {"owner"}
        assert await upload_ids(client) == []


# ── duplicates ──


async def test_create_duplicate_of_processed_upload_is_not_read(alice: Account) -> None:
    image = scripted_png()
    async with alice.client() as requester, alice.client() as observer:
        first = await requester.create(image)
        key = first["instance"]["id"]
        for client in (requester, observer):
            await client.terminal_message(key)

        repeated = await requester.create(image, image_path="other.png")
        assert repeated.keys() == {"type", "instance", "duplicate"}
        assert repeated["duplicate"] is True
        assert repeated["instance"]["id"] == key
        assert repeated["instance"]["status"] == "processed"
        assert repeated["instance"]["filename"] == first["instance"]["filename"]
        # If the duplicate were queued, it would be read before this one.
        other = (await requester.create(scripted_png()))["instance"]["id"]
        for client in (requester, observer):
            await client.terminal_message(other)
        assert received_types(observer, key)[-1] == "processed"
        assert received_types(requester, key)[-2:] == ["processed", "Upload.created"]


async def test_create_duplicate_during_reading_is_read_once(alice: Account, gate: ReadingGate) -> None:
    image = scripted_png(lines=["one", "two"], **gate.after(1))
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        repeated = await client.create(image)
        assert (repeated["duplicate"], repeated["instance"]["id"]) == (True, key)
        assert repeated["instance"]["status"] == "processing"
        gate.open()
        assert (await client.terminal_message(key))["raw_text"] == "one\ntwo"
        other = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(other)
        assert received_types(client, key).count("processed") == 1
        assert partial_texts(client, key).count("") == 1


async def test_create_duplicate_of_failed_upload_is_read_again(alice: Account, tmp_path: Path) -> None:
    image = scripted_png(lines=["one"], then="raise", only_once=str(tmp_path / "raised"))
    async with alice.client() as requester, alice.client() as observer:
        key = (await requester.create(image))["instance"]["id"]
        for client in (requester, observer):
            assert (await client.terminal_message(key))["status"] == "error"

        repeated = await requester.create(image)
        event = await observer.receive()
        assert (repeated["type"], repeated["duplicate"]) == ("Upload.created", True)
        assert (repeated["instance"]["id"], repeated["instance"]["status"]) == (key, "pending")
        assert (event["type"], event["instance"]["status"]) == ("Upload.updated", "pending")
        assert event["instance"]["error"] is None
        for client in (requester, observer):
            assert (await client.terminal_message(key))["raw_text"] == "one"
            assert received_types(client, key).count("Upload.updated") == (client is observer)
        assert await upload_ids(requester) == [key]


async def test_create_by_hash_finds_only_the_users_own_upload(alice: Account, bob: Account) -> None:
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


async def test_create_with_hash_of_other_bytes_is_an_error(alice: Account) -> None:
    image = scripted_png()
    text = base64.b64encode(image).decode()
    async with alice.client() as client:
        errors = await create_error(client, image_base64=text, image_hash="0" * 64)
        assert errors.keys() == {"image_hash"}
        assert await upload_ids(client) == []

        own_hash = hashlib.sha256(image).hexdigest().upper()
        assert (await client.create(image, image_hash=own_hash))["duplicate"] is False


async def test_create_of_equal_bytes_by_two_users_makes_two_uploads(alice: Account, bob: Account) -> None:
    image = scripted_png()
    async with alice.client() as one, bob.client() as other:
        first, second = await one.create(image), await other.create(image)
        assert second["duplicate"] is False
        assert first["instance"]["id"] != second["instance"]["id"]
        assert first["instance"]["image_path"] != second["instance"]["image_path"]


async def test_create_after_delete_of_equal_bytes_is_not_a_duplicate(alice: Account) -> None:
    image = scripted_png()
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        await client.terminal_message(key)
        last = await client.request({"type": "delete", "instance_id": key})
        assert (await client.create(image))["duplicate"] is False
        # The server deletes the file before it handles the socket's next request.
        assert not (alice.server.data_dir / "files" / last["instance"]["image_path"]).exists()


# ── files of the server's machine ──


async def test_create_with_image_path_is_rejected_by_default(alice: Account, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(scripted_png())
    async with alice.client() as client:
        assert (await create_error(client, image_path=str(path))).keys() == {"image_path"}
        assert await upload_ids(client) == []


async def test_create_with_image_path_below_an_import_root_copies_the_file(
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
        repeated = await client.request({"type": "create", "data": {"image_path": str(inside)}})
        assert repeated["duplicate"] is True
        assert inside.read_bytes() == image
