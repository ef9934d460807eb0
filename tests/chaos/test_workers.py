"""S17, S18, S20, S25 with readers in processes of their own: whatever dies, all is read, and ends once."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import retrieve_instance, terminal_statuses_received, wait_for_partial
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
def web(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that reads nothing itself, and calls workers when something comes in, but not again."""
    settings = {"REDIS_URL": redis.url, "REDIS_PREFIX": "deployed:", "SECRET_KEY": "k" * 50}
    running = Server(tmp_path_factory.mktemp("web") / "data", **settings)
    running.data_dir.mkdir()
    running.program = [sys.executable, "-c", NO_POLLING_PROGRAM]
    yield running.start()
    assert running.stop() == 0
    assert running.unexpected_tracebacks == []


@pytest.fixture
def new_worker(web: Server) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(*arguments: str, **options: bool) -> Worker:
        started.append(Worker(web, *arguments, **options))
        return started[-1].start()

    yield start
    for worker in started:
        if worker.process.poll() is None:
            assert worker.stop() == 0
        assert "Traceback" not in worker.log


def ended(upload_id: str) -> Callable[[Message], bool]:
    return lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL


async def in_thread(work: Callable[..., object], *args: object, **options: object) -> object:
    return await asyncio.to_thread(lambda: work(*args, **options))


async def read_in_full(client: WebSocketClient, upload_id: str, document: Document) -> None:
    """To its end, which comes once."""
    end = await client.received(
        lambda m: m.get("id") == upload_id and "status" in m and "streamed_text" not in m
    )
    assert (end["status"], end["raw_text"]) == ("processed", document.text)
    assert await terminal_statuses_received(client, upload_id) == ["processed"]


async def created(client: WebSocketClient, image: bytes) -> str:
    return str((await client.create(image))["instance"]["id"])


def begun(document: Document, page: int) -> Callable[[], bool]:
    return lambda: page in document.pages_read


