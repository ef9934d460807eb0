"""Clients that fold what they are told, to be held against what the server says it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from scanrill_client import AsyncClient, Event, Instance, Progress, Timeouts

from tests.support.accounts import Account

# Reconnects at once: what a test waits for is what happens, and not the time.
QUICK_TIMEOUTS = Timeouts(initial_backoff=0.01, max_backoff=0.05, rate_limit_delay=0.05)
WAIT_TIMEOUT_SECONDS = 60.0
EVENT_FIELDS = ("id", "owner", "filename", "image_hash", "status", "error", "metadata")
# None where it was not told: a list has none, nor has the end of a reading that failed.
TEXT_FIELDS = ("raw_text", "processed_text")


class EventRecorder:
    """A client and all the durable events that it was told, in order."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.events: list[Event] = []
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for event in self.client.events():
            if not isinstance(event, Progress):
                self.events.append(event)

    async def wait_until_listed(self) -> None:
        """Until it was told what there is at first: from then on it comes back by itself."""
        await self._wait_until(lambda: bool(self.events))

    async def wait_for_cursor(self, cursor: str) -> None:
        """Until it was told all up to there."""
        await self._wait_until(
            lambda: self.client.cursor is not None and seq(self.client.cursor) >= seq(cursor)
        )

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.01)

    def check_order(self) -> None:
        """Each event of an epoch once, and each after those before it."""
        numbers = [seq(event.cursor) for event in self.events if event.cursor is not None]
        assert numbers == sorted(set(numbers)), "an event came twice, or out of order"


def seq(cursor: str) -> int:
    return int(cursor.rpartition(":")[2])


@asynccontextmanager
async def recording(account: Account, port: int, stream: Any = "pages") -> AsyncIterator[EventRecorder]:
    client = AsyncClient(
        f"http://127.0.0.1:{port}", token=account.mint(), stream=stream, timeouts=QUICK_TIMEOUTS
    )
    watcher = EventRecorder(client)
    try:
        await watcher.wait_until_listed()
        yield watcher
    finally:
        watcher.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher.task
        await client.close()


async def current_cursor(account: Account) -> str:
    """The cursor of the last thing that happened to this user."""
    async with account.client() as client:
        reply = await client.request({"type": "subscribe", "stream": "pages"})
    return str(reply["cursor"])


async def wait_until_all_read(account: Account) -> list[Instance]:
    """Waits until nothing is to be read any more; the uploads then, with their texts, as REST has them."""
    client = AsyncClient(account.server.http, token=account.mint(), timeouts=QUICK_TIMEOUTS)
    try:
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while not all(upload.is_terminal for upload in (await client.list()).uploads):
                await asyncio.sleep(0.02)
        return [await client.retrieve(upload.id) for upload in (await client.list()).uploads]
    finally:
        await client.close()


def assert_matches_server(recorder: EventRecorder, server_uploads: list[Instance]) -> None:
    """What the client made of its events is what the server has."""
    known = recorder.client.uploads
    assert set(known) == {upload.id for upload in server_uploads}
    for upload in server_uploads:
        for field in EVENT_FIELDS + TEXT_FIELDS:
            folded, true = getattr(known[upload.id], field), getattr(upload, field)
            assert folded == true or (field in TEXT_FIELDS and folded is None), (
                f"{field} of {upload.filename}"
            )
