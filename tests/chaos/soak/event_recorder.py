"""A client of the Python library that records a user's events.

It reconnects and resumes after every disconnect, so the recorded events must equal the log: each event once,
in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from scanrill_client import (
    AsyncClient,
    Created,
    Deleted,
    Event,
    Finished,
    Instance,
    Progress,
    Snapshot,
    Timeouts,
    Updated,
)

from tests.chaos.soak.documents import Document
from tests.support.accounts import Account

# Shorter delays than the defaults, so that more happens in a soak.
CLIENT_TIMEOUTS = Timeouts(initial_backoff=0.1, max_backoff=1.5, rate_limit_delay=1.0)
TOKEN_TTL_SECONDS = 200


class RecordedEvent(NamedTuple):
    """A durable event, as a client receives it and as the log holds it."""

    seq: int
    kind: str
    upload_id: str
    status: str


class EventRecorder:
    """The recorder. `events`: all durable events, in order. `problems`: violations, as sentences.

    `documents` maps a hash to the document that the user has sent.
    """

    def __init__(
        self, account: Account, stream: str, transport: str, documents: Mapping[str, Document], name: str
    ) -> None:
        self.client = AsyncClient(
            account.server.http,
            token=lambda: account.mint(seconds=TOKEN_TTL_SECONDS),
            stream=stream,  # type: ignore[arg-type]
            transport=transport,  # type: ignore[arg-type]
            timeouts=CLIENT_TIMEOUTS,
        )
        self.name = name
        self.events: list[RecordedEvent] = []
        self.snapshots = self.partials = 0
        self.problems: list[str] = []
        self._documents = documents
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and return after the first snapshot."""
        self._task = asyncio.create_task(self._record())
        await self.wait_until(lambda: self.snapshots > 0)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.client.close()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition is true, checked after each event, or until the recording ends."""
        while not condition() and not self.has_ended:
            self._changed.clear()
            await self._changed.wait()

    def drop_connection(self) -> bool:
        """Abort the connection without a close frame; return False if there was none."""
        websocket = self.client._connection._websocket
        if websocket is not None:
            websocket.transport.abort()
        return websocket is not None

    @property
    def seq(self) -> int:
        """The number of the latest event received."""
        return int((self.client.cursor or ":0").rpartition(":")[2])

    @property
    def has_ended(self) -> bool:
        """Whether the recording failed or was stopped."""
        return self._task is not None and self._task.done()

    @property
    def has_all_terminal(self) -> bool:
        """Whether all known uploads are terminal."""
        return all(upload.is_terminal for upload in self.client.uploads.values())

    # ── events ──

    async def _record(self) -> None:
        try:
            async for event in self.client.events():
                self._on_event(event)
        except Exception as error:
            self.problems.append(f"{self.name} failed: {error!r}")
        finally:
            self._changed.set()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._check_progress(event)
            return
        self._changed.set()
        if isinstance(event, Snapshot):
            self.snapshots += 1
        elif event.cursor is None:
            self.problems.append(f"{self.name} received an event without a cursor: {event}")
        else:
            self.events.append(recorded_event(event))
        if isinstance(event, Finished) and event.raw_text:
            self._check_text(event.id, event.raw_text)

    def _check_progress(self, event: Progress) -> None:
        """Check that live text is a prefix of its page's text."""
        self.partials += 1
        document = self._document(event.id)
        if document is None or event.page is None or not document.is_readable:
            return
        expected = document.page(event.page)
        if event.page_text != expected if event.done else not expected.startswith(event.page_text):
            self.problems.append(
                f"{self.name} received page {event.page} of {event.id} as {event.page_text!r}"
            )

    def _check_text(self, upload_id: str, text: str) -> None:
        document = self._document(upload_id)
        if document is not None and not is_ordered_subset(document, text):
            self.problems.append(f"{self.name} received a wrong text of {upload_id}: {text!r}")

    def _document(self, upload_id: str) -> Document | None:
        upload = self.client.uploads.get(upload_id)
        return None if upload is None else self._documents.get(upload.image_hash)


def recorded_event(event: Event) -> RecordedEvent:
    """Return the recorded form of an event with a cursor."""
    assert event.cursor is not None
    assert event.upload_id is not None
    status = event.status if isinstance(event, Finished) else _instance(event).status
    return RecordedEvent(int(event.cursor.rpartition(":")[2]), _kind(event), event.upload_id, status)


def is_ordered_subset(document: Document, text: str) -> bool:
    """Return whether a text consists of complete pages of the document, in order."""
    for number in range(1, document.spec.pages + 1):
        text = text.removeprefix(document.page(number)).removeprefix("\n\n")
    return not text


def _kind(event: Event) -> str:
    match event:
        case Created():
            return "created"
        case Updated():
            return "updated"
        case Deleted():
            return "deleted"
        case Finished(status=status):
            return status
    raise AssertionError(event)


def _instance(event: Event) -> Instance:
    assert isinstance(event, Created | Updated | Deleted)
    return event.instance
