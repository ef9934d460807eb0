"""S19 — a file that hangs, fills memory or kills its reader: three attempts, `error`; the next is read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import Account, retrieve_instance, terminal_statuses_received
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server

MEMORY_BYTES = 256 * 1024**2  # soon filled: within the second that a page may take
SENTENCES = {
    "hang": "A page took longer than 1 seconds.",
    "oom": "The reading engine used too much memory.",
    "crash": "The reading engine stopped unexpectedly.",
}


@pytest.fixture(scope="module")
def narrow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its reader has a second for a page, and a quarter of a gigabyte."""
    directory = tmp_path_factory.mktemp("narrow") / "data"
    server = Server(directory, PAGE_SECONDS="1", READER_MEMORY_BYTES=str(MEMORY_BYTES))
    yield server.start()
    assert server.stop() == 0


@pytest.fixture(scope="module")
def account(narrow_server: Server) -> Account:
    return Account(narrow_server, narrow_server.token(narrow_server.user()))


@pytest.mark.parametrize("poison", SENTENCES)
async def test_s19_poison_ends_after_three_attempts_and_the_next_upload_is_read(
    poison: str, narrow_server: Server, account: Account, tmp_path: Path
) -> None:
    log = tmp_path / "attempts"
    async with account.client() as client:
        bad = (await client.create(scripted_png(then=poison, log=str(log))))["instance"]["id"]
        good = (await client.create(scripted_png(lines=["still", "here"])))["instance"]["id"]
        ended = await client.terminal_message(bad)
        assert (ended["status"], ended["error"]) == ("error", SENTENCES[poison])
        assert (await client.terminal_message(good))["raw_text"] == "still\nhere"
        assert await terminal_statuses_received(client, bad) == ["error"]
        assert await terminal_statuses_received(client, good) == ["processed"]
    assert log.read_text().split() == ["1"] * 3
    assert run_query(narrow_server, "SELECT * FROM core_job") == []


async def test_s19_somebody_else_s_upload_does_not_wait_for_the_last_attempt(
    narrow_server: Server, account: Account, tmp_path: Path
) -> None:
    other = await Account.create(narrow_server)
    log = tmp_path / "attempts"
    script = {"then": "hang", "log": str(log)}
    async with account.client() as client, other.client() as waiting:
        await client.create(scripted_png(**script))
        await client.receive_until(lambda m: m.get("streamed_text") == "")
        upload_id = (await waiting.create(scripted_png(lines=["mine"])))["instance"]["id"]
        assert (await waiting.terminal_message(upload_id))["raw_text"] == "mine"
        assert len(log.read_text().split()) < 3
        await client.receive_until(lambda m: m.get("status") == "error")


async def test_s19_a_poisonous_page_costs_none_of_the_pages_before_it(
    narrow_server: Server, account: Account, tmp_path: Path
) -> None:
    log = str(tmp_path / "attempts")
    pages = [{"lines": [f"page {n}"], "log": log} for n in (1, 2)]
    document = scripted_tiff([*pages, {"then": "crash", "log": log}, {"log": log}])
    async with account.client() as client:
        upload_id = (await client.create(document))["instance"]["id"]
        await client.receive_until(lambda m: m.get("status") == "error")
        instance = await retrieve_instance(client, upload_id)
    assert (instance["raw_text"], instance["pages_done"], instance["page_count"]) == (
        "page 1\n\npage 2",
        2,
        4,
    )
    assert Path(log).read_text().split() == ["1", "2", "3", "3", "3"]


async def test_s19_a_reader_in_trouble_leaves_no_process_behind(
    narrow_server: Server, account: Account
) -> None:
    async with account.client() as client:
        await client.create(scripted_png(then="hang"))
        await client.receive_until(lambda m: m.get("status") == "error")
        upload_id = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(upload_id)
    child = await asyncio.to_thread(engine_process, narrow_server)
    parent = child.parent()
    assert parent is not None
    assert [process.pid for process in parent.children()] == [child.pid]
