"""S20 - Redis stops, loses its data or freezes below a scaled deployment: reading and delivery continue."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.chaos.conftest import in_thread, retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.chaos.deployment import Deployment
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
MAX_EXIT_SECONDS = 10.0
FAULTS: dict[str, Callable[[Redis], object]] = {
    "stopped": Redis.stop,
    "flushed": Redis.flush,
    "frozen": Redis.freeze,
}
RECOVERIES: dict[str, Callable[[Redis], object]] = {"stopped": Redis.start, "frozen": Redis.thaw}


@pytest.fixture(scope="module")
def deployment(module_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("redis")
    deployment = Deployment(directory, module_redis).start()
    yield deployment
    deployment.stop()


def health(server: Server) -> tuple[int, str, str]:
    answer = httpx.get(f"{server.http}/readyz", timeout=30)
    return answer.status_code, answer.json()["status"], " ".join(answer.json().get("reasons", ()))


def is_degraded(server: Server) -> bool:
    code, status, reasons = health(server)
    assert code == 200, "uploads are still accepted"
    return status == "degraded" and "Redis" in reasons


def is_ok(server: Server) -> bool:
    return health(server) == (200, "ok", "")


async def create(client: WebSocketClient, image: bytes) -> str:
    return str((await client.create(image))["instance"]["id"])


def endless_png(text: str) -> bytes:
    return scripted_png(lines=[text, "more"], wait_for="/nowhere/at all", wait_after=1)


def ended_processes(children: list[psutil.Process]) -> list[psutil.Process]:
    return [child for child in children if not child.is_running()]


def text_of(upload_id: str, text: str) -> Callable[[Message], bool]:
    return lambda m: m.get("id") == upload_id and m.get("streamed_text") == text


@pytest.mark.parametrize("fault", FAULTS)
async def test_s20_redis_fault_keeps_reading_creating_and_cancelling(
    fault: str, deployment: Deployment, tmp_path: Path
) -> None:
    one, other = deployment.servers
    await in_thread(deployment.stop_workers)
    # One reader is idle and waits for a job when Redis fails; the others are busy.
    worker = await asyncio.to_thread(deployment.start_worker, "--concurrency", "4")
    await in_thread(wait_until, lambda: is_ok(one) and is_ok(other), "both servers are ok")
    account = Account.create(one)
    document = Document(tmp_path, PAGES, {1: 1})
    other_client = WebSocketClient(other.url(token=account.mint()))
    async with account.client() as client, other_client, recording(account, other.port) as recorder:
        reading = await create(client, document.tiff)
        await wait_for_partial(client, reading, "page 1")
        unfinished = {fault: await create(client, endless_png(fault)) for fault in ("cancel", "delete")}
        for request_type, upload_id in unfinished.items():
            await other_client.received(text_of(upload_id, request_type))
        children = await asyncio.to_thread(engine_processes, worker, 4)

        FAULTS[fault](deployment.redis)
        meanwhile = [await create(each, scripted_png(lines=["meanwhile"])) for each in (client, other_client)]
        for request_type, upload_id in unfinished.items():
            await client.request({"type": request_type, "instance_id": upload_id})
        if fault != "flushed":
            await in_thread(
                wait_until, lambda: is_degraded(one) and is_degraded(other), "both servers report it"
            )
        await in_thread(
            wait_until, lambda: len(ended_processes(children)) == 2, "ended uploads are not read on"
        )
        for each in meanwhile:
            await other_client.received(lambda m, key=each: m.get("id") == key and "raw_text" in m)
        assert worker.process.poll() is None, worker.log
        document.release_page(1)
        assert (await other_client.received(lambda m: m.get("raw_text") == document.text))["id"] == reading

        RECOVERIES.get(fault, lambda _redis: None)(deployment.redis)
        await in_thread(wait_until, lambda: is_ok(one) and is_ok(other), "both servers are ok again")
        (tmp_path / "after").mkdir()
        after = Document(tmp_path / "after", 1, {1: 1})
        last = await create(client, after.tiff)
        await other_client.received(text_of(last, "page 1"))
        after.release_page(1)
        await other_client.terminal_message(last)

        assert await terminal_statuses_received(other_client, reading) == ["processed"]
        assert (await retrieve_instance(client, unfinished["cancel"]))["raw_text"] == ""
        deleted = unfinished["delete"]
        messages = [m for m in other_client.seen if deleted in (m.get("id"), m.get("instance", {}).get("id"))]
        assert messages[-1]["type"] == "Upload.deleted"
        read = dict.fromkeys((reading, *meanwhile, last), "processed")
        statuses = read | {unfinished["cancel"]: "cancelled"}
        await in_thread(deployment.assert_consistent, account, statuses, [deleted])
        await deployment.assert_received_log(account, recorder)
    assert document.pages_read == [1, 2, 3]


@pytest.mark.parametrize("fault", RECOVERIES)
async def test_s20_processes_stop_and_start_without_redis(
    fault: str, deployment: Deployment, tmp_path: Path
) -> None:
    await in_thread(deployment.stop_workers)
    worker = await asyncio.to_thread(deployment.start_worker)
    one, account = deployment.servers[0], Account.create(deployment.servers[0])
    document = Document(tmp_path, 1, {1: 1})
    async with account.client() as client:
        reading = await create(client, document.tiff)
        await wait_for_partial(client, reading, "page 1")
        FAULTS[fault](deployment.redis)
        await create(client, scripted_png())
        for each in (worker, one):
            started_at = time.monotonic()
            assert await asyncio.to_thread(each.stop, signal.SIGTERM, timeout=60) == 0
            assert time.monotonic() - started_at < MAX_EXIT_SECONDS
            assert "Traceback" not in each.log, each.log
        assert await client.close_code() == 1012
    await in_thread(one.start)
    await in_thread(deployment.start_worker)
    document.release_page(1)
    async with account.client() as client:
        other = await create(client, scripted_png(lines=["taken without Redis"]))
        await client.received(lambda m: m.get("raw_text") == "taken without Redis")
        state = await retrieve_instance(client, reading)
        if state["status"] != "processed":
            await client.received(lambda m: m.get("id") == reading and "raw_text" in m)
    assert other
    assert document.pages_read == [1, 1]
    RECOVERIES[fault](deployment.redis)
    await in_thread(wait_until, lambda: is_ok(one), "both servers are ok again")
