"""S33 — a user with many pages waiting delays another's by no more than the page that a reader has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.scripted_documents import Document, scripted_tiff
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

PENDING = 200
MARK = 40  # the number of the page that somebody else waits for


@pytest.fixture
def alice(two_reader_server: Server) -> Account:
    return Account.create(two_reader_server)


@pytest.fixture
def bob(two_reader_server: Server) -> Account:
    return Account.create(two_reader_server)


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Document]:
    """Both readers are in it, and wait."""
    document = Document(tmp_path, 30, gates={1: 0, 4: 0})
    yield document
    for page in (1, 4):
        document.release_page(page)


async def all_readers_are_in(document: Document) -> None:
    await asyncio.to_thread(wait_until, lambda: {*document.pages_read} == {1, 4}, "both readers are in it")


async def read_one(client: WebSocketClient, document: Document) -> None:
    """Creates a file of which one page is read, lets one reader go on, and waits for the text."""
    scripts = [{}] * (MARK - 1) + [{"lines": ["one page"], "log": str(document.log)}]
    key: str = (await client.create(scripted_tiff(scripts), pages=str(MARK)))["instance"]["id"]
    document.release_page(1)
    assert (await client.terminal_message(key))["raw_text"] == "one page"


async def test_s33_among_200_pending_uploads_of_one_user_another_s_single_one_is_read_next(
    alice: Account, bob: Account, long: Document
) -> None:
    async with alice.client() as many, bob.client() as single:
        await many.create(long.tiff)
        await all_readers_are_in(long)
        for number in range(PENDING):
            await many.create(scripted_png(lines=[f"{number} of many"], log=str(long.log)))
        await read_one(single, long)
    assert long.pages_read[2] == MARK, "whoever of the readers ends his page first takes it"


async def test_s33_what_somebody_waits_for_is_read_before_a_batch_goes_on_also_one_s_own(
    alice: Account, long: Document
) -> None:
    async with alice.client() as client:
        await client.create(long.tiff, priority="batch")
        await all_readers_are_in(long)
        await read_one(client, long)
    assert long.pages_read[2] == MARK
