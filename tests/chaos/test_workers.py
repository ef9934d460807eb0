"""S17, S18, S20, S25 with workers: after any fault, every upload is read and ends once."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import in_thread, retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process, wait_until, wait_until_ended
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import TERMINAL, Message, WebSocketClient
from tests.support.worker import NO_POLLING_PROGRAM, Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PAGES = 3


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    running = Redis(tmp_path_factory.mktemp("redis")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without readers that notifies workers of a new job once, and never polls."""
    settings = {"REDIS_URL": redis.url, "REDIS_PREFIX": "s17:", "SECRET_KEY": "0123456789abcdef" * 4}
    running = Server(tmp_path_factory.mktemp("server") / "data", **settings)
    running.data_dir.mkdir()
    running.program = [sys.executable, "-c", NO_POLLING_PROGRAM]
    yield running.start()
    assert running.stop() == 0
    assert running.unexpected_tracebacks == []


@pytest.fixture
def new_worker(server: Server) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(*arguments: str, **options: bool) -> Worker:
        started.append(Worker(server, *arguments, **options))
        return started[-1].start()

    yield start
    for worker in started:
        if worker.process.poll() is None:
            assert worker.stop() == 0
        assert "Traceback" not in worker.log


def is_terminal(upload_id: str) -> Callable[[Message], bool]:
    return lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL


async def wait_until_read(client: WebSocketClient, upload_id: str, document: Document) -> None:
    """Wait for the end of a document, and assert that it came once with the full text."""
    end = await client.received(
        lambda m: m.get("id") == upload_id and "status" in m and "streamed_text" not in m
    )
    assert (end["status"], end["raw_text"]) == ("processed", document.text)
    assert await terminal_statuses_received(client, upload_id) == ["processed"]


async def create(client: WebSocketClient, image: bytes) -> str:
    return str((await client.create(image))["instance"]["id"])


def has_started(document: Document, page: int) -> Callable[[], bool]:
    return lambda: page in document.pages_read


