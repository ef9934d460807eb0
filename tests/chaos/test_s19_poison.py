"""S19 - a file hangs its reader (two attempts), crashes it or fills its memory (three): `error`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import retrieve_instance, terminal_statuses_received
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server

MEMORY_BYTES = 256 * 1024**2  # filled within the second that a page may take
ERRORS = {
    "hang": "A page took longer than 1 seconds.",
    "oom": "The reading engine used too much memory.",
    "crash": "The reading engine stopped unexpectedly.",
}


@pytest.fixture(scope="module")
def limited_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose reader has one second and 256 MiB for a page."""
    directory = tmp_path_factory.mktemp("narrow") / "data"
    server = Server(directory, PAGE_SECONDS="1", READER_MEMORY_BYTES=str(MEMORY_BYTES))
    yield server.start()
    assert server.stop() == 0


@pytest.fixture(scope="module")
def account(limited_server: Server) -> Account:
    return Account.create(limited_server)


@pytest.mark.parametrize("poison", ERRORS)
async def test_s19_poison_file_ends_in_error_after_few_attempts_and_next_is_read(
    poison: str, limited_server: Server, account: Account, tmp_path: Path
) -> None:
    log = tmp_path / "attempts"
    async with account.client() as client:
        poison_id = (await client.create(scripted_png(then=poison, log=str(log))))["instance"]["id"]
        next_id = (await client.create(scripted_png(lines=["still", "here"])))["instance"]["id"]
        # A page that hangs is read again after the other uploads.
        order = [next_id, poison_id] if poison == "hang" else [poison_id, next_id]
        ends = {upload_id: await client.terminal_message(upload_id) for upload_id in order}
        end = ends[poison_id]
        assert (end["status"], end["error"]) == ("error", ERRORS[poison])
        assert ends[next_id]["raw_text"] == "still\nhere"
        assert await terminal_statuses_received(client, poison_id) == ["error"]
        assert await terminal_statuses_received(client, next_id) == ["processed"]
    assert log.read_text().split() == ["1"] * (2 if poison == "hang" else 3)
    assert run_query(limited_server, "SELECT * FROM core_job") == []


async def test_s19_poison_file_does_not_block_another_users_upload(
    limited_server: Server, account: Account, tmp_path: Path
) -> None:
    other = Account.create(limited_server)
    log = tmp_path / "attempts"
    script = {"then": "hang", "log": str(log)}
    async with account.client() as client, other.client() as waiting:
        await client.create(scripted_png(**script))
        await client.receive_until(lambda m: m.get("streamed_text") == "")
        upload_id = (await waiting.create(scripted_png(lines=["mine"])))["instance"]["id"]
        assert (await waiting.terminal_message(upload_id))["raw_text"] == "mine"
        assert len(log.read_text().split()) < 3
        await client.receive_until(lambda m: m.get("status") == "error")


async def test_s19_poison_page_keeps_the_pages_before_it(
    limited_server: Server, account: Account, tmp_path: Path
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


async def test_s19_poison_file_leaves_no_process_behind(limited_server: Server, account: Account) -> None:
    async with account.client() as client:
        await client.create(scripted_png(then="hang"))
        await client.receive_until(lambda m: m.get("status") == "error")
        upload_id = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(upload_id)
    child = await asyncio.to_thread(engine_process, limited_server)
    parent = child.parent()
    assert parent is not None
    assert [process.pid for process in parent.children()] == [child.pid]
