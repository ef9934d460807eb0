"""A client of the Python library that follows a user's uploads, and writes down what it is told.

It comes back whenever it is cut off, and goes on where it was: what it is told must be the log, each event
once and in order.
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

# Comes back sooner than people's clients do: more happens so.
CLIENT_TIMEOUTS = Timeouts(initial_backoff=0.1, max_backoff=1.5, rate_limit_delay=1.0)
TOKEN_TTL_SECONDS = 200


class RecordedEvent(NamedTuple):
    """A durable event, as a client was told it, and as the log has it."""

    seq: int
    kind: str
    upload_id: str
    status: str


class EventRecorder:
    """`told`: all durable events in order. `problems`: sentences on what must not happen.

    `documents` are those that the user has sent, by their hash.
    """

    def __init__(
        self, account: Account, stream: str, over: str, documents: Mapping[str, Document], name: str
    ) -> None:
        self.client = AsyncClient(
            account.server.http,
            token=lambda: account.mint(seconds=TOKEN_TTL_SECONDS),
            stream=stream,  # type: ignore[arg-type] # one of them
            transport=over,  # type: ignore[arg-type]
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
        """Returns when it was told what there is."""
        self._task = asyncio.create_task(self._record())
        await self.wait_until(lambda: self.snapshots > 0)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.client.close()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Looked at again with each event; given up when there are no more."""
        while not condition() and not (self._task is not None and self._task.done()):
            self._changed.clear()
            await self._changed.wait()

    def drop_connection(self) -> bool:
        """The line breaks, without a word to either side's program. False: there was none."""
        wire = self.client._connection._websocket
        if wire is not None:
            wire.transport.abort()
        return wire is not None

    @property
    def seq(self) -> int:
        """How far it was told the log."""
        return int((self.client.cursor or ":0").rpartition(":")[2])

    @property
    def has_all_terminal(self) -> bool:
        """Of the uploads that it knows of."""
        return all(upload.is_terminal for upload in self.client.uploads.values())

    # ── what it is told ──

    async def _record(self) -> None:
        try:
            async for event in self.client.events():
                self._on_event(event)
        except Exception as error:
            self.problems.append(f"{self.name} gave up: {error!r}")
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
            self.problems.append(f"{self.name} was told of an event without a cursor: {event}")
        else:
            self.events.append(events(event))
        if isinstance(event, Finished) and event.raw_text:
            self._check_text(event.id, event.raw_text)

    def _check_progress(self, event: Progress) -> None:
        """Live text is a beginning of what stands on its page."""
        self.partials += 1
        document = self._document(event.id)
        if document is None or event.page is None or not document.is_readable:
            return
        whole = document.page(event.page)
        if event.page_text != whole if event.done else not whole.startswith(event.page_text):
            self.problems.append(
                f"{self.name} was shown page {event.page} of {event.id} as {event.page_text!r}"
            )

    def _check_text(self, upload_id: str, text: str) -> None:
        document = self._document(upload_id)
        if document is not None and not is_ordered_subset(document, text):
            self.problems.append(
                f"{self.name} was told the text of {upload_id}, which is not its own: {text!r}"
            )

    def _document(self, upload_id: str) -> Document | None:
        known = self.client.uploads.get(upload_id)
        return None if known is None else self._documents.get(known.image_hash)


def events(event: Event) -> RecordedEvent:
    """What is written down of an event that has a cursor."""
    assert event.cursor is not None
    assert event.upload_id is not None
    status = event.status if isinstance(event, Finished) else _instance(event).status
    return RecordedEvent(int(event.cursor.rpartition(":")[2]), _kind(event), event.upload_id, status)


def is_ordered_subset(document: Document, text: str) -> bool:
    """Whether a text is some of the document's pages, whole and in their order."""
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
