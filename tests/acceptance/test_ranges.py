"""Two readers share a long document: both read at once, and clients receive the pages in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import receive_terminal
from tests.support.page_images import scripted_png
from tests.support.processes import engine_processes, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import TERMINAL, Message, WebSocketClient

PAGES = 12
FIRST, SECOND = 1, 4  # the first page of each reader


@pytest.fixture
def alice(two_reader_server: Server) -> Account:
    return Account.create(two_reader_server)


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Document]:
    """A document in which the first page of each reader pauses after its line until released."""
    document = Document(tmp_path, PAGES, gates={FIRST: 1, SECOND: 1})
    yield document
    for page in (FIRST, SECOND):
        document.release_page(page)


async def wait_until_both_read(document: Document) -> None:
    """Wait until both readers have started their first page."""
    pages = {FIRST, SECOND}
    await asyncio.to_thread(wait_until, lambda: pages <= {*document.pages_read}, "both pages have started")


async def wait_for_pages_done(client: WebSocketClient, key: str, pages: int) -> None:
    async def pages_done() -> int:
        reply = await client.request({"type": "retrieve", "instance_id": key})
        return int(reply["instance"]["pages_done"])

    async with asyncio.timeout(30):
        while await pages_done() < pages:
            await asyncio.sleep(0.01)


def partials(client: WebSocketClient, key: str) -> list[Message]:
    return [m for m in client.seen if m.get("id") == key and m["status"] == "processing"]


def terminal_statuses(client: WebSocketClient, key: str) -> list[str]:
    return [m["status"] for m in client.seen if m.get("id") == key and m["status"] in TERMINAL]


def assembled_text(partials: list[Message]) -> str:
    pages: dict[int, str] = {}
    for partial in partials:
        known, offset = pages.get(partial["page"], ""), partial.get("offset", 0)
        assert offset in (0, len(known))
        pages[partial["page"]] = known[:offset] + partial["streamed_text"]
    return "\n\n".join(text for text in pages.values() if text)


def assert_delivered(client: WebSocketClient, key: str, document: Document, *, mode: str) -> None:
    received = [m for m in partials(client, key) if ("page" in m) == (mode != "full")]
    if mode == "full":
        assert all(document.text.startswith(m["streamed_text"]) for m in received)
    else:
        assert [m["page"] for m in received if m.get("done")] == list(range(1, PAGES + 1))
        assert assembled_text(received) == document.text
    assert terminal_statuses(client, key) == ["processed"]
    [end] = [m for m in client.seen if m.get("id") == key and m["status"] == "processed"]
    assert end["raw_text"] == document.text
    assert client.seen.index(end) > client.seen.index(received[-1])


async def subscribe(client: WebSocketClient, mode: str) -> None:
    await client.request({"type": "subscribe", "stream": mode})


async def test_two_readers_read_concurrently_and_deliver_pages_in_order(
    alice: Account, document: Document
) -> None:
    async with alice.client() as full, alice.client() as pages, alice.client() as delta:
        await subscribe(pages, "pages")
        await subscribe(delta, "delta")
        key = (await full.create(document.tiff))["instance"]["id"]
        await wait_until_both_read(document)
        document.release_page(SECOND)
        await wait_for_pages_done(full, key, PAGES - 3)
        assert {m["streamed_text"] for m in partials(full, key)} <= {"", "page 1"}, (
            "later pages wait for page 1"
        )
        async with alice.client() as late:
            await subscribe(late, "pages")
            await late.receive_until(lambda m: m.get("id") == key and m.get("page") == 1)
            document.release_page(FIRST)
            for client, mode in ((full, "full"), (pages, "pages"), (delta, "delta"), (late, "pages")):
                await client.terminal_message(key)
                await client.request({"type": "list", "limit": 1})
                assert_delivered(client, key, document, mode=mode)
    assert sorted(document.pages_read) == list(range(1, PAGES + 1)), "each page is read once"


async def test_s17_one_of_two_readers_killed_document_ends_once_and_complete(
    two_reader_server: Server, alice: Account, document: Document
) -> None:
    async with alice.client() as client, alice.client() as pages:
        await subscribe(pages, "pages")
        key = (await client.create(document.tiff))["instance"]["id"]
        await wait_until_both_read(document)
        child = (await asyncio.to_thread(engine_processes, two_reader_server, 2))[0]
        child.kill()
        await asyncio.to_thread(wait_until_ended, child)
        for page in (SECOND, FIRST):
            document.release_page(page)
        assert (await client.terminal_message(key))["raw_text"] == document.text
        await pages.terminal_message(key)
        for each in (client, pages):
            await each.request({"type": "list", "limit": 1})
            assert terminal_statuses(each, key) == ["processed"]
        assert assembled_text([m for m in partials(pages, key) if "page" in m]) == document.text
    assert sorted({*document.pages_read}) == list(range(1, PAGES + 1))
    assert len(document.pages_read) == PAGES + 1, "only the page of the killed reader is read twice"


@pytest.mark.parametrize("request_type", ["cancel", "delete"])
async def test_cancel_or_delete_during_reading_frees_both_readers(
    request_type: str, alice: Account, document: Document
) -> None:
    async with alice.client() as client:
        key = (await client.create(document.tiff))["instance"]["id"]
        await wait_until_both_read(document)
        await client.request({"type": request_type, "instance_id": key})
        others = [await client.create(scripted_png(lines=[f"{n} of two"])) for n in (1, 2)]
        for other in others:
            await receive_terminal(client, other["instance"]["id"])
        if request_type == "cancel":
            assert terminal_statuses(client, key) == ["cancelled"]
            await retry_and_wait(client, key, document)


async def retry_and_wait(client: WebSocketClient, key: str, document: Document) -> None:
    """Retry a document that was cancelled while two readers read it."""
    for page in (FIRST, SECOND):
        document.release_page(page)
    await client.request({"type": "retry", "instance_id": key})
    end: dict[str, Any] = await client.terminal_message(key)
    assert end["raw_text"] == document.text
