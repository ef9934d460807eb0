"""The live text of this process: which connections get it, and when.

A document has the latest text. Each connection gets it as fast as it reads. All of this runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from uuid import UUID

from ..pubsub.messages import PageState, PageTextUpdate, ReadingStarted
from .connection import LiveConnection
from .live_document import LiveDocument, StreamMode, Update, finished_pages
from .send_queue import PartialKey


class LiveTextBroadcaster:
    """Sends the documents in progress to the connections that follow them.

    Args:
        connections_of: returns a user's connections. Those that are not caught up get no text.
    """

    def __init__(self, connections_of: Callable[[UUID], Collection[LiveConnection]]) -> None:
        self._connections_of = connections_of
        self._documents: dict[UUID, LiveDocument] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        for document in self._documents.values():
            document.cancel_timers()
        self._documents.clear()
        self._loop = None

    # ── state of the documents ──

    def attempt(self, upload_id: UUID) -> int:
        """The latest attempt of an upload's document; -1 without a document."""
        document = self._documents.get(upload_id)
        return -1 if document is None else document.attempt

    def has_reading(self, message: ReadingStarted) -> bool:
        """Whether this reading has a document already, so that a further claim needs no pages."""
        document = self._documents.get(message.upload_id)
        return document is not None and document.first_attempt == message.first_attempt

    def has_all_pages(self, upload_id: UUID, attempt: int, pages_done: int) -> bool:
        """Whether the document has this attempt and that many finished pages."""
        document = self._documents.get(upload_id)
        if document is None or document.attempt < attempt:
            return False
        return len(document.finished_pages) + document.sequencer.buffered_count >= pages_done

    def has_gap_before(self, message: PageTextUpdate) -> bool:
        """Whether the reader has passed a page whose end did not arrive."""
        document = self._documents.get(message.upload_id)
        return document is not None and document.sequencer.is_past(message.first_page, message.page.number)

    def retain_only(self, owner_id: UUID, upload_ids: set[UUID], seq: int) -> None:
        """End a user's documents that began before the event `seq`, but for `upload_ids`."""
        for document in self._documents_of(owner_id):
            if document.upload_id not in upload_ids:
                self.end(document.upload_id, seq)

    def drop_remote(self, owner_id: UUID) -> None:
        """Remove a user's documents of other processes, whose messages no longer arrive."""
        for document in self._documents_of(owner_id):
            if not document.is_local:
                document.cancel_timers()
                del self._documents[document.upload_id]

    def _documents_of(self, owner_id: UUID) -> list[LiveDocument]:
        return [document for document in self._documents.values() if document.owner_id == owner_id]

    # ── readings ──

    def start_reading(self, message: ReadingStarted, *, is_local: bool) -> None:
        """Start an upload's text, or continue it with a further claim; ignore a reading that is over."""
        document = self._documents.get(message.upload_id)
        if document is None or document.first_attempt < message.first_attempt:
            self._replace(LiveDocument.start(message, is_local=is_local), document)
        elif document.first_attempt == message.first_attempt:
            self._add_claim(document, message, is_local=is_local)

    def on_page_text(self, message: PageTextUpdate) -> None:
        """Show a page's new text; ignore a reader that has lost the upload."""
        document = self._documents.get(message.upload_id)
        if document is not None and message.attempt >= document.first_attempt:
            for page in document.sequencer.add_update(message.first_page, message.attempt, message.page):
                self._show(document, page)

    def end(self, upload_id: UUID, seq: int) -> None:
        """End a text that began before the event `seq`; drop its unsent partials."""
        document = self._documents.get(upload_id)
        if document is not None and document.seq < seq:
            del self._documents[upload_id]
            document.cancel_timers()
            for connection in self._connections_of(document.owner_id):
                connection.send_queue.drop_partials(upload_id)

    def _add_claim(self, document: LiveDocument, message: ReadingStarted, *, is_local: bool) -> None:
        """Add a further or a new reader. If it has the page that is shown, the page starts again."""
        sequencer = document.sequencer
        document.attempt = max([document.attempt, message.attempt, *message.attempts.values()])
        restarts_page = sequencer.update_claims(message.attempts)
        document.is_local = is_local and (document.is_local or sequencer.has_single_job)
        pages = sequencer.add_finished(finished_pages(message))
        if restarts_page:
            self._replace(document.restart_page(message, pages), document)
        else:
            for page in pages:
                self._show(document, page)

    def _replace(self, document: LiveDocument, previous: LiveDocument | None) -> None:
        self._documents[document.upload_id] = document
        if previous is not None:
            previous.cancel_timers()
            for connection in self._subscribers(document):
                connection.send_queue.drop_partial(PartialKey(document.upload_id))
                connection.send_queue.drop_partial(
                    PartialKey(document.upload_id, document.current_page.number)
                )
        for mode in document.modes.values():
            for update in mode.begin(document, previous):
                self._put(document, mode, update)
            self._send_when_due(document, mode)

    # ── sending ──

    def _show(self, document: LiveDocument, page: PageState) -> None:
        document.show(page)
        for mode in document.modes.values():
            self._send_when_due(document, mode)

    def _send_when_due(self, document: LiveDocument, mode: StreamMode) -> None:
        assert self._loop is not None
        mode.throttle.cancel_timer()
        if not mode.has_changes(document):
            return
        now, due_at = self._loop.time(), mode.due_at(document)
        if due_at > now:
            mode.throttle.timer = self._loop.call_at(due_at, self._send_when_due, document, mode)
            return
        mode.throttle.sent(mode.length(document), now)
        self._put(document, mode, mode.render(document))

    def _put(self, document: LiveDocument, mode: StreamMode, update: Update) -> None:
        for connection in self._subscribers(document, mode):
            if update.is_announcement:
                connection.send_queue.put_event(update.partial.encoded())
            else:
                connection.send_queue.put_partial(update.key, update.partial)

    def send_all(self, connection: LiveConnection) -> None:
        """Send a connection all the text of every document that it follows."""
        for document in self._documents.values():
            if document.owner_id == connection.owner_id and connection.is_subscribed_to(document.upload_id):
                self._send_document(connection, document)

    def send(self, connection: LiveConnection, upload_id: UUID) -> None:
        """Send a connection all the text of one upload, if it follows it."""
        document = self._documents.get(upload_id)
        if document is not None and connection in self._subscribers(document):
            self._send_document(connection, document)

    def _send_document(self, connection: LiveConnection, document: LiveDocument) -> None:
        """Send all the text in place of unsent partials: later deltas continue from here."""
        connection.send_queue.drop_partials(document.upload_id)
        for update in document.modes[connection.stream].text_so_far(document):
            connection.send_queue.put_partial(update.key, update.partial)

    def _subscribers(self, document: LiveDocument, mode: StreamMode | None = None) -> list[LiveConnection]:
        """Return the connections that follow a document; with a mode, those that use it."""
        return [
            connection
            for connection in self._connections_of(document.owner_id)
            if connection.is_caught_up
            and (mode is None or connection.stream == mode.name)
            and connection.is_subscribed_to(document.upload_id)
        ]
