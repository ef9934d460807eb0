"""S17 - processes of a scaled deployment are killed at any point of a document: every upload ends once.

Each kill hits six documents of different users at once, each at another point.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.conftest import in_thread, retrieve_instance, wait_for_partial
from tests.chaos.deployment import Deployment
from tests.support.accounts import Account
from tests.support.event_recorder import EventRecorder, recording
from tests.support.processes import wait_until
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.websocket_client import TERMINAL, WebSocketClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGES = 3
# The state of a document at the kill: the gates of its pages, and the point at which it is paused.
POINTS: dict[str, tuple[dict[int, int], str]] = {
    "nothing is read": ({1: 0}, ""),
    "in the first page": ({1: 1}, ""),
    "between pages": ({2: 0}, ""),
    "all pages are read": ({PAGES: 1}, "finish"),
    "its end is written": ({PAGES: 1}, "commit"),
    "its cancel is written": ({2: 1}, "commit"),
}
CANCEL = "its cancel is written"
# Pages that are read again if the engine process is killed; and those if the worker is killed.
REREAD_PAGES = {"nothing is read": [1], "in the first page": [1], "between pages": [2], CANCEL: [2]}
REREAD_PAGES_OF_WORKER = {"all pages are read": [PAGES], "its end is written": [PAGES]}


@pytest.fixture(scope="module")
def deployment(module_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("deployment")
    deployment = Deployment(directory, module_redis).start()
    yield deployment
    deployment.stop()


@dataclass
class Case:
    """A document at its point. `recorder` follows the user's events across the kills."""

    point: str
    account: Account
    document: Document
    client: WebSocketClient
    recorder: EventRecorder
    upload_id: str = ""

    async def advance_to_point(self, deployment: Deployment) -> None:
        gates, pause_point = POINTS[self.point]
        [(page, lines)] = gates.items()
        self.upload_id = (await self.client.create(self.document.tiff))["instance"]["id"]
        if lines:
            await wait_for_partial(self.client, self.upload_id, self.document.text_up_to(page))
        else:
            await in_thread(wait_until, lambda: page in self.document.pages_read, "the page has started")
        if pause_point:
            deployment.pause_at(pause_point, self.upload_id)
            if self.point == CANCEL:
                await self.client.send({"type": "cancel", "instance_id": self.upload_id})
            else:
                self.document.release_page(page)
            await in_thread(deployment.wait_until_paused, pause_point, self.upload_id)

    def release_pages(self) -> None:
        for page in POINTS[self.point][0]:
            self.document.release_page(page)


@asynccontextmanager
async def case_at(point: str, deployment: Deployment, directory: Path) -> AsyncIterator[Case]:
    directory.mkdir()
    server = deployment.servers[0]
    account = Account.create(server)
    document = Document(directory, PAGES, POINTS[point][0])
    async with account.client() as client, recording(account, server.port) as recorder:
        yield Case(point, account, document, client, recorder)


def kill(target: str, deployment: Deployment) -> None:
    [worker] = deployment.workers
    if target == "all":
        for each in (deployment.servers[1].process, worker.process):
            each.kill()
    if target in ("the server", "all"):
        deployment.servers[0].stop(signal.SIGKILL)
    if target == "the children":
        deployment.kill_engine_processes(worker, len(POINTS))
    elif target in ("the worker", "all"):
        deployment.kill_worker(worker)
    if target == "all":
        deployment.servers[1].stop(signal.SIGKILL)


def restart(target: str, deployment: Deployment) -> None:
    if target in ("the server", "all"):
        deployment.servers[0].start()
    if target == "all":
        deployment.servers[1].start()
    if target in ("the worker", "all"):
        deployment.workers.clear()
        deployment.start_worker("--concurrency", str(len(POINTS)))


@pytest.mark.parametrize("target", ["the children", "the worker", "the server", "all"])
async def test_s17_kill_at_any_point_every_upload_ends_once(
    target: str, deployment: Deployment, tmp_path: Path
) -> None:
    await in_thread(deployment.stop_workers)
    await in_thread(deployment.start_worker, "--concurrency", str(len(POINTS)))
    async with AsyncExitStack() as stack:
        cases = [
            await stack.enter_async_context(case_at(point, deployment, tmp_path / str(number)))
            for number, point in enumerate(POINTS)
        ]
        await asyncio.gather(*(case.advance_to_point(deployment) for case in cases))
        await in_thread(kill, target, deployment)
        deployment.resume_all()
        for case in cases:
            case.release_pages()
        await in_thread(restart, target, deployment)
        for case in cases:
            await assert_ended(case, target, deployment)


async def assert_ended(case: Case, target: str, deployment: Deployment) -> None:
    """Assert the end of a case; a cancel whose server was killed before its commit has no effect."""
    reader_died, server_died = target != "the server", target in ("the server", "all")
    reread_by_point = REREAD_PAGES | (REREAD_PAGES_OF_WORKER if target in ("the worker", "all") else {})
    cancelled = case.point == CANCEL and not server_died
    status = "cancelled" if cancelled else "processed"
    async with case.account.client() as client:
        state = await retrieve_instance(client, case.upload_id)
        if state["status"] not in TERMINAL:
            await client.received(lambda m: m.get("id") == case.upload_id and m.get("status") in TERMINAL)
            state = await retrieve_instance(client, case.upload_id)
    text = case.document.text_up_to(1) if cancelled else case.document.text
    assert (state["status"], state["raw_text"]) == (status, text), case.point
    reread = reread_by_point.get(case.point, []) if reader_died and not cancelled else []
    pages = [1, 2] if cancelled else list(range(1, PAGES + 1))
    assert case.document.pages_read == sorted(pages + reread), case.point
    await in_thread(deployment.assert_consistent, case.account, {case.upload_id: status})
    await deployment.assert_received_log(case.account, case.recorder)


async def test_s17_document_that_killed_three_workers_ends_in_one_error(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Two servers and the next worker run maintenance, and each finds the expired lease."""
    await in_thread(deployment.stop_workers)
    async with case_at("in the first page", deployment, tmp_path / "fatal") as case:
        case.upload_id = (await case.client.create(case.document.tiff))["instance"]["id"]
        for attempt in (1, 2, 3):
            worker = await asyncio.to_thread(deployment.start_worker)
            await in_thread(
                wait_until, lambda n=attempt: case.document.pages_read == [1] * n, "the worker reads"
            )
            await in_thread(deployment.kill_worker, worker)
            deployment.workers.clear()
        end = await case.client.terminal_message(case.upload_id)
        assert (end["status"], "stopped three times" in end["error"]) == ("error", True)
        case.release_pages()
        await in_thread(deployment.start_worker)
        other = (await case.client.create(Document(tmp_path, 1).tiff))["instance"]["id"]
        await case.client.terminal_message(other)
        assert case.document.pages_read == [1, 1, 1]
        statuses = {case.upload_id: "error", other: "processed"}
        await in_thread(deployment.assert_consistent, case.account, statuses)
        await deployment.assert_received_log(case.account, case.recorder)
