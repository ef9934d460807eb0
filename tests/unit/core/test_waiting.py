"""Requests that wait until an upload has ended."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from backend_main.core.errors import RateLimited, RequestError, Unauthenticated
from backend_main.core.http.request_body import ClientDisconnected
from backend_main.core.http.waiting import run_while_connected, wait_seconds
from backend_main.core.live import hub as live_hub
from backend_main.core.live import watcher as live_watcher
from backend_main.core.live.watcher import UploadWatcher
from tests.support.hub_harness import OWNER, UPLOAD, HubHarness, clock, hub, run_until_idle

__all__ = ["clock", "hub"]


class Uploads:
    """Statuses of uploads as the database has them. `queries` counts the queries for one."""

    def __init__(self) -> None:
        self.status = "pending"
        self.queries = 0

    def find(self, *, owner: object, upload_id: uuid.UUID) -> Any:
        self.queries += 1
        return SimpleNamespace(pk=upload_id, status=self.status)


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> Uploads:
    uploads = Uploads()

    async def run_for_user(_user: object, function: Callable[..., object], **arguments: object) -> object:
        return function(**arguments)

    monkeypatch.setattr(live_watcher.executor, "run_for_user", run_for_user)
    monkeypatch.setattr(live_watcher.queries, "upload", uploads.find)
    return uploads


def start_wait(hub: HubHarness, watcher: UploadWatcher, seconds: float = 600.0) -> asyncio.Task[Any]:
    async def wait() -> Any:
        async with hub.watching(watcher):
            owner: Any = SimpleNamespace(pk=OWNER)
            return await watcher.wait_until_ended(owner, UPLOAD, seconds)

    return asyncio.create_task(wait())


async def test_watcher_returns_when_the_reading_has_ended(hub: HubHarness, uploads: Uploads) -> None:
    waiting = start_wait(hub, UploadWatcher(OWNER, 0))
    await run_until_idle()
    hub.end(uuid.uuid4())  # another upload
    await run_until_idle()
    assert (waiting.done(), uploads.queries) == (False, 1)
    uploads.status = "processed"
    hub.end()
    assert (await waiting).status == "processed"
    assert uploads.queries == 2
    assert not hub._user_streams


async def test_watcher_waits_on_when_the_upload_is_read_again(hub: HubHarness, uploads: Uploads) -> None:
    waiting = start_wait(hub, UploadWatcher(OWNER, 0))
    await run_until_idle()
    hub.end()  # the status stays `pending`: a retry has begun meanwhile
    await run_until_idle()
    assert not waiting.done()
    uploads.status = "error"
    hub.end()
    assert (await waiting).status == "error"


async def test_watcher_returns_at_once_when_no_time_is_left(hub: HubHarness, uploads: Uploads) -> None:
    assert (await start_wait(hub, UploadWatcher(OWNER, 0), seconds=0)).status == "pending"


async def test_watcher_fails_when_its_token_is_revoked(hub: HubHarness, uploads: Uploads) -> None:
    waiting = start_wait(hub, UploadWatcher(OWNER, 0))
    await run_until_idle()
    hub.log.deactivated.add(OWNER)
    await hub._poll()
    with pytest.raises(Unauthenticated):
        await waiting


async def test_watching_beyond_the_connections_of_a_user_is_refused(
    hub: HubHarness, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "conf", msgspec.structs.replace(live_hub.conf, max_sockets_per_user=2))
    waiting = [start_wait(hub, UploadWatcher(OWNER, 0)) for _ in range(3)]
    with pytest.raises(RateLimited):
        await waiting[2]
    other = start_wait(hub, UploadWatcher(uuid.uuid4(), 0), seconds=0)
    assert (await other).status == "pending"
    uploads.status = "processed"
    hub.end()
    assert [(await task).status for task in waiting[:2]] == ["processed"] * 2


@pytest.mark.parametrize(
    ("value", "prefer", "seconds"),
    [
        (None, "", 60),
        ("0", "wait=9", 0),
        ("600", "", 600),
        (None, "respond-async, wait=10", 10),
        (None, 'foo="wait=3"; wait = "7"', 7),
        (None, "Wait=100000", 600),
        (None, "nowait=5", 60),
    ],
)
def test_wait_seconds(value: str | None, prefer: str, seconds: int) -> None:
    parameters = {} if value is None else {"wait": value}
    assert wait_seconds(parameters, prefer, default=60) == seconds


@pytest.mark.parametrize("value", ["", "-1", "601", "1.5", "٣", "99999"])
def test_wait_seconds_of_an_invalid_value_is_refused(value: str) -> None:
    with pytest.raises(RequestError):
        wait_seconds({"wait": value}, "", default=60)


async def test_run_while_connected_returns_the_result() -> None:
    async def work() -> int:
        return 7

    assert await run_while_connected(asyncio.Event().wait, work()) == 7  # type: ignore[arg-type]


async def test_run_while_connected_cancels_the_work_of_a_client_that_goes() -> None:
    is_cancelled = False

    async def work() -> None:
        nonlocal is_cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            is_cancelled = True
            raise

    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return next(messages)

    with pytest.raises(ClientDisconnected):
        await run_while_connected(receive, work())
    assert is_cancelled
