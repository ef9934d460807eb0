"""A server that stops or is killed during a reading: saved pages are not read again."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import websockets

from tests.chaos.conftest import retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

PAGES_PER_JOB = 3
MAX_EXIT_SECONDS = 10.0


async def close_code(client: WebSocketClient) -> int:
    with suppress(websockets.ConnectionClosed):
        while True:
            await client.receive()
    return await client.close_code()


async def stop_in_time(server: Server) -> None:
    """Send SIGTERM; assert a clean exit within the limit and no remaining child."""
    child = await asyncio.to_thread(engine_process, server)
    started_at = time.monotonic()
    assert await asyncio.to_thread(server.stop, timeout=60) == 0
    assert time.monotonic() - started_at < MAX_EXIT_SECONDS
    await asyncio.to_thread(wait_until_ended, child)


async def kill(server: Server, target: str) -> None:
    """Kill the child, the server, or both; a child without its server ends by itself."""
    child = await asyncio.to_thread(engine_process, server)
    if target in ("child", "both"):
        child.kill()
    if target in ("server", "both"):
        assert await asyncio.to_thread(server.stop, signal.SIGKILL) == -signal.SIGKILL
    await asyncio.to_thread(wait_until_ended, child)
    if target in ("server", "both"):
        await asyncio.to_thread(server.start)


@pytest.mark.timeout(240)
async def test_sigterm_during_reading_releases_the_job_and_restart_continues(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    document = Document(tmp_path, 5, {3: 1})
    async with account.client() as client, account.client() as second:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, upload_id, document.text_up_to(3))
        await stop_in_time(server)
        assert [await close_code(each) for each in (client, second)] == [1012, 1012]
    assert run_query(server, "SELECT claimed_by, failures, attempt FROM core_job") == [("", 0, 1)]
    assert run_query(server, "SELECT status FROM core_upload") == [("processing",)]
    assert run_query(server, "SELECT number FROM core_page ORDER BY number") == [(1,), (2,)]

    await asyncio.to_thread(server.start)
    async with account.client() as client:
        await wait_for_partial(client, upload_id, document.text_up_to(3))
        document.release_page(3)
        assert (await client.terminal_message(upload_id))["raw_text"] == document.text
        assert await terminal_statuses_received(client, upload_id) == ["processed"]
    assert document.pages_read == [1, 2, 3, 3, 4, 5]
    attempts = run_query(server, "SELECT number, attempt FROM core_page ORDER BY number")
    assert attempts == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]
    assert "Traceback" not in server.log


async def test_sigterm_with_hanging_engine_stops_the_server(new_server: Callable[..., Server]) -> None:
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    async with account.client() as client:
        await client.create(scripted_png(then="hang"))
        await client.receive_until(lambda m: m.get("streamed_text"))
        await stop_in_time(server)
    assert run_query(server, "SELECT claimed_by, failures FROM core_job") == [("", 0)]


@pytest.mark.parametrize("target", ["child", "server", "both"])
async def test_kill_with_hanging_engine_leaves_no_orphan_and_retries_the_document(
    target: str, new_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The engine does not check for messages, and still no orphan process is left."""
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    once = tmp_path / "hung once"
    async with account.client() as client:
        image = scripted_png(lines=["one", "two"], then="hang", after=1, only_once=str(once))
        upload_id = (await client.create(image))["instance"]["id"]
        await wait_for_partial(client, upload_id, "one")
        await asyncio.to_thread(wait_until, once.exists, "it hangs")
        await kill(server, target)
        if target != "child" and server.is_embedded:
            # The start released the claim before its lease expired, or the upload is already read.
            assert run_query(server, "SELECT failures FROM core_job") in ([(1,)], [])
    async with account.client() as client:
        upload = await retrieve_instance(client, upload_id)
        if upload["status"] != "processed":
            upload = await client.terminal_message(upload_id)
    assert upload["raw_text"] == "one\ntwo"
    children = psutil.Process(server.reader_process.pid).children()
    assert [child.pid for child in children] == [(await asyncio.to_thread(engine_process, server)).pid]


@pytest.mark.embedded("elsewhere the dead reader's lease delays its page, and later pages are read first")
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_kill_at_five_points_of_200_pages_reads_each_saved_page_once(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    kills = {1: "child", 50: "server", 101: "both", 150: "child", 200: "server"}
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    document = Document(tmp_path, 200, dict.fromkeys(kills, 1))
    upload_id, terminal_messages = "", []
    for page, target in kills.items():
        async with account.client() as client:
            if not upload_id:
                upload_id = (await client.create(document.tiff))["instance"]["id"]
            await wait_for_partial(client, upload_id, document.text_up_to(page))
            await kill(server, target)
            terminal_messages += [m for m in client.seen if m.get("status") in ("processed", "error")]
        async with account.client() as client:
            await wait_for_partial(client, upload_id, document.text_up_to(page))
            terminal_messages += [m for m in client.seen if m.get("status") in ("processed", "error")]
            document.release_page(page)
            if page == document.pages:
                assert (await client.terminal_message(upload_id))["raw_text"] == document.text
                assert await terminal_statuses_received(client, upload_id) == ["processed"]
                upload = await retrieve_instance(client, upload_id)
    assert terminal_messages == []
    assert (upload["status"], upload["pages_done"]) == ("processed", 200)
    assert document.pages_read == sorted([*range(1, 201), *kills]), "only unsaved pages are read again"
    saved = run_query(server, "SELECT number, attempt FROM core_page ORDER BY number")
    assert [number for number, _ in saved] == list(range(1, 201))
    assert saved[0][1] == 2
    claims = math.ceil(document.pages / PAGES_PER_JOB) + len(kills)
    assert saved[-1][1] == claims, "each job was claimed once, plus once for each killed reader"
    assert run_query(server, "SELECT * FROM core_job") == []
