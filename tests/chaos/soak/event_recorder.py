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
TIMING = Timeouts(initial_backoff=0.1, max_backoff=1.5, rate_limit_delay=1.0)
TOKEN_SECONDS = 200


class RecordedEvent(NamedTuple):
    """A durable event, as a client was told it, and as the log has it."""

    seq: int
    kind: str
    upload_id: str
    status: str


class Following:
    """`told`: all durable events in order. `amiss`: sentences on what must not happen.

    `documents` are those that the user has sent, by their hash.
    """

    def __init__(
        self, account: Account, stream: str, over: str, documents: Mapping[str, Document], name: str
    ) -> None:
        self.client = AsyncClient(
            account.server.http,
            token=lambda: account.mint(seconds=TOKEN_SECONDS),
            stream=stream,  # type: ignore[arg-type] # one of them
            transport=over,  # type: ignore[arg-type]
            timeouts=TIMING,
        )
        self.name = name
        self.told: list[RecordedEvent] = []
        self.lists = self.partials = 0
        self.amiss: list[str] = []
        self._documents = documents
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Returns when it was told what there is."""
        self._task = asyncio.create_task(self._follow())
        await self.until(lambda: self.lists > 0)

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.client.close()

    async def until(self, true: Callable[[], bool]) -> None:
        """Looked at again with each event; given up when there are no more."""
        while not true() and not (self._task is not None and self._task.done()):
            self._changed.clear()
            await self._changed.wait()

    def drop(self) -> bool:
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
    def all_ended(self) -> bool:
        """Of the uploads that it knows of."""
        return all(upload.is_terminal for upload in self.client.uploads.values())

    # ── what it is told ──

    async def _follow(self) -> None:
        try:
            async for event in self.client.events():
                self._take(event)
        except Exception as error:
            self.amiss.append(f"{self.name} gave up: {error!r}")
        finally:
            self._changed.set()

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._check_progress(event)
            return
        self._changed.set()
        if isinstance(event, Snapshot):
            self.lists += 1
        elif event.cursor is None:
            self.amiss.append(f"{self.name} was told of an event without a cursor: {event}")
        else:
            self.told.append(told(event))
        if isinstance(event, Finished) and event.raw_text:
            self._check_text(event.id, event.raw_text)

    def _check_progress(self, event: Progress) -> None:
        """Live text is a beginning of what stands on its page."""
        self.partials += 1
        document = self._document(event.id)
        if document is None or event.page is None or not document.is_good:
            return
        whole = document.page(event.page)
        if event.page_text != whole if event.done else not whole.startswith(event.page_text):
            self.amiss.append(f"{self.name} was shown page {event.page} of {event.id} as {event.page_text!r}")

    def _check_text(self, upload_id: str, text: str) -> None:
        document = self._document(upload_id)
        if document is not None and not in_order(document, text):
            self.amiss.append(f"{self.name} was told the text of {upload_id}, which is not its own: {text!r}")

    def _document(self, upload_id: str) -> Document | None:
        known = self.client.uploads.get(upload_id)
        return None if known is None else self._documents.get(known.image_hash)


def told(event: Event) -> RecordedEvent:
    """What is written down of an event that has a cursor."""
    assert event.cursor is not None
    assert event.upload_id is not None
    status = event.status if isinstance(event, Finished) else _instance(event).status
    return RecordedEvent(int(event.cursor.rpartition(":")[2]), _kind(event), event.upload_id, status)


def in_order(document: Document, text: str) -> bool:
    """Whether a text is some of the document's pages, whole and in their order."""
    for number in range(1, document.paper.pages + 1):
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