async def test_what_a_server_takes_in_a_worker_reads_and_its_text_comes_live(
    web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    await in_thread(new_worker, without_polling=True)
    document = Document(tmp_path, PAGES, {2: 1})
    async with Account.create(web).client() as client:
        upload_id = await created(client, document.tiff)
        await wait_for_partial(client, upload_id, "")
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        document.release_page(2)
        await read_in_full(client, upload_id, document)
    assert document.pages_read == [1, 2, 3]


async def test_s17_a_worker_s_child_killed_while_it_reads_loses_that_page_s_work_only(
    web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    worker = await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {2: 1})
    async with Account.create(web).client() as client:
        upload_id = await created(client, document.tiff)
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        child = await asyncio.to_thread(engine_process, worker)
        child.kill()
        await in_thread(wait_until_ended, child)
        document.release_page(2)
        await read_in_full(client, upload_id, document)
    assert document.pages_read == [1, 2, 2, 3]


@pytest.mark.parametrize("page", [1, PAGES], ids=["in the first page", "in the last page"])
async def test_s17_what_a_killed_worker_was_reading_another_reads_on(
    page: int, web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    killed = await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {page: 1})
    async with Account.create(web).client() as client:
        upload_id = await created(client, document.tiff)
        await wait_for_partial(client, upload_id, document.text_up_to(page))
        await in_thread(killed.stop, signal.SIGKILL)
        await in_thread(new_worker)
        document.release_page(page)
        await read_in_full(client, upload_id, document)
        assert (await retrieve_instance(client, upload_id))["pages_done"] == PAGES
    assert document.pages_read == sorted([1, 2, 3, page])


async def test_s18_what_a_broker_forgot_is_read_all_the_same(
    web: Server, redis: Redis, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    async with Account.create(web).client() as client:
        waiting = [await created(client, scripted_png(lines=[str(n)])) for n in range(3)]
        await in_thread(redis.flush)
        await in_thread(new_worker)
        document = Document(tmp_path, 1, {1: 0})
        busy = await created(client, document.tiff)
        for upload_id in waiting:
            assert (await client.received(ended(upload_id)))["status"] == "processed"
        await in_thread(wait_until, begun(document, 1), "the page is begun")
        behind = [await created(client, scripted_png(lines=[str(n)])) for n in range(3)]
        await in_thread(redis.flush)
        document.release_page(1)
        for upload_id in [busy, *behind]:
            assert (await client.received(ended(upload_id)))["status"] == "processed"
            assert await terminal_statuses_received(client, upload_id) == ["processed"]


async def test_s18_a_worker_whom_no_call_reaches_looks_for_itself(web: Server) -> None:
    worker = Worker(web, REDIS_PREFIX="elsewhere:")
    await in_thread(worker.start)
    async with Account.create(web).client() as client:
        for _ in range(2):
            upload_id = await created(client, scripted_png(lines=["found"]))
            assert (await client.received(ended(upload_id)))["status"] == "processed"
    assert await in_thread(worker.stop) == 0


async def test_s20_while_redis_is_away_uploads_are_accepted_and_read_and_afterwards_live_again(
    web: Server, redis: Redis, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {1: 1})
    async with Account.create(web).client() as client:
        upload_id = await created(client, document.tiff)
        await wait_for_partial(client, upload_id, "page 1")
        await in_thread(redis.stop)
        meanwhile = [await created(client, scripted_png(lines=[str(n)])) for n in range(3)]
        document.release_page(1)
        for each in meanwhile:
            assert (await client.received(ended(each)))["status"] == "processed"
        await read_in_full(client, upload_id, document)
        await in_thread(redis.start)
        (tmp_path / "after").mkdir()
        after = Document(tmp_path / "after", 1, {1: 1})
        last = await created(client, after.tiff)
        await wait_for_partial(client, last, "page 1")
        after.release_page(1)
        await read_in_full(client, last, after)


@pytest.mark.parametrize("how", ["delete", "cancel"])
async def test_s25_a_worker_that_is_told_of_an_end_stops_at_once(
    how: str, web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    worker = await in_thread(new_worker, without_polling=True)
    async with Account.create(web).client() as client:
        upload_id = await created(
            client, scripted_png(lines=["one", "two"], wait_for="/nowhere", wait_after=1)
        )
        await wait_for_partial(client, upload_id, "one")
        child = await asyncio.to_thread(engine_process, worker)
        await client.request({"type": how, "instance_id": upload_id})
        await in_thread(wait_until_ended, child)
        following = await created(client, scripted_png(lines=["the next"]))
        assert (await client.received(ended(following)))["raw_text"] == "the next"
        await client.request({"type": "list"})
    about = [m for m in client.seen if upload_id in (m.get("id"), m.get("instance", {}).get("id"))]
    assert about[-1].get("status") == "cancelled" or about[-1]["type"] == "Upload.deleted"


async def test_a_worker_that_is_stopped_gives_back_what_it_reads(
    web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    stopped = await in_thread(new_worker)
    document = Document(tmp_path, PAGES, {2: 1})
    async with Account.create(web).client() as client:
        upload_id = await created(client, document.tiff)
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        assert await in_thread(stopped.stop, timeout=10) == 0
        query = "SELECT claimed_by, failures FROM core_job WHERE upload_id = ?"
        assert run_query(web, query, upload_id.replace("-", "")) == [("", 0)]
        document.release_page(2)
        await in_thread(new_worker)
        await read_in_full(client, upload_id, document)
    assert document.pages_read == [1, 2, 2, 3]


async def test_two_workers_share_what_there_is_and_each_page_is_read_once(
    web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    await asyncio.gather(*(in_thread(new_worker, without_polling=True) for _ in range(2)))
    documents = []
    for number in range(24):
        (tmp_path / str(number)).mkdir()
        documents.append(Document(tmp_path / str(number), 2, {1: 1} if number < 2 else None))
    async with Account.create(web).client() as client:
        ids = [await created(client, document.tiff) for document in documents]
        # Both at the same time, so there are two who read.
        for document in documents[:2]:
            await in_thread(wait_until, begun(document, 1), "the page is begun")
        for document in documents[:2]:
            document.release_page(1)
        for upload_id, document in zip(ids, documents, strict=True):
            await read_in_full(client, upload_id, document)
    assert [document.pages_read for document in documents] == [[1, 2]] * 24


async def test_a_worker_that_reads_leaves_the_calls_to_the_one_that_is_idle(
    web: Server, new_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    """Whichever of them is asked first: one call kept by the busy one would be a job that nobody reads."""
    await asyncio.gather(*(in_thread(new_worker, without_polling=True) for _ in range(2)))
    document = Document(tmp_path, 1, {1: 1})
    async with Account.create(web).client() as client:
        busy = await created(client, document.tiff)
        await in_thread(wait_until, begun(document, 1), "the page is begun")
        for number in range(6):
            upload_id = await created(client, scripted_png(lines=[str(number)]))
            assert (await client.received(ended(upload_id)))["status"] == "processed"
        document.release_page(1)
        await read_in_full(client, busy, document)


async def test_a_worker_without_its_broker_waits_for_it_tells_no_secret_and_can_be_stopped(
    web: Server, tmp_path: Path
) -> None:
    url = "redis://reader:hush-hush@127.0.0.1:1/0"
    worker = Worker(web, REDIS_URL=url)
    await in_thread(worker.start)
    await in_thread(wait_until, lambda: "Cannot connect to redis://" in worker.log, "it says that")
    assert await in_thread(worker.stop, timeout=10) == 0
    assert "hush-hush" not in worker.log
    assert " ERROR   celery.worker.consumer" in worker.log, "in the form of all lines"
    assert "Traceback" not in worker.log
