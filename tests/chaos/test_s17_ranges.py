"""S17 - two workers share a document, and one is killed or frozen: each page is saved and sent once."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.conftest import in_thread, terminal_statuses_received, wait_for_partial
from tests.chaos.deployment import Deployment
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
# The pages at which the workers pause: in the first range, and in the second, whose text waits for the first.
FIRST, AHEAD = 2, 5
LOOKS = 100


@pytest.fixture(scope="module")
def deployment(module_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("ranges")
    deployment = Deployment(directory, module_redis).start()
    yield deployment
    deployment.stop()


def claiming_worker(deployment: Deployment, upload_id: str, page: int) -> Worker:
    """Return the worker that has claimed the range with this page."""
    query = "SELECT claimed_by FROM core_job WHERE upload_id = ? AND first_page = ?"
    first_page = page - (page - 1) % RANGE
    [(claimed_by,)] = run_query(deployment.servers[0], query, upload_id.replace("-", ""), first_page)
    pid = int(claimed_by.split(":")[-2])
    [worker] = [worker for worker in deployment.workers if worker.process.pid == pid]
    return worker


def freeze(deployment: Deployment, worker: Worker) -> None:
    """Stop a worker outside its transactions: PostgreSQL keeps the locks of a frozen one for a minute."""
    worker.process.send_signal(signal.SIGSTOP)
    while has_frozen_transaction(deployment):
        worker.process.send_signal(signal.SIGCONT)
        worker.process.send_signal(signal.SIGSTOP)


def has_frozen_transaction(deployment: Deployment) -> bool:
    """Return whether a transaction that waits for its client is still the same after some looks."""
    query = "SELECT pid, xact_start FROM pg_stat_activity WHERE state = 'idle in transaction'"
    waiting = set(run_query(deployment.servers[0], query))
    for _ in range(LOOKS):
        if not waiting:
            return False
        waiting &= set(run_query(deployment.servers[0], query))
    return True


@asynccontextmanager
async def paused_in_two_workers(
    deployment: Deployment, directory: Path
) -> AsyncIterator[tuple[WebSocketClient, EventRecorder, Document, str]]:
    """Yield a document that pauses in the middle of a page in each of two workers; assert its end."""
    await in_thread(deployment.stop_workers)
    await asyncio.gather(*(in_thread(deployment.start_worker, "--concurrency", "1") for _ in range(2)))
    account = Account.create(deployment.servers[0])
    document = Document(directory, PAGES, {FIRST: 1, AHEAD: 1})
    # The readers are in other processes than the sockets, which are on both servers.
    async with account.client() as client, recording(account, deployment.servers[1].port) as recorder:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, upload_id, document.text_up_to(FIRST))
        await in_thread(wait_until, lambda: AHEAD in document.pages_read, "the other worker reads ahead")
        yield client, recorder, document, upload_id
        assert (await client.terminal_message(upload_id))["raw_text"] == document.text
        assert await terminal_statuses_received(client, upload_id) == ["processed"]
        assert_partials_in_order(client, upload_id)
        await in_thread(deployment.assert_consistent, account, {upload_id: "processed"})
        await deployment.assert_received_log(account, recorder)


def assert_partials_in_order(client: WebSocketClient, upload_id: str) -> None:
    """Assert that the text only grew, except for a page that restarted."""
    partials = [m["streamed_text"] for m in client.seen if m.get("id") == upload_id and "streamed_text" in m]
    for text, later in itertools.pairwise(partials):
        assert later.startswith(text) or text.startswith(later), (text, later)


@pytest.mark.parametrize(("killed", "other"), [(FIRST, AHEAD), (AHEAD, FIRST)])
async def test_s17_range_of_a_killed_worker_is_read_by_the_other(
    killed: int, other: int, deployment: Deployment, tmp_path: Path
) -> None:
    async with paused_in_two_workers(deployment, tmp_path) as (_client, _recorder, document, upload_id):
        worker = await asyncio.to_thread(claiming_worker, deployment, upload_id, killed)
        await in_thread(deployment.kill_worker, worker)
        deployment.workers.remove(worker)
        document.release_page(killed)
        document.release_page(other)
    assert sorted(document.pages_read) == sorted([*range(1, PAGES + 1), killed])


@pytest.mark.parametrize(("frozen", "other"), [(FIRST, AHEAD), (AHEAD, FIRST)])
async def test_s17_frozen_worker_that_resumes_after_its_lease_writes_nothing(
    frozen: int, other: int, deployment: Deployment, tmp_path: Path
) -> None:
    """The worker is frozen until its lease has expired and the other has read its page; then it resumes."""
    async with paused_in_two_workers(deployment, tmp_path) as (_client, _recorder, document, upload_id):
        worker = await asyncio.to_thread(claiming_worker, deployment, upload_id, frozen)
        await asyncio.to_thread(freeze, deployment, worker)
        document.release_page(other)
        await in_thread(
            wait_until, lambda: document.pages_read.count(frozen) == 2, "the other worker reads it"
        )
        document.release_page(frozen)
        worker.process.send_signal(signal.SIGCONT)
    assert sorted(document.pages_read) == sorted([*range(1, PAGES + 1), frozen])
    assert worker.process.poll() is None
