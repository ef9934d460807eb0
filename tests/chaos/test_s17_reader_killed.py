"""S17 - the engine process is killed: another attempt continues at its page, and the upload ends once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.chaos.conftest import retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.support.accounts import Account
from tests.support.processes import engine_process, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server

PAGES = 4


async def kill_engine_process(server: Server) -> psutil.Process:
    child = await asyncio.to_thread(engine_process, server)
    child.kill()
    await asyncio.to_thread(wait_until_ended, child)
    return child


async def test_s17_engine_process_killed_while_idle_is_replaced(
    server: Server, account: Account, tmp_path: Path
) -> None:
    killed = await kill_engine_process(server)
    document = Document(tmp_path, PAGES)
    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        assert (await client.terminal_message(upload_id))["raw_text"] == document.text
        assert await terminal_statuses_received(client, upload_id) == ["processed"]
    assert document.pages_read == [1, 2, 3, 4]
    assert (await asyncio.to_thread(engine_process, server)).pid != killed.pid


@pytest.mark.parametrize(
    ("page", "lines"),
    [(1, 0), (1, 1), (2, 0), (3, 1), (PAGES, 1)],
    ids=["before a line", "in page 1", "between pages", "in the middle", "at the last line"],
)
async def test_s17_engine_process_killed_during_reading_loses_one_page(
    page: int, lines: int, server: Server, account: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, PAGES, {page: lines})
    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        if lines:
            await wait_for_partial(client, upload_id, document.text_up_to(page))
        else:
            await asyncio.to_thread(wait_until, lambda: page in document.pages_read, "the page has started")
        await kill_engine_process(server)
        document.release_page(page)
        assert (await client.terminal_message(upload_id))["raw_text"] == document.text
        assert await terminal_statuses_received(client, upload_id) == ["processed"]
        assert (await retrieve_instance(client, upload_id))["pages_done"] == PAGES
    assert document.pages_read == sorted([1, 2, 3, 4, page])


async def test_s17_engine_process_killed_finished_pages_stay_in_partials(
    server: Server, account: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, PAGES, {3: 1})
    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, upload_id, document.text_up_to(3))
        await kill_engine_process(server)
        before = len(client.seen)
        document.release_page(3)
        await client.terminal_message(upload_id)
        partials = [m for m in client.seen[before:] if m.get("id") == upload_id and "streamed_text" in m]
    texts = [partial["streamed_text"] for partial in partials]
    # The server drops outdated partials, so the empty page may be missing.
    assert all(text.startswith(document.text_up_to(2)) for text in texts), "the finished pages stay"
    assert document.pages_read == [1, 2, 3, 3, 4], "the page restarts"
    assert all(later.startswith(text) for text, later in itertools.pairwise(texts))


async def test_s17_engine_process_killed_during_start_is_replaced(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    document = Document(tmp_path, 1)
    killed = {(await kill_engine_process(server)).pid}
    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        killed.add((await kill_engine_process(server)).pid)  # as soon as it exists
        assert (await client.terminal_message(upload_id))["raw_text"] == document.text
        assert await terminal_statuses_received(client, upload_id) == ["processed"]
    assert len(killed) == 2
