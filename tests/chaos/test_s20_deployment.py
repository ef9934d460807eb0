"""S20 — Redis stops, forgets or freezes under servers and workers that read: all goes on, and is told."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.chaos.conftest import retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.chaos.deployment import Deployment
from tests.chaos.test_s17_deployment import in_thread
from tests.support.accounts import Account
from tests.support.event_recorder import recording
from tests.support.page_images import scripted_png
from tests.support.processes import engine_processes, wait_until
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGES = 3
EXIT_SECONDS = 10.0
BREAK: dict[str, Callable[[Redis], object]] = {
    "stopped": Redis.stop,
    "flushed": Redis.flush,
    "frozen": Redis.freeze,
}
MEND: dict[str, Callable[[Redis], object]] = {"stopped": Redis.start, "frozen": Redis.thaw}


@pytest.fixture(scope="module")
def deployment(module_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("redis")
    deployment = Deployment(directory, module_redis).start()
    yield deployment
    deployment.stop()


def health(web: Server) -> tuple[int, str, str]:
    answer = httpx.get(f"{web.http}/readyz", timeout=30)
    return answer.status_code, answer.json()["status"], " ".join(answer.json().get("reasons", ()))


def degraded(web: Server) -> bool:
    code, status, reasons = health(web)
    assert code == 200, "uploads are still accepted"
    return status == "degraded" and "Redis" in reasons


def well(web: Server) -> bool:
    return health(web) == (200, "ok", "")


async def created(client: WebSocketClient, image: bytes) -> str:
    return str((await client.create(image))["instance"]["id"])


def never_ending(text: str) -> bytes:
    return scripted_png(lines=[text, "more"], wait_for="/nowhere/at all", wait_after=1)


def gone(children: list[psutil.Process]) -> list[psutil.Process]:
    return [child for child in children if not child.is_running()]


def text_of(upload_id: str, text: str) -> Callable[[Message], bool]:
    return lambda m: m.get("id") == upload_id and m.get("streamed_text") == text


@pytest.mark.parametrize("how", BREAK)
async def test_s20_what_is_read_goes_on_what_comes_is_taken_and_who_ends_it_is_heeded(
    how: str, deployment: Deployment, tmp_path: Path
) -> None:
    one, other = deployment.servers
    await in_thread(deployment.stop_workers)
    # One of its readers is idle: it waits for a call, and the others have theirs, when Redis goes.
    worker = await asyncio.to_thread(deployment.start_worker, "--concurrency", "4")
    await in_thread(wait_until, lambda: well(one) and well(other), "all is well")
    account = Account.create(one)
    document = Document(tmp_path, PAGES, {1: 1})
    elsewhere = WebSocketClient(other.url(token=account.mint()))
    async with account.client() as client, elsewhere, recording(account, other.port) as watcher:
        reading = await created(client, document.tiff)
        await wait_for_partial(client, reading, "page 1")
        ended = {how: await created(client, never_ending(how)) for how in ("cancel", "delete")}
        for how_it_ends, upload_id in ended.items():
            await elsewhere.received(text_of(upload_id, how_it_ends))
        children = await asyncio.to_thread(engine_processes, worker, 4)

        BREAK[how](deployment.redis)
        meanwhile = [await created(each, scripted_png(lines=["meanwhile"])) for each in (client, elsewhere)]
        for how_it_ends, upload_id in ended.items():
            await client.request({"type": how_it_ends, "instance_id": upload_id})
        if how != "flushed":
            await in_thread(wait_until, lambda: degraded(one) and degraded(other), "both say so")
        await in_thread(wait_until, lambda: len(gone(children)) == 2, "what was ended is not read on")
        for each in meanwhile:
            await elsewhere.received(lambda m, key=each: m.get("id") == key and "raw_text" in m)
        assert worker.process.poll() is None, worker.log
        document.release_page(1)
        assert (await elsewhere.received(lambda m: m.get("raw_text") == document.text))["id"] == reading

        MEND.get(how, lambda _redis: None)(deployment.redis)
        await in_thread(wait_until, lambda: well(one) and well(other), "all is well again")
        (tmp_path / "after").mkdir()
        after = Document(tmp_path / "after", 1, {1: 1})
        last = await created(client, after.tiff)
        await elsewhere.received(text_of(last, "page 1"))
        after.release_page(1)
        await elsewhere.terminal_message(last)

        assert await terminal_statuses_received(elsewhere, reading) == ["processed"]
        assert (await retrieve_instance(client, ended["cancel"]))["raw_text"] == ""
        deleted = ended["delete"]
        about = [m for m in elsewhere.seen if deleted in (m.get("id"), m.get("instance", {}).get("id"))]
        assert about[-1]["type"] == "Upload.deleted"
        read = dict.fromkeys((reading, *meanwhile, last), "processed")
        books = read | {ended["cancel"]: "cancelled"}
        await in_thread(deployment.assert_consistent, account, books, [deleted])
        await deployment.assert_received_log(account, watcher)
    assert document.pages_read == [1, 2, 3]


@pytest.mark.parametrize("how", MEND)
async def test_s20_while_redis_is_not_there_all_can_be_stopped_and_started(
    how: str, deployment: Deployment, tmp_path: Path
) -> None:
    await in_thread(deployment.stop_workers)
    worker = await asyncio.to_thread(deployment.start_worker)
    one, account = deployment.servers[0], Account.create(deployment.servers[0])
    document = Document(tmp_path, 1, {1: 1})
    async with account.client() as client:
        reading = await created(client, document.tiff)
        await wait_for_partial(client, reading, "page 1")
        BREAK[how](deployment.redis)
        await created(client, scripted_png())
        for each in (worker, one):
            began = time.monotonic()
            assert await asyncio.to_thread(each.stop, signal.SIGTERM, timeout=60) == 0
            assert time.monotonic() - began < EXIT_SECONDS
            assert "Traceback" not in each.log, each.log
        assert await client.close_code() == 1012
    await in_thread(one.start)
    await in_thread(deployment.start_worker)
    document.release_page(1)
    async with account.client() as client:
        other = await created(client, scripted_png(lines=["taken without Redis"]))
        await client.received(lambda m: m.get("raw_text") == "taken without Redis")
        state = await retrieve_instance(client, reading)
        if state["status"] != "processed":
            await client.received(lambda m: m.get("id") == reading and "raw_text" in m)
    assert other
    assert document.pages_read == [1, 1]
    MEND[how](deployment.redis)
    await in_thread(wait_until, lambda: well(one), "all is well again")
