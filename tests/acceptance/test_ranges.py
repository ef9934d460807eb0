"""Two readers share a long document: both read at once, and clients see the pages in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.processes import engine_processes, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import TERMINAL, Message, WebSocketClient

PAGES = 12
FIRST, SECOND = 1, 4  # pages with which the two readers begin


@pytest.fixture
def alice(two_reader_server: Server) -> Account:
    return Account.create(two_reader_server)


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Document]:
    """Its first page, and the first of the second reader, show their line and wait to be lifted."""
    document = Document(tmp_path, PAGES, gates={FIRST: 1, SECOND: 1})
    yield document
    for page in (FIRST, SECOND):
        document.release_page(page)


async def both_read(document: Document) -> None:
    """The barrier: both readers have begun, and neither goes on before it is lifted."""
    begun = {FIRST, SECOND}
    await asyncio.to_thread(wait_until, lambda: begun <= {*document.pages_read}, "both pages are begun")


async def read_ahead(client: WebSocketClient, key: str, pages: int) -> None:
    async def done() -> int:
        reply = await client.request({"type": "retrieve", "instance_id": key})
        return int(reply["instance"]["pages_done"])

    async with asyncio.timeout(30):
        while await done() < pages:
            await asyncio.sleep(0.01)


def partials(client: WebSocketClient, key: str) -> list[Message]:
    return [m for m in client.seen if m.get("id") == key and m["status"] == "processing"]


def ends(client: WebSocketClient, key: str) -> list[str]:
    return [m["status"] for m in client.seen if m.get("id") == key and m["status"] in TERMINAL]


def made_up(told: list[Message]) -> str:
    pages: dict[int, str] = {}
    for partial in told:
        have, offset = pages.get(partial["page"], ""), partial.get("offset", 0)
        assert offset in (0, len(have))
        pages[partial["page"]] = have[:offset] + partial["streamed_text"]
    return "\n\n".join(text for text in pages.values() if text)


def check(client: WebSocketClient, key: str, document: Document, *, mode: str) -> None:
    told = [m for m in partials(client, key) if ("page" in m) == (mode != "full")]
    if mode == "full":
        assert all(document.text.startswith(m["streamed_text"]) for m in told)
    else:
        assert [m["page"] for m in told if m.get("done")] == list(range(1, PAGES + 1))
        assert made_up(told) == document.text
    assert ends(client, key) == ["processed"]
    [end] = [m for m in client.seen if m.get("id") == key and m["status"] == "processed"]
    assert end["raw_text"] == document.text
    assert client.seen.index(end) > client.seen.index(told[-1])


async def opt_in(client: WebSocketClient, mode: str) -> None:
    await client.request({"type": "subscribe", "stream": mode})


async def test_two_pages_are_read_at_once_and_shown_one_after_the_other(
    alice: Account, document: Document
) -> None:
    async with alice.client() as full, alice.client() as pages, alice.client() as delta:
        await opt_in(pages, "pages")
        await opt_in(delta, "delta")
        key = (await full.create(document.tiff))["instance"]["id"]
        await both_read(document)
        document.release_page(SECOND)
        await read_ahead(full, key, PAGES - 3)
        assert {m["streamed_text"] for m in partials(full, key)} <= {"", "page 1"}, (
            "the rest waits for page 1"
        )
        async with alice.client() as late:
            await opt_in(late, "pages")
            await late.receive_until(lambda m: m.get("id") == key and m.get("page") == 1)
            document.release_page(FIRST)
            for client, mode in ((full, "full"), (pages, "pages"), (delta, "delta"), (late, "pages")):
                await client.terminal_message(key)
                await client.request({"type": "list", "limit": 1})
                check(client, key, document, mode=mode)
    assert sorted(document.pages_read) == list(range(1, PAGES + 1)), "each page once"


async def test_s17_of_two_readers_one_is_killed_and_the_document_ends_once_and_whole(
    two_reader_server: Server, alice: Account, document: Document
) -> None:
    async with alice.client() as client, alice.client() as pages:
        await opt_in(pages, "pages")
        key = (await client.create(document.tiff))["instance"]["id"]
        await both_read(document)
        child = (await asyncio.to_thread(engine_processes, two_reader_server, 2))[0]
        child.kill()
        await asyncio.to_thread(wait_until_ended, child)
        for page in (SECOND, FIRST):
            document.release_page(page)
        assert (await client.terminal_message(key))["raw_text"] == document.text
        await pages.terminal_message(key)
        for each in (client, pages):
            await each.request({"type": "list", "limit": 1})
            assert ends(each, key) == ["processed"]
        assert made_up([m for m in partials(pages, key) if "page" in m]) == document.text
    assert sorted({*document.pages_read}) == list(range(1, PAGES + 1))
    assert len(document.pages_read) == PAGES + 1, "the page that the dead one had begun is read once more"


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_both_readers_leave_a_document_that_is_ended_in_the_middle(
    how: str, alice: Account, document: Document
) -> None:
    async with alice.client() as client:
        key = (await client.create(document.tiff))["instance"]["id"]
        await both_read(document)
        await client.request({"type": how, "instance_id": key})
        others = [await client.create(scripted_png(lines=[f"{n} of two"])) for n in (1, 2)]
        for other in others:
            await client.terminal_message(other["instance"]["id"])
        if how == "cancel":
            assert ends(client, key) == ["cancelled"]
            await read_again(client, key, document)


async def read_again(client: WebSocketClient, key: str, document: Document) -> None:
    """A retry of what was cancelled while two readers had it."""
    for page in (FIRST, SECOND):
        document.release_page(page)
    await client.request({"type": "retry", "instance_id": key})
    end: dict[str, Any] = await client.terminal_message(key)
    assert end["raw_text"] == document.text
