"""Partial messages during a reading, and readings that fail."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from tests.support.accounts import Account
from tests.support.event_stream_client import EACH_TRANSPORT, EventStreamClient, Transport, listener
from tests.support.message_checks import (
    FAILED_KEYS,
    PARTIAL_KEYS,
    assert_no_more_messages,
    partial_texts,
    receive_terminal,
    received_types,
)
from tests.support.page_images import lines_of_text, scripted_png
from tests.support.server import Server

DUMMY_PAGE = "# Dummy page\n\nThe quick brown fox jumps\nover the lazy dog."


def document(pages: int, kind: str) -> bytes:
    """Return a TIFF or PDF of pages without a script."""
    first, *rest = (Image.new("RGB", (20 + number, 20), "white") for number in range(pages))
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=rest)
    return buffer.getvalue()


@EACH_TRANSPORT
async def test_partials_of_a_page_grow_while_it_is_read(alice: Account, transport: Transport) -> None:
    lines = lines_of_text(30)
    async with listener(alice, transport) as client:
        key = (await client.create(scripted_png(lines=lines, line_seconds=0.04)))["instance"]["id"]
        end = await client.terminal_message(key)

        texts = partial_texts(client, key)
        assert texts[0] == ""
        # At least three texts between the empty and the complete one.
        assert sum(0 < len(text) < len(end["raw_text"]) for text in texts) >= 3
        assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(texts))
        assert end["raw_text"].startswith(texts[-1])
        assert end["raw_text"] == "\n".join(lines)
        assert end["processed_text"] == " ".join(lines)
        assert all(m.keys() == PARTIAL_KEYS for m in client.seen if m.get("status") == "processing")


@EACH_TRANSPORT
async def test_terminal_message_is_followed_by_no_partial(alice: Account, transport: Transport) -> None:
    # Lines come faster than partials: a partial that still waits at the end must be dropped.
    lines = [f"line {number}" for number in range(12)]
    async with listener(alice, transport) as client:
        key = (await client.create(scripted_png(lines=lines, line_seconds=0.03)))["instance"]["id"]
        await client.terminal_message(key)
        # Longer than any partial waits in the throttle.
        other = (await client.create(scripted_png(lines=["later"], line_seconds=1.2)))["instance"]["id"]
        await client.terminal_message(other)
        assert received_types(client, key)[-1] == "processed"


@pytest.mark.parametrize(("kind", "extension"), [("TIFF", "tif"), ("PDF", "pdf")])
async def test_pages_of_a_document_are_separated_by_one_blank_line(
    alice: Account, kind: str, extension: str
) -> None:
    async with alice.client() as client:
        created = (await client.create(document(3, kind)))["instance"]
        assert created["image_path"] == f"{created['id']}/original.{extension}"
        end = await client.terminal_message(created["id"])

        assert end["raw_text"] == "\n\n".join([DUMMY_PAGE] * 3)
        assert end["processed_text"] == "\n\n".join(
            ["Dummy page\n\nThe quick brown fox jumps over the lazy dog."] * 3
        )
        texts = partial_texts(client, created["id"])
        assert all(end["raw_text"].startswith(text) for text in texts)
        assert all(len(earlier) < len(later) for earlier, later in pairwise(texts))
        reply = await client.request({"type": "retrieve", "instance_id": created["id"]})
        assert (reply["instance"]["page_count"], reply["instance"]["pages_done"]) == (3, 3)


@EACH_TRANSPORT
async def test_pdf_without_valid_content_ends_in_error(alice: Account, transport: Transport) -> None:
    async with listener(alice, transport) as client:
        key = (await client.create(b"%PDF-1.7\nand nothing else"))["instance"]["id"]
        end = await client.terminal_message(key)
        assert end["status"] == "error"
        assert end.keys() == FAILED_KEYS | ({"cursor"} if transport == "events" else set())


@EACH_TRANSPORT
async def test_blank_page_ends_processed(alice: Account, transport: Transport) -> None:
    async with listener(alice, transport) as client:
        key = (await client.create(scripted_png(lines=[])))["instance"]["id"]
        end = await client.terminal_message(key)
        assert (end["status"], end["raw_text"], end["processed_text"]) == ("processed", "", "")


@EACH_TRANSPORT
async def test_engine_error_ends_the_upload_at_once_and_the_next_is_read(
    alice: Account, transport: Transport
) -> None:
    async with alice.client() as client, listener(alice, transport) as observer:
        failing = (await client.create(scripted_png(lines=["one"], then="raise")))["instance"]["id"]
        following = (await client.create(scripted_png(lines=["fine"])))["instance"]["id"]
        for each in (client, observer):
            end = await receive_terminal(each, failing)
            has_cursor = isinstance(each, EventStreamClient)
            assert end.keys() == FAILED_KEYS | ({"cursor"} if has_cursor else set())
            assert end["status"] == "error"
            assert end["error"]
            assert "RuntimeError" not in end["error"]
            assert partial_texts(each, failing).count("") == 1
            assert (await receive_terminal(each, following))["raw_text"] == "fine"
            await assert_no_more_messages(each)
            assert received_types(each, failing)[-1] == "error"


@pytest.mark.parametrize(("then", "attempts"), [("crash", 3), ("hang", 2)])
async def test_page_that_crashes_or_hangs_the_engine_is_read_again(
    strict_server: Server, then: str, attempts: int
) -> None:
    account = Account.create(strict_server)
    async with account.client() as client:
        failing = (await client.create(scripted_png(lines=["one"], then=then)))["instance"]["id"]
        following = (await client.create(scripted_png(lines=["fine"])))["instance"]["id"]
        end = await receive_terminal(client, failing)
        assert end.keys() == FAILED_KEYS
        assert end["error"]
        # With Redis, the text of an attempt that ends within a tenth of a second may not be sent.
        assert 2 <= partial_texts(client, failing).count("") <= attempts
        assert (await receive_terminal(client, following))["raw_text"] == "fine"
        reply = await client.request({"type": "retrieve", "instance_id": failing})
        assert (reply["instance"]["status"], reply["instance"]["error"]) == ("error", end["error"])


async def test_page_that_crashes_the_engine_once_is_read(alice: Account, tmp_path: Path) -> None:
    image = scripted_png(lines=["one", "two"], then="crash", after=1, only_once=str(tmp_path / "crashed"))
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        assert (await client.terminal_message(key))["raw_text"] == "one\ntwo"
        assert partial_texts(client, key).count("") == 2
        assert "error" not in received_types(client, key)
