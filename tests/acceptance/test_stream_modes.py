"""Sockets that asked for pages or deltas: what they make up from them is what was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import PARTIAL_KEYS, assert_no_more_messages
from tests.support.page_images import lines_of_text, scripted_png
from tests.support.scripted_documents import Document, scripted_tiff
from tests.support.websocket_client import Message, WebSocketClient

EACH_STREAM = pytest.mark.parametrize("stream", ["pages", "delta"])
PAGE_KEYS = PARTIAL_KEYS | {"page", "page_count", "line"}
KEYS = {"pages": PAGE_KEYS, "delta": PAGE_KEYS | {"offset"}}


async def opt_in(client: WebSocketClient, stream: str) -> None:
    reply = await client.request({"type": "subscribe", "stream": stream})
    assert reply.pop("cursor")
    assert reply == {"message": "subscribed", "model": "Upload", "instance_id": None, "type": "subscribed"}


def partials(client: WebSocketClient, key: str) -> list[Message]:
    return [m for m in client.seen if m.get("id") == key and m["status"] == "processing" and "page" in m]


def made_up(partials: list[Message]) -> dict[int, str]:
    """The pages, as a client of any stream puts them together; an offset is the length it has, or 0."""
    pages: dict[int, str] = {}
    for partial in partials:
        have, offset = pages.get(partial["page"], ""), partial.get("offset", 0)
        assert offset in (0, len(have))
        pages[partial["page"]] = have[:offset] + partial["streamed_text"]
    return pages


async def shown(client: WebSocketClient, key: str, page: int, text: str) -> None:
    """Waits until a page is made up to be this."""
    await client.receive_until(lambda _: made_up(partials(client, key)).get(page) == text)


@EACH_STREAM
async def test_the_pages_made_up_are_the_text_at_the_end(alice: Account, stream: str) -> None:
    texts = [lines_of_text(12, seed=page) for page in (1, 2, 3)]
    tiff = scripted_tiff([{"lines": lines, "line_seconds": 0.02} for lines in texts])
    async with alice.client() as client, alice.client() as plain:
        await opt_in(client, stream)
        key = (await client.create(tiff))["instance"]["id"]
        end, plain_end = await client.terminal_message(key), await plain.terminal_message(key)
        heard = partials(client, key)

        assert end.pop("cursor")
        assert end == plain_end
        assert made_up(heard) == {n: "\n".join(lines) for n, lines in enumerate(texts, 1)}
        assert "\n\n".join(made_up(heard).values()) == end["raw_text"]
        assert [p["page"] for p in heard if p.get("done")] == [1, 2, 3]
        assert all(p.keys() - {"done"} == KEYS[stream] for p in heard)
        assert (heard[0]["page"], heard[0]["page_count"], heard[0]["streamed_text"]) == (1, None, "")
        assert {p["page_count"] for p in heard[1:]} == {3}
        # Not one key more for who asked for nothing.
        processing = [m for m in plain.seen if m.get("status") == "processing"]
        assert processing
        assert all(m.keys() == PARTIAL_KEYS for m in processing)


@EACH_STREAM
async def test_a_partial_says_where_its_newest_line_stands(
    alice: Account, stream: str, tmp_path: Path
) -> None:
    document = Document(tmp_path, 1, gates={1: 1})
    async with alice.client() as client:
        await opt_in(client, stream)
        key = (await client.create(document.tiff))["instance"]["id"]
        await shown(client, key, 1, "page 1")
        box = [[0, 0], [8, 0], [8, 16], [0, 16]]
        assert partials(client, key)[-1]["line"] == {"box": box, "width": 8, "height": 8}
        document.release_page(1)
        await client.terminal_message(key)
        last = partials(client, key)[-1]
        assert (last["done"], last["line"]) == (True, None)


@EACH_STREAM
async def test_who_opts_in_in_the_middle_gets_every_page_so_far_then_the_current_one(
    alice: Account, stream: str, tmp_path: Path
) -> None:
    document = Document(tmp_path, 4, gates={3: 1})
    async with alice.client() as asking:
        key = (await asking.create(document.tiff))["instance"]["id"]
        await asking.receive_until(lambda m: m.get("streamed_text") == document.text_up_to(3))
        async with alice.client(key) as late:
            assert (await late.receive())["streamed_text"] == document.text_up_to(3)
            await late.send({"type": "subscribe", "stream": stream})
            assert (await late.receive())["type"] == "subscribed"
            given = [await late.receive() for _ in range(3)]
            assert [(p["page"], p["streamed_text"], p.get("done", False)) for p in given] == [
                (1, "page 1", True),
                (2, "page 2", True),
                (3, "page 3", False),
            ]
            document.release_page(3)
            await late.terminal_message(key)
            assert made_up(partials(late, key)) == {n: f"page {n}" for n in (1, 2, 3, 4)}


async def test_offsets_count_code_points_not_utf_16(alice: Account, tmp_path: Path) -> None:
    gate = tmp_path / "lifted"
    lines = ["𝔸𝔹 👍🏽", "plain"]
    async with alice.client() as client:
        await opt_in(client, "delta")
        image = scripted_png(lines=lines, wait_for=str(gate), wait_after=1)
        key = (await client.create(image))["instance"]["id"]
        await shown(client, key, 1, lines[0])
        gate.touch()
        await client.terminal_message(key)
        assert made_up(partials(client, key)) == {1: "\n".join(lines)}
        added = next(p for p in partials(client, key) if p["offset"])
        assert (added["offset"], added["streamed_text"]) == (5, "\nplain")


@EACH_STREAM
async def test_resync_brings_the_pages_once_more_after_its_reply(
    alice: Account, stream: str, tmp_path: Path
) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    async with alice.client() as client:
        await opt_in(client, stream)
        key = (await client.create(document.tiff))["instance"]["id"]
        await shown(client, key, 2, "page 2")
        await client.send({"type": "resync", "instance_id": key})
        assert await client.receive() == {"type": "resynced", "instance_id": key}
        again = [await client.receive() for _ in range(2)]
        assert [(p["page"], p["streamed_text"], p.get("offset", 0)) for p in again] == [
            (1, "page 1", 0),
            (2, "page 2", 0),
        ]
        document.release_page(2)
        await client.terminal_message(key)
        assert await client.request({"type": "resync", "instance_id": key}) == {
            "type": "resynced",
            "instance_id": key,
        }
        await assert_no_more_messages(client)


async def test_full_is_what_everybody_gets_and_can_be_gone_back_to(alice: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    async with alice.client() as client:
        await opt_in(client, "delta")
        key = (await client.create(document.tiff))["instance"]["id"]
        await shown(client, key, 2, "page 2")
        await client.send({"type": "subscribe", "stream": "full"})
        assert (await client.receive())["type"] == "subscribed"
        back = await client.receive()
        assert (back["streamed_text"], back.keys()) == (document.text, PARTIAL_KEYS)
        document.release_page(2)
        seen = len(client.seen)
        await client.terminal_message(key)
        assert all("page" not in m for m in client.seen[seen:])


@EACH_STREAM
async def test_nothing_of_a_document_follows_its_cancel(alice: Account, stream: str, tmp_path: Path) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with alice.client() as client, alice.client() as watching:
        for each in (client, watching):
            await opt_in(each, stream)
        key = (await client.create(document.tiff))["instance"]["id"]
        for each in (client, watching):
            await shown(each, key, 2, "page 2")
        await client.request({"type": "cancel", "instance_id": key})
        document.release_page(2)
        following = (await client.create(scripted_png()))["instance"]["id"]
        for each in (client, watching):
            await each.terminal_message(following)
            about = [m for m in each.seen if m.get("id") == key]
            assert about[-1]["status"] == "cancelled"
            await assert_no_more_messages(each)
