"""The live text of one upload in progress: its pages so far, and the partials of each stream mode.

Pure: `LiveTextBroadcaster` brings the text and the time, and sends the partials.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET

from ...reading.output.markdown import PAGE_BREAK, join_pages
from ..protocol import messages
from ..protocol.field_types import StreamName
from ..protocol.messages import DeltaPartial, LiveText, PagePartial, Partial
from ..pubsub.messages import PageState, ReadingStarted
from .page_order import PageSequencer
from .send_queue import PartialKey
from .throttle import DeltaThrottle, Throttle


class EncodedPartial:
    """A partial that is encoded when the first connection sends it, and once for all."""

    __slots__ = ("_encoded", "message")

    def __init__(self, message: LiveText) -> None:
        self.message = message
        self._encoded: str | None = None

    def encoded(self) -> str:
        if self._encoded is None:
            self._encoded = messages.encode(self.message)
        return self._encoded

    def merge(self, later: EncodedPartial) -> EncodedPartial:
        """Return the partial to send for both: the later one, or a delta with both texts."""
        before, after = self.message, later.message
        if not (isinstance(before, DeltaPartial) and isinstance(after, DeltaPartial) and after.offset):
            return later
        text = before.streamed_text + after.streamed_text
        return EncodedPartial(msgspec.structs.replace(after, offset=before.offset, streamed_text=text))


class Update(NamedTuple):
    """A partial to send. While it is unsent, a later one with its key replaces it; an announcement stays."""

    key: PartialKey
    partial: EncodedPartial
    is_announcement: bool = False


class StreamMode(ABC):
    """How one stream mode shows a document: its next partial, and when that is due."""

    name: StreamName

    def __init__(self, throttle: Throttle) -> None:
        self.throttle = throttle

    @abstractmethod
    def length(self, document: LiveDocument) -> int:
        """The characters by which the throttle measures growth."""

    def due_at(self, document: LiveDocument) -> float:
        """The loop time at which the next partial may be sent."""
        return self.throttle.due_at(self.length(document))

    @abstractmethod
    def has_changes(self, document: LiveDocument) -> bool:
        """Whether there is anything to send."""

    @abstractmethod
    def render(self, document: LiveDocument) -> Update:
        """Return the next partial, and count the text as shown."""

    @abstractmethod
    def text_so_far(self, document: LiveDocument) -> list[Update]:
        """Return all the text shown so far, for a connection that joins. Later deltas continue from it."""

    @abstractmethod
    def begin(self, document: LiveDocument, previous: LiveDocument | None) -> list[Update]:
        """Continue from the upload's previous document, if there is one.

        Returns:
            The finished pages that the previous document did not show, then an announcement: a
            partial with empty text, for an upload or a page that a reader has started.
        """


class FullMode(StreamMode):
    """Every partial has the text of the whole document so far."""

    name: StreamName = "full"

    def __init__(self) -> None:
        super().__init__(Throttle())
        self._shown_revision = -1

    def length(self, document: LiveDocument) -> int:
        return document.full_characters

    def has_changes(self, document: LiveDocument) -> bool:
        return document.revision != self._shown_revision

    def render(self, document: LiveDocument) -> Update:
        self._shown_revision = document.revision
        return self.text_so_far(document)[0]

    def text_so_far(self, document: LiveDocument) -> list[Update]:
        partial = Partial(id=document.upload_id, streamed_text=document.full_text())
        return [Update(PartialKey(document.upload_id), EncodedPartial(partial))]

    def begin(self, document: LiveDocument, previous: LiveDocument | None) -> list[Update]:
        characters = document.full_characters
        if not characters:
            return [self.render(document)._replace(is_announcement=True)]
        if previous is not None and characters >= previous.modes["full"].throttle.sent_characters:
            # A further claim of a reading: yielding after a page must not cost all the text again.
            self.throttle = previous.modes["full"].throttle
        return []


class PagesMode(StreamMode):
    """Every partial has the text of one page so far."""

    name: StreamName = "pages"

    def __init__(self, shown: PageState, throttle: Throttle) -> None:
        super().__init__(throttle)
        self._shown = shown
        self._whole_pages: dict[int, tuple[PageState, Update]] = {}

    def length(self, document: LiveDocument) -> int:
        # After a finished page, the next one starts a new text.
        return 0 if document.current_page.done else len(document.current_page.text)

    def due_at(self, document: LiveDocument) -> float:
        """Return the throttle's time; a finished page is due at once."""
        return self.throttle.sent_at if document.current_page.done else super().due_at(document)

    def has_changes(self, document: LiveDocument) -> bool:
        return document.current_page != self._shown

    def render(self, document: LiveDocument) -> Update:
        self._shown = document.current_page
        return self._whole_page(document.upload_id, self._shown)

    def text_so_far(self, document: LiveDocument) -> list[Update]:
        pages = _in_order(document.finished_pages, self._shown)
        return [self._whole_page(document.upload_id, page) for page in pages]

    def begin(self, document: LiveDocument, previous: LiveDocument | None) -> list[Update]:
        known = {}
        if previous is not None:
            known = previous.finished_pages
            self.throttle.sent_at = previous.modes[self.name].throttle.sent_at
        new = [page for page in document.finished_pages.values() if known.get(page.number) != page]
        updates = [self._whole_page(document.upload_id, page) for page in new]
        return [
            *updates,
            self._whole_page(document.upload_id, document.current_page)._replace(is_announcement=True),
        ]

    def _whole_page(self, upload_id: UUID, page: PageState) -> Update:
        """All the text of a page. Kept: every connection that joins later gets the same partial."""
        known, update = self._whole_pages.get(page.number, (None, None))
        if update is None or known != page:
            update = self._update(upload_id, page, 0)
            self._whole_pages[page.number] = page, update
        return update

    def _update(self, upload_id: UUID, page: PageState, offset: int) -> Update:
        partial = EncodedPartial(self._message(upload_id, page, offset))
        return Update(PartialKey(upload_id, page.number), partial)

    def _message(self, upload_id: UUID, page: PageState, offset: int) -> PagePartial:
        return PagePartial(
            id=upload_id,
            page=page.number,
            page_count=page.page_count,
            streamed_text=page.text,
            line=page.line,
            done=True if page.done else UNSET,
        )


