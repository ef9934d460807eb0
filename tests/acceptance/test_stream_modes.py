"""The stream modes `pages` and `delta`: the text assembled from partials equals the text read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.accounts import Account
from tests.support.event_stream_client import EACH_TRANSPORT, Transport, listener
from tests.support.message_checks import PARTIAL_KEYS, assert_no_more_messages
from tests.support.page_images import lines_of_text, scripted_png
from tests.support.scripted_documents import Document, scripted_tiff
from tests.support.websocket_client import Message, WebSocketClient

EACH_STREAM = pytest.mark.parametrize("stream", ["pages", "delta"])
PAGE_KEYS = PARTIAL_KEYS | {"page", "page_count", "line"}
KEYS = {"pages": PAGE_KEYS, "delta": PAGE_KEYS | {"offset"}}


async def subscribe(client: WebSocketClient, stream: str) -> None:
    reply = await client.request({"type": "subscribe", "stream": stream})
    assert reply.pop("cursor")
    assert reply == {"message": "subscribed", "model": "Upload", "instance_id": None, "type": "subscribed"}


def partials(client: WebSocketClient, key: str) -> list[Message]:
    return [m for m in client.seen if m.get("id") == key and m["status"] == "processing" and "page" in m]


def assembled_pages(partials: list[Message]) -> dict[int, str]:
    """Assemble the pages as a client does; an offset is the length of the known text, or 0."""
    pages: dict[int, str] = {}
    for partial in partials:
        known, offset = pages.get(partial["page"], ""), partial.get("offset", 0)
        assert offset in (0, len(known))
        pages[partial["page"]] = known[:offset] + partial["streamed_text"]
    return pages


async def wait_for_page(client: WebSocketClient, key: str, page: int, text: str) -> None:
    """Wait until a page's assembled text equals `text`."""
    await client.receive_until(lambda _: assembled_pages(partials(client, key)).get(page) == text)


@EACH_TRANSPORT
@EACH_STREAM
async def test_stream_pages_assemble_to_the_final_text(
    alice: Account, stream: str, transport: Transport
) -> None:
    texts = [lines_of_text(12, seed=page) for page in (1, 2, 3)]
    tiff = scripted_tiff([{"lines": lines, "line_seconds": 0.02} for lines in texts])
    async with listener(alice, transport, stream=stream) as client, alice.client() as plain:
        key = (await client.create(tiff))["instance"]["id"]
        end, plain_end = await client.terminal_message(key), await plain.terminal_message(key)
        received = partials(client, key)

        assert end.pop("cursor")
        assert end == plain_end
        assert assembled_pages(received) == {n: "\n".join(lines) for n, lines in enumerate(texts, 1)}
        assert "\n\n".join(assembled_pages(received).values()) == end["raw_text"]
        assert [p["page"] for p in received if p.get("done")] == [1, 2, 3]
        assert all(p.keys() - {"done"} == KEYS[stream] for p in received)
        assert (received[0]["page"], received[0]["page_count"], received[0]["streamed_text"]) == (1, None, "")
        assert {p["page_count"] for p in received[1:]} == {3}
        # A socket that did not subscribe receives only the specified keys.
        processing = [m for m in plain.seen if m.get("status") == "processing"]
        assert processing
        assert all(m.keys() == PARTIAL_KEYS for m in processing)


@EACH_TRANSPORT
@EACH_STREAM
async def test_partial_has_the_box_of_its_latest_line(
    alice: Account, stream: str, transport: Transport, tmp_path: Path
) -> None:
    document = Document(tmp_path, 1, gates={1: 1})
    async with listener(alice, transport, stream=stream) as client:
        key = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_page(client, key, 1, "page 1")
        box = [[0, 0], [8, 0], [8, 16], [0, 16]]
        assert partials(client, key)[-1]["line"] == {"box": box, "width": 8, "height": 8}
        document.release_page(1)
        await client.terminal_message(key)
        last = partials(client, key)[-1]
        assert (last["done"], last["line"]) == (True, None)


@EACH_STREAM
async def test_subscribe_during_reading_sends_the_finished_pages_then_the_current(
    alice: Account, stream: str, tmp_path: Path
) -> None:
    document = Document(tmp_path, 4, gates={3: 1})
    async with alice.client() as requester:
        key = (await requester.create(document.tiff))["instance"]["id"]
        await requester.receive_until(lambda m: m.get("streamed_text") == document.text_up_to(3))
        async with alice.client(key) as late:
            assert (await late.receive())["streamed_text"] == document.text_up_to(3)
            await late.send({"type": "subscribe", "stream": stream})
            assert (await late.receive())["type"] == "subscribed"
            messages = [await late.receive() for _ in range(3)]
            assert [(p["page"], p["streamed_text"], p.get("done", False)) for p in messages] == [
                (1, "page 1", True),
                (2, "page 2", True),
                (3, "page 3", False),
            ]
            document.release_page(3)
            await late.terminal_message(key)
            assert assembled_pages(partials(late, key)) == {n: f"page {n}" for n in (1, 2, 3, 4)}


async def test_offsets_count_code_points(alice: Account, tmp_path: Path) -> None:
    gate = tmp_path / "open"
    lines = ["𝔸𝔹 👍🏽", "plain"]
    async with alice.client() as client:
        await subscribe(client, "delta")
        image = scripted_png(lines=lines, wait_for=str(gate), wait_after=1)
        key = (await client.create(image))["instance"]["id"]
        await wait_for_page(client, key, 1, lines[0])
        gate.touch()
        await client.terminal_message(key)
        assert assembled_pages(partials(client, key)) == {1: "\n".join(lines)}
        added = next(p for p in partials(client, key) if p["offset"])
        assert (added["offset"], added["streamed_text"]) == (5, "\nplain")


@EACH_STREAM
async def test_resync_resends_the_pages_after_its_reply(alice: Account, stream: str, tmp_path: Path) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    async with alice.client() as client:
        await subscribe(client, stream)
        key = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_page(client, key, 2, "page 2")
        await client.send({"type": "resync", "instance_id": key})
        assert await client.receive() == {"type": "resynced", "instance_id": key}
        resent = [await client.receive() for _ in range(2)]
        assert [(p["page"], p["streamed_text"], p.get("offset", 0)) for p in resent] == [
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


async def test_subscribe_full_switches_back_to_the_default_stream(alice: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    async with alice.client() as client:
        await subscribe(client, "delta")
        key = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_page(client, key, 2, "page 2")
        await client.send({"type": "subscribe", "stream": "full"})
        assert (await client.receive())["type"] == "subscribed"
        back = await client.receive()
        assert (back["streamed_text"], back.keys()) == (document.text, PARTIAL_KEYS)
        document.release_page(2)
        seen = len(client.seen)
        await client.terminal_message(key)
        assert all("page" not in m for m in client.seen[seen:])


@EACH_TRANSPORT
@EACH_STREAM
async def test_cancel_is_the_last_message_of_a_document(
    alice: Account, stream: str, transport: Transport, tmp_path: Path
) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with (
        listener(alice, "socket", stream=stream) as client,
        listener(alice, transport, stream=stream) as observer,
    ):
        key = (await client.create(document.tiff))["instance"]["id"]
        for each in (client, observer):
            await wait_for_page(each, key, 2, "page 2")
        await client.request({"type": "cancel", "instance_id": key})
        document.release_page(2)
        following = (await client.create(scripted_png()))["instance"]["id"]
        for each in (client, observer):
            await each.terminal_message(following)
            messages_of_document = [m for m in each.seen if m.get("id") == key]
            assert messages_of_document[-1]["status"] == "cancelled"
            await assert_no_more_messages(each)
