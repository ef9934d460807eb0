"""Clients that record their events, and checks of the recorded state against the server's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from scanrill_client import AsyncClient, Event, Instance, Progress, Timeouts

from tests.support.accounts import Account

# Short delays: a test waits for events, not for backoff.
QUICK_TIMEOUTS = Timeouts(initial_backoff=0.01, max_backoff=0.05, rate_limit_delay=0.05)
WAIT_TIMEOUT_SECONDS = 60.0
EVENT_FIELDS = ("id", "owner", "filename", "image_hash", "status", "error", "metadata")
# None if the client never received it: lists and failed readings carry no text.
TEXT_FIELDS = ("raw_text", "processed_text")


class EventRecorder:
    """A client, and all durable events that it received, in order."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for event in self.client.events():
            if not isinstance(event, Progress):
                self.events.append(event)
            self._changed.set()

    async def wait_until_listed(self) -> None:
        """Wait for the first snapshot; from then on the client reconnects by itself."""
        await self._wait_until(lambda: bool(self.events))

    async def wait_for_cursor(self, cursor: str) -> None:
        """Wait until the client has received all events up to `cursor`."""
        await self._wait_until(
            lambda: self.client.cursor is not None and seq(self.client.cursor) >= seq(cursor)
        )

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while not condition():
                if self.task.done():
                    self.task.result()
                self._changed.clear()
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({changed, self.task}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()

    def check_order(self) -> None:
        """Assert that every event of an epoch came once and in order."""
        numbers = [seq(event.cursor) for event in self.events if event.cursor is not None]
        assert numbers == sorted(set(numbers)), "an event was duplicated or out of order"


def seq(cursor: str) -> int:
    return int(cursor.rpartition(":")[2])


@asynccontextmanager
async def recording(account: Account, port: int, stream: Any = "pages") -> AsyncIterator[EventRecorder]:
    """Record the events of `account` over a connection to `port`."""
    url = f"http://127.0.0.1:{port}"
    client = AsyncClient(url, token=account.mint(), stream=stream, timeouts=QUICK_TIMEOUTS)
    recorder = EventRecorder(client)
    try:
        await recorder.wait_until_listed()
        yield recorder
    finally:
        recorder.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await recorder.task
        await client.close()


async def current_cursor(account: Account) -> str:
    """Return the cursor of the user's latest event."""
    async with account.client() as client:
        reply = await client.request({"type": "subscribe", "stream": "pages"})
    return str(reply["cursor"])


async def wait_until_all_read(account: Account) -> list[Instance]:
    """Wait until all uploads are terminal; return them with their texts, from REST."""
    client = AsyncClient(account.server.http, token=account.mint(), timeouts=QUICK_TIMEOUTS)
    try:
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while not all(upload.is_terminal for upload in (await client.list()).uploads):
                await asyncio.sleep(0.02)
        return [await client.retrieve(upload.id) for upload in (await client.list()).uploads]
    finally:
        await client.close()


def assert_matches_server(recorder: EventRecorder, server_uploads: list[Instance]) -> None:
    """Assert that the recorded state equals the server's uploads."""
    recorded_uploads = recorder.client.uploads
    assert set(recorded_uploads) == {upload.id for upload in server_uploads}
    for upload in server_uploads:
        for field in EVENT_FIELDS + TEXT_FIELDS:
            recorded, expected = getattr(recorded_uploads[upload.id], field), getattr(upload, field)
            not_received = field in TEXT_FIELDS and recorded is None
            assert recorded == expected or not_received, f"{field} of {upload.filename}"