class DeltaMode(PagesMode):
    """Every partial has the text added to one page since the partial before."""

    name: StreamName = "delta"

    def has_changes(self, document: LiveDocument) -> bool:
        """As for `pages`; a delta without text is sent only for the end of a page."""
        page = document.current_page
        return super().has_changes(document) and (page.done or bool(page.text))

    def render(self, document: LiveDocument) -> Update:
        before, whole = self._shown, super().render(document)
        page = self._shown
        if page.number == before.number and before.text and page.text.startswith(before.text):
            return self._update(document.upload_id, page, len(before.text))
        return whole

    def _message(self, upload_id: UUID, page: PageState, offset: int) -> DeltaPartial:
        fields = msgspec.structs.asdict(super()._message(upload_id, page, offset))
        return DeltaPartial(**fields | {"offset": offset, "streamed_text": page.text[offset:]})


@dataclass(eq=False, slots=True)
class LiveDocument:
    """The text of one reading so far.

    Attributes:
        attempt: the reading's latest attempt.
        current_page: the newest state of the page that is shown now.
        seq: the owner's last event before this text.
        is_local: whether readers of this process produce the text.
        finished_pages: the finished pages by number.
        first_attempt: the attempt with which the reading began.
        sequencer: keeps the pages that wait for earlier ones.
        revision: counts changes of the full text.
    """

    owner_id: UUID
    upload_id: UUID
    attempt: int
    current_page: PageState
    seq: int = 0
    is_local: bool = True
    finished_pages: dict[int, PageState] = field(default_factory=dict)
    first_attempt: int = 0
    sequencer: PageSequencer[PageState] = field(default_factory=PageSequencer)
    modes: dict[StreamName, StreamMode] = field(init=False)
    revision: int = 0
    _finished_characters: int = 0

    def __post_init__(self) -> None:
        self._finished_characters = sum(map(_joined_length, self.finished_pages.values()))
        self.modes = {
            "full": FullMode(),
            "pages": PagesMode(self.current_page, Throttle()),
            "delta": DeltaMode(self.current_page, DeltaThrottle()),
        }

    @classmethod
    def start(cls, message: ReadingStarted, *, is_local: bool) -> LiveDocument:
        sequencer = PageSequencer[PageState](message.page_ranges)
        sequencer.update_claims(message.attempts)
        finished = {page.number: page for page in sequencer.add_finished(finished_pages(message))}
        return cls(
            message.owner_id,
            message.upload_id,
            attempt=max([message.attempt, *message.attempts.values()]),
            current_page=_current_page(sequencer, finished, message.page_count),
            seq=message.seq,
            is_local=is_local,
            finished_pages=finished,
            first_attempt=message.first_attempt,
            sequencer=sequencer,
        )

    def restart_page(self, message: ReadingStarted, new_pages: Sequence[PageState]) -> LiveDocument:
        """Return the document of a new claim, whose current page is empty again."""
        finished = self.finished_pages | {page.number: page for page in new_pages if page.done}
        current = _current_page(self.sequencer, finished, message.page_count)
        return replace(self, current_page=current, seq=message.seq, finished_pages=finished)

    def cancel_timers(self) -> None:
        for mode in self.modes.values():
            mode.throttle.cancel_timer()

    def show(self, page: PageState) -> None:
        """Add the newest state of a page."""
        if page.done:
            before = self.finished_pages.get(page.number)
            self._finished_characters += _joined_length(page) - (_joined_length(before) if before else 0)
            self.finished_pages[page.number] = page
            self.revision += 1
        elif page.text != (self.current_page.text if page.number == self.current_page.number else ""):
            self.revision += 1
        self.current_page = page

    @property
    def full_characters(self) -> int:
        """The length of `full_text`, in constant time: it is needed for every line."""
        current = 0 if self.current_page.done else _joined_length(self.current_page)
        return max(0, self._finished_characters + current - len(PAGE_BREAK))

    def full_text(self) -> str:
        return join_pages(page.text for page in _in_order(self.finished_pages, self.current_page))


def finished_pages(message: ReadingStarted) -> list[PageState]:
    pages = sorted((message.pages or {}).items())
    return [PageState(number, message.page_count, text, done=True) for number, text in pages]


def _current_page(
    sequencer: PageSequencer[PageState], finished: dict[int, PageState], page_count: int | None
) -> PageState:
    if sequencer.next is None:
        return finished[max(finished)]
    return PageState(sequencer.next, page_count)


def _joined_length(page: PageState) -> int:
    """The characters that a page adds to a document."""
    return len(page.text) + len(PAGE_BREAK) if page.text else 0


def _in_order(finished: dict[int, PageState], current: PageState) -> list[PageState]:
    """The pages by number: a page that is read again can stand between finished ones."""
    pages = finished if current.done else finished | {current.number: current}
    return [pages[number] for number in sorted(pages)]
