"""S33 - one user fills the queue: another user's page waits at most for the pages being read."""

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
MARKED_PAGE = 40  # the page number of the upload that must be read next


@pytest.fixture
def alice(two_reader_server: Server) -> Account:
    return Account.create(two_reader_server)


@pytest.fixture
def bob(two_reader_server: Server) -> Account:
    return Account.create(two_reader_server)


@pytest.fixture
def long_document(tmp_path: Path) -> Iterator[Document]:
    """A document in which both readers pause."""
    document = Document(tmp_path, 30, gates={1: 0, 4: 0})
    yield document
    for page in (1, 4):
        document.release_page(page)


async def wait_until_both_readers_pause(document: Document) -> None:
    await asyncio.to_thread(wait_until, lambda: {*document.pages_read} == {1, 4}, "both readers pause in it")


async def read_one(client: WebSocketClient, document: Document) -> None:
    """Create a file with one page to read, release one reader, and wait for the text."""
    scripts = [{}] * (MARKED_PAGE - 1) + [{"lines": ["one page"], "log": str(document.log)}]
    key: str = (await client.create(scripted_tiff(scripts), pages=str(MARKED_PAGE)))["instance"]["id"]
    document.release_page(1)
    assert (await client.terminal_message(key))["raw_text"] == "one page"


async def test_s33_single_upload_is_read_next_among_200_of_another_user(
    alice: Account, bob: Account, long_document: Document
) -> None:
    async with alice.client() as busy_client, bob.client() as other_client:
        await busy_client.create(long_document.tiff)
        await wait_until_both_readers_pause(long_document)
        for number in range(PENDING):
            await busy_client.create(
                scripted_png(lines=[f"{number} of busy_client"], log=str(long_document.log))
            )
        await read_one(other_client, long_document)
    assert long_document.pages_read[2] == MARKED_PAGE, "the first free reader reads it"


async def test_s33_interactive_upload_is_read_before_a_batch_of_the_same_user(
    alice: Account, long_document: Document
) -> None:
    async with alice.client() as client:
        await client.create(long_document.tiff, priority="batch")
        await wait_until_both_readers_pause(long_document)
        await read_one(client, long_document)
    assert long_document.pages_read[2] == MARKED_PAGE
