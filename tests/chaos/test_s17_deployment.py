"""S17 — `kill -9` where servers and workers are many: whoever dies, wherever in a document, all ends once.

Each kind of death comes over six documents at once, each of another user and at another point.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.conftest import retrieve_instance, wait_for_partial
from tests.chaos.deployment import Deployment
from tests.support.accounts import Account
from tests.support.event_recorder import EventRecorder, recording
from tests.support.processes import wait_until
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.websocket_client import TERMINAL, WebSocketClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGES = 3
# Where a document stands when death comes: the gates of its pages, and what is held after them.
POINTS: dict[str, tuple[dict[int, int], str]] = {
    "nothing is read": ({1: 0}, ""),
    "in the first page": ({1: 1}, ""),
    "between pages": ({2: 0}, ""),
    "all pages are read": ({PAGES: 1}, "finish"),
    "its end is written": ({PAGES: 1}, "commit"),
    "its cancel is written": ({2: 1}, "commit"),
}
CANCEL = "its cancel is written"
# Pages that are read again where the reader dies; and where the worker does, which has them then.
AGAIN = {"nothing is read": [1], "in the first page": [1], "between pages": [2], CANCEL: [2]}
AGAIN_OF_WORKER = {"all pages are read": [PAGES], "its end is written": [PAGES]}


@pytest.fixture(scope="module")
def deployment(module_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("deployment")
    deployment = Deployment(directory, module_redis).start()
    yield deployment
    deployment.stop()


@dataclass
class Case:
    """A document at its point; `watcher` follows its user's log over every death of the server."""

    point: str
    account: Account
    document: Document
    client: WebSocketClient
    watcher: EventRecorder
    upload_id: str = ""

    async def bring_to_its_point(self, deployment: Deployment) -> None:
        gates, held = POINTS[self.point]
        [(page, lines)] = gates.items()
        self.upload_id = (await self.client.create(self.document.tiff))["instance"]["id"]
        if lines:
            await wait_for_partial(self.client, self.upload_id, self.document.text_up_to(page))
        else:
            await in_thread(wait_until, lambda: page in self.document.pages_read, "the page is begun")
        if held:
            deployment.pause_at(held, self.upload_id)
            if self.point == CANCEL:
                await self.client.send({"type": "cancel", "instance_id": self.upload_id})
            else:
                self.document.release_page(page)
            await in_thread(deployment.wait_until_paused, held, self.upload_id)

    def go_on(self) -> None:
        for page in POINTS[self.point][0]:
            self.document.release_page(page)


async def in_thread(work: Callable[..., object], *args: object) -> None:
    await asyncio.to_thread(work, *args)


@asynccontextmanager
async def case_at(point: str, deployment: Deployment, directory: Path) -> AsyncIterator[Case]:
    directory.mkdir()
    web = deployment.servers[0]
    account = Account.create(web)
    document = Document(directory, PAGES, POINTS[point][0])
    async with account.client() as client, recording(account, web.port) as watcher:
        yield Case(point, account, document, client, watcher)


def die(whom: str, deployment: Deployment) -> None:
    [worker] = deployment.workers
    if whom == "all":
        for each in (deployment.servers[1].process, worker.process):
            each.kill()
    if whom in ("the server", "all"):
        deployment.servers[0].stop(signal.SIGKILL)
    if whom == "the children":
        deployment.kill_engine_processes(worker, len(POINTS))
    elif whom in ("the worker", "all"):
        deployment.kill_worker(worker)
    if whom == "all":
        deployment.servers[1].stop(signal.SIGKILL)


def rise(whom: str, deployment: Deployment) -> None:
    if whom in ("the server", "all"):
        deployment.servers[0].start()
    if whom == "all":
        deployment.servers[1].start()
    if whom in ("the worker", "all"):
        deployment.workers.clear()
        deployment.start_worker("--concurrency", str(len(POINTS)))


@pytest.mark.parametrize("whom", ["the children", "the worker", "the server", "all"])
async def test_s17_whoever_dies_at_any_point_every_upload_ends_once(
    whom: str, deployment: Deployment, tmp_path: Path
) -> None:
    await in_thread(deployment.stop_workers)
    await in_thread(deployment.start_worker, "--concurrency", str(len(POINTS)))
    async with AsyncExitStack() as stack:
        cases = [
            await stack.enter_async_context(case_at(point, deployment, tmp_path / str(number)))
            for number, point in enumerate(POINTS)
        ]
        await asyncio.gather(*(case.bring_to_its_point(deployment) for case in cases))
        await in_thread(die, whom, deployment)
        deployment.resume_all()
        for case in cases:
            case.go_on()
        await in_thread(rise, whom, deployment)
        for case in cases:
            await check(case, whom, deployment)


async def check(case: Case, whom: str, deployment: Deployment) -> None:
    """As it ends; where its server died in the middle of a cancel, there was none."""
    reader_died, server_died = whom != "the server", whom in ("the server", "all")
    lost = AGAIN | (AGAIN_OF_WORKER if whom in ("the worker", "all") else {})
    cancelled = case.point == CANCEL and not server_died
    status = "cancelled" if cancelled else "processed"
    async with case.account.client() as client:
        state = await retrieve_instance(client, case.upload_id)
        if state["status"] not in TERMINAL:
            await client.received(lambda m: m.get("id") == case.upload_id and m.get("status") in TERMINAL)
            state = await retrieve_instance(client, case.upload_id)
    text = case.document.text_up_to(1) if cancelled else case.document.text
    assert (state["status"], state["raw_text"]) == (status, text), case.point
    again = lost.get(case.point, []) if reader_died and not cancelled else []
    pages = [1, 2] if cancelled else list(range(1, PAGES + 1))
    assert case.document.pages_read == sorted(pages + again), case.point
    await in_thread(deployment.assert_consistent, case.account, {case.upload_id: status})
    await deployment.assert_received_log(case.account, case.watcher)


async def test_s17_a_document_that_three_workers_died_of_is_an_error_told_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Three sweep, two servers and the next worker, and each finds the lease that ran out."""
    await in_thread(deployment.stop_workers)
    async with case_at("in the first page", deployment, tmp_path / "fatal") as case:
        case.upload_id = (await case.client.create(case.document.tiff))["instance"]["id"]
        for times in (1, 2, 3):
            worker = await asyncio.to_thread(deployment.start_worker)
            await in_thread(wait_until, lambda n=times: case.document.pages_read == [1] * n, "it reads")
            await in_thread(deployment.kill_worker, worker)
            deployment.workers.clear()
        end = await case.client.terminal_message(case.upload_id)
        assert (end["status"], "cut off too often" in end["error"]) == ("error", True)
        case.go_on()
        await in_thread(deployment.start_worker)
        other = (await case.client.create(Document(tmp_path, 1).tiff))["instance"]["id"]
        await case.client.terminal_message(other)
        assert case.document.pages_read == [1, 1, 1]
        ends = {case.upload_id: "error", other: "processed"}
        await in_thread(deployment.assert_consistent, case.account, ends)
        await deployment.assert_received_log(case.account, case.watcher)
