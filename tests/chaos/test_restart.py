"""A server that ends in good order or not while it reads: nothing that was saved is read again."""

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

from tests.chaos.conftest import Account, retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

PAGES_OF_A_JOB = 3

EXIT_SECONDS = 10.0


async def close_code(client: WebSocketClient) -> int:
    with suppress(websockets.ConnectionClosed):
        while True:
            await client.receive()
    return await client.close_code()


async def stopped(server: Server) -> None:
    """SIGTERM, and an end in good order within the contract's time; no child stays."""
    child = await asyncio.to_thread(engine_process, server)
    began = time.monotonic()
    assert await asyncio.to_thread(server.stop, timeout=60) == 0
    assert time.monotonic() - began < EXIT_SECONDS
    await asyncio.to_thread(wait_until_ended, child)


async def kill(server: Server, whom: str) -> None:
    """`kill -9` of the child, the server, or both; a child without its server goes by itself."""
    child = await asyncio.to_thread(engine_process, server)
    if whom in ("child", "both"):
        child.kill()
    if whom in ("server", "both"):
        assert await asyncio.to_thread(server.stop, signal.SIGKILL) == -signal.SIGKILL
    await asyncio.to_thread(wait_until_ended, child)
    if whom in ("server", "both"):
        await asyncio.to_thread(server.start)


@pytest.mark.timeout(240)
async def test_sigterm_gives_a_half_read_document_back_and_the_next_start_goes_on(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = await asyncio.to_thread(new_server)
    account = await Account.create(server)
    document = Document(tmp_path, 5, {3: 1})
    async with account.client() as client, account.client() as second:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, upload_id, document.text_up_to(3))
        await stopped(server)
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


async def test_sigterm_ends_a_server_whose_engine_hangs(new_server: Callable[..., Server]) -> None:
    server = await asyncio.to_thread(new_server)
    account = await Account.create(server)
    async with account.client() as client:
        await client.create(scripted_png(then="hang"))
        await client.receive_until(lambda m: m.get("streamed_text"))
        await stopped(server)
    assert run_query(server, "SELECT claimed_by, failures FROM core_job") == [("", 0)]


@pytest.mark.parametrize("whom", ["child", "server", "both"])
async def test_a_hanging_child_goes_with_its_server_and_the_document_is_tried_again(
    whom: str, new_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The engine computes and hears nothing; still no orphan is left."""
    server = await asyncio.to_thread(new_server)
    account = await Account.create(server)
    once = tmp_path / "hung once"
    async with account.client() as client:
        image = scripted_png(lines=["one", "two"], then="hang", after=1, only_once=str(once))
        upload_id = (await client.create(image))["instance"]["id"]
        await wait_for_partial(client, upload_id, "one")
        await asyncio.to_thread(wait_until, once.exists, "it hangs")
        await kill(server, whom)
        if whom != "child" and server.is_embedded:
            # Its claim is void at the start, before its lease ran out; or it is read already.
            assert run_query(server, "SELECT failures FROM core_job") in ([(1,)], [])
    async with account.client() as client:
        upload = await retrieve_instance(client, upload_id)
        if upload["status"] != "processed":
            upload = await client.terminal_message(upload_id)
    assert upload["raw_text"] == "one\ntwo"
    own = psutil.Process(server.reader_process.pid).children()
    assert [child.pid for child in own] == [(await asyncio.to_thread(engine_process, server)).pid]


@pytest.mark.embedded("elsewhere a lease keeps the page of who died, and the pages after it are read first")
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_200_pages_killed_at_five_points_are_read_once_each(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    kills = {1: "child", 50: "server", 101: "both", 150: "child", 200: "server"}
    server = await asyncio.to_thread(new_server)
    account = await Account.create(server)
    document = Document(tmp_path, 200, dict.fromkeys(kills, 1))
    upload_id, ends = "", []
    for page, whom in kills.items():
        async with account.client() as client:
            if not upload_id:
                upload_id = (await client.create(document.tiff))["instance"]["id"]
            await wait_for_partial(client, upload_id, document.text_up_to(page))
            await kill(server, whom)
            ends += [m for m in client.seen if m.get("status") in ("processed", "error")]
        async with account.client() as client:
            await wait_for_partial(client, upload_id, document.text_up_to(page))
            ends += [m for m in client.seen if m.get("status") in ("processed", "error")]
            document.release_page(page)
            if page == document.pages:
                assert (await client.terminal_message(upload_id))["raw_text"] == document.text
                assert await terminal_statuses_received(client, upload_id) == ["processed"]
                upload = await retrieve_instance(client, upload_id)
    assert ends == []
    assert (upload["status"], upload["pages_done"]) == ("processed", 200)
    assert document.pages_read == sorted([*range(1, 201), *kills]), "only what was not saved is read again"
    saved = run_query(server, "SELECT number, attempt FROM core_page ORDER BY number")
    assert [number for number, _ in saved] == list(range(1, 201))
    assert saved[0][1] == 2
    claims = math.ceil(document.pages / PAGES_OF_A_JOB) + len(kills)
    assert saved[-1][1] == claims, "each job was claimed once, and once more where its reader died"
    assert run_query(server, "SELECT * FROM core_job") == []
