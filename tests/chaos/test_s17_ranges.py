"""S17 — two workers on one document, a range each: one dies, or only seems to, and each page comes once."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.conftest import terminal_statuses_received, wait_for_partial
from tests.chaos.deployment import Deployment
from tests.chaos.test_s17_deployment import in_thread
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.event_recorder import EventRecorder, recording
from tests.support.processes import wait_until
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.websocket_client import WebSocketClient
from tests.support.worker import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGES, RANGE = 12, 3
FIRST, AHEAD = 2, 5
"""The pages at which the two are held: in the first range, and in the second, which waits for it."""


@pytest.fixture(scope="module")
def deployment(module_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("ranges")
    deployment = Deployment(directory, module_redis).start()
    yield deployment
    deployment.stop()


def holder(deployment: Deployment, upload_id: str, page: int) -> Worker:
    """The worker that has the range with this page."""
    query = "SELECT claimed_by FROM core_job WHERE upload_id = ? AND first_page = ?"
    first_page = page - (page - 1) % RANGE
    [(claimed_by,)] = run_query(deployment.servers[0], query, upload_id.replace("-", ""), first_page)
    pid = int(claimed_by.split(":")[-2])
    [worker] = [worker for worker in deployment.workers if worker.process.pid == pid]
    return worker


@asynccontextmanager
async def held_by_two(
    deployment: Deployment, directory: Path
) -> AsyncIterator[tuple[WebSocketClient, EventRecorder, Document, str]]:
    """Each of two workers is in the middle of a page of the document that the client follows."""
    await in_thread(deployment.stop_workers)
    await asyncio.gather(*(in_thread(deployment.start_worker, "--concurrency", "1") for _ in range(2)))
    account = Account.create(deployment.servers[0])
    document = Document(directory, PAGES, {FIRST: 1, AHEAD: 1})
    # Its readers are in other processes than its sockets, which are on both servers.
    async with account.client() as client, recording(account, deployment.servers[1].port) as watcher:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, upload_id, document.text_up_to(FIRST))
        await in_thread(wait_until, lambda: AHEAD in document.pages_read, "the other reads ahead")
        yield client, watcher, document, upload_id
        assert (await client.terminal_message(upload_id))["raw_text"] == document.text
        assert await terminal_statuses_received(client, upload_id) == ["processed"]
        check_shown(client, upload_id)
        await in_thread(deployment.assert_consistent, account, {upload_id: "processed"})
        await deployment.assert_received_log(account, watcher)


def check_shown(client: WebSocketClient, upload_id: str) -> None:
    """Pages came in order: the text grew, but for a page that was begun anew."""
    partials = [m["streamed_text"] for m in client.seen if m.get("id") == upload_id and "streamed_text" in m]
    for text, later in itertools.pairwise(partials):
        assert later.startswith(text) or text.startswith(later), (text, later)


@pytest.mark.parametrize(("killed", "other"), [(FIRST, AHEAD), (AHEAD, FIRST)])
async def test_s17_what_one_of_two_was_reading_the_other_takes_over(
    killed: int, other: int, deployment: Deployment, tmp_path: Path
) -> None:
    async with held_by_two(deployment, tmp_path) as (_client, _watcher, document, upload_id):
        worker = await asyncio.to_thread(holder, deployment, upload_id, killed)
        await in_thread(deployment.kill_worker, worker)
        deployment.workers.remove(worker)
        document.release_page(killed)
        document.release_page(other)
    assert sorted(document.pages_read) == sorted([*range(1, PAGES + 1), killed])


@pytest.mark.parametrize(("frozen", "other"), [(FIRST, AHEAD), (AHEAD, FIRST)])
async def test_s17_a_worker_that_only_seemed_dead_writes_nothing_more(
    frozen: int, other: int, deployment: Deployment, tmp_path: Path
) -> None:
    """It stood still until its lease had run out and the other had read its page; then it goes on."""
    async with held_by_two(deployment, tmp_path) as (_client, _watcher, document, upload_id):
        worker = await asyncio.to_thread(holder, deployment, upload_id, frozen)
        worker.process.send_signal(signal.SIGSTOP)
        document.release_page(other)
        await in_thread(wait_until, lambda: document.pages_read.count(frozen) == 2, "the other reads it")
        document.release_page(frozen)
        worker.process.send_signal(signal.SIGCONT)
    assert sorted(document.pages_read) == sorted([*range(1, PAGES + 1), frozen])
    assert worker.process.poll() is None