async def test_worker_reads_uploads_of_the_server_and_streams_text(
    server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    await in_thread(new_worker, without_polling=True)
    document = Document(tmp_path, PAGES, {2: 1})
    async with Account.create(server).client() as client:
        upload_id = await create(client, document.tiff)
        await wait_for_partial(client, upload_id, "")
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        document.release_page(2)
        await wait_until_read(client, upload_id, document)
    assert document.pages_read == [1, 2, 3]


async def test_s17_engine_process_of_a_worker_killed_during_reading_loses_one_page(
    server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    worker = await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {2: 1})
    async with Account.create(server).client() as client:
        upload_id = await create(client, document.tiff)
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        child = await asyncio.to_thread(engine_process, worker)
        child.kill()
        await in_thread(wait_until_ended, child)
        document.release_page(2)
        await wait_until_read(client, upload_id, document)
    assert document.pages_read == [1, 2, 2, 3]


@pytest.mark.parametrize("page", [1, PAGES], ids=["in the first page", "in the last page"])
async def test_s17_document_of_a_killed_worker_is_continued_by_another(
    page: int, server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    killed = await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {page: 1})
    async with Account.create(server).client() as client:
        upload_id = await create(client, document.tiff)
        await wait_for_partial(client, upload_id, document.text_up_to(page))
        await in_thread(killed.stop, signal.SIGKILL)
        await in_thread(new_worker)
        document.release_page(page)
        await wait_until_read(client, upload_id, document)
        assert (await retrieve_instance(client, upload_id))["pages_done"] == PAGES
    assert document.pages_read == sorted([1, 2, 3, page])


async def test_s18_jobs_whose_messages_the_broker_lost_are_read(
    server: Server, redis: Redis, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    async with Account.create(server).client() as client:
        waiting = [await create(client, scripted_png(lines=[str(n)])) for n in range(3)]
        await in_thread(redis.flush)
        await in_thread(new_worker)
        document = Document(tmp_path, 1, {1: 0})
        busy = await create(client, document.tiff)
        for upload_id in waiting:
            assert (await client.received(is_terminal(upload_id)))["status"] == "processed"
        await in_thread(wait_until, has_started(document, 1), "the page has started")
        behind = [await create(client, scripted_png(lines=[str(n)])) for n in range(3)]
        await in_thread(redis.flush)
        document.release_page(1)
        for upload_id in [busy, *behind]:
            assert (await client.received(is_terminal(upload_id)))["status"] == "processed"
            assert await terminal_statuses_received(client, upload_id) == ["processed"]


async def test_s18_worker_without_notifications_polls_for_jobs(server: Server) -> None:
    worker = Worker(server, REDIS_PREFIX="other:")
    await in_thread(worker.start)
    async with Account.create(server).client() as client:
        for _ in range(2):
            upload_id = await create(client, scripted_png(lines=["found"]))
            assert (await client.received(is_terminal(upload_id)))["status"] == "processed"
    assert await in_thread(worker.stop) == 0


async def test_s20_uploads_during_redis_outage_are_read_and_live_text_returns(
    server: Server, redis: Redis, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {1: 1})
    async with Account.create(server).client() as client:
        upload_id = await create(client, document.tiff)
        await wait_for_partial(client, upload_id, "page 1")
        await in_thread(redis.stop)
        pending_ids = [await create(client, scripted_png(lines=[str(n)])) for n in range(3)]
        document.release_page(1)
        for each in pending_ids:
            assert (await client.received(is_terminal(each)))["status"] == "processed"
        await wait_until_read(client, upload_id, document)
        await in_thread(redis.start)
        (tmp_path / "after").mkdir()
        after = Document(tmp_path / "after", 1, {1: 1})
        last = await create(client, after.tiff)
        await wait_for_partial(client, last, "page 1")
        after.release_page(1)
        await wait_until_read(client, last, after)


@pytest.mark.parametrize("request_type", ["delete", "cancel"])
async def test_s25_worker_stops_at_once_on_delete_or_cancel(
    request_type: str, server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    worker = await in_thread(new_worker, without_polling=True)
    async with Account.create(server).client() as client:
        upload_id = await create(
            client, scripted_png(lines=["one", "two"], wait_for="/nowhere", wait_after=1)
        )
        await wait_for_partial(client, upload_id, "one")
        child = await asyncio.to_thread(engine_process, worker)
        await client.request({"type": request_type, "instance_id": upload_id})
        await in_thread(wait_until_ended, child)
        next_id = await create(client, scripted_png(lines=["the next"]))
        assert (await client.received(is_terminal(next_id)))["raw_text"] == "the next"
        await client.request({"type": "list"})
    messages = [m for m in client.seen if upload_id in (m.get("id"), m.get("instance", {}).get("id"))]
    assert messages[-1].get("status") == "cancelled" or messages[-1]["type"] == "Upload.deleted"


async def test_worker_stopped_during_reading_releases_its_job(
    server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    first_worker = await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {2: 1})
    async with Account.create(server).client() as client:
        upload_id = await create(client, document.tiff)
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        assert await in_thread(first_worker.stop, timeout=10) == 0
        query = "SELECT claimed_by, failures FROM core_job WHERE upload_id = ?"
        assert run_query(server, query, upload_id.replace("-", "")) == [("", 0)]
        document.release_page(2)
        await in_thread(new_worker)
        await wait_until_read(client, upload_id, document)
    assert document.pages_read == [1, 2, 2, 3]


async def test_two_workers_share_uploads_and_read_each_page_once(
    server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    await asyncio.gather(*(in_thread(new_worker, without_polling=True) for _ in range(2)))
    documents = []
    for number in range(24):
        (tmp_path / str(number)).mkdir()
        documents.append(Document(tmp_path / str(number), 2, {1: 1} if number < 2 else None))
    async with Account.create(server).client() as client:
        ids = [await create(client, document.tiff) for document in documents]
        # Both pause at the same time, so two workers read.
        for document in documents[:2]:
            await in_thread(wait_until, has_started(document, 1), "the page has started")
        for document in documents[:2]:
            document.release_page(1)
        for upload_id, document in zip(ids, documents, strict=True):
            await wait_until_read(client, upload_id, document)
    assert [document.pages_read for document in documents] == [[1, 2]] * 24


async def test_worker_that_is_busy_leaves_notifications_to_an_idle_one(
    server: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    """A notification that the busy worker keeps would leave a job unread."""
    await asyncio.gather(*(in_thread(new_worker, without_polling=True) for _ in range(2)))
    document = Document(tmp_path, 1, {1: 1})
    async with Account.create(server).client() as client:
        busy = await create(client, document.tiff)
        await in_thread(wait_until, has_started(document, 1), "the page has started")
        for number in range(6):
            upload_id = await create(client, scripted_png(lines=[str(number)]))
            assert (await client.received(is_terminal(upload_id)))["status"] == "processed"
        document.release_page(1)
        await wait_until_read(client, busy, document)


async def test_worker_without_broker_waits_logs_no_secret_and_can_be_stopped(
    server: Server, tmp_path: Path
) -> None:
    url = "redis://reader:hush-hush@127.0.0.1:1/0"
    worker = Worker(server, REDIS_URL=url)
    await in_thread(worker.start)
    await in_thread(wait_until, lambda: "Cannot connect to redis://" in worker.log, "it logs the failure")
    assert await in_thread(worker.stop, timeout=10) == 0
    assert "hush-hush" not in worker.log
    assert " ERROR   celery.worker.consumer" in worker.log, "the line has the standard format"
    assert "Traceback" not in worker.log
