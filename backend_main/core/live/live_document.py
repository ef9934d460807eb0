"""Step 12 — the live text of an upload that is being read: its partials for each stream; when each is due.

Pure: the hub brings the text and the time, and takes the partials to the sockets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from ...reading.output.markdown import PAGE_BREAK, join_pages
from ..protocol import messages
from ..protocol.messages import (
    DeltaPartial,
    LiveText,
    PagePartial,
    Partial,
    Stream,
)
from ..pubsub.messages import PageSnapshot
from .page_order import PageSequencer
from .throttle import DeltaThrottle, Throttle


class EncodedPartial:
    """A partial, encoded when the first socket has room for it, and once however many have."""

    __slots__ = ("_encoded", "message")

    def __init__(self, message: LiveText) -> None:
        self.message = message
        self._encoded: str | None = None

    def encoded(self) -> str:
        if self._encoded is None:
            self._encoded = messages.encode(self.message)
        return self._encoded

    def merge(self, later: EncodedPartial) -> EncodedPartial:
        """The later one, which has all the text; of deltas that wait, both their texts."""
        before, after = self.message, later.message
        if not (isinstance(before, DeltaPartial) and isinstance(after, DeltaPartial) and after.offset):
            return later
        text = before.streamed_text + after.streamed_text
        return EncodedPartial(msgspec.structs.replace(after, offset=before.offset, streamed_text=text))


PartialsByStream = dict[Stream, EncodedPartial]
"""A partial for each stream that has pages."""


@dataclass(eq=False, slots=True)
class StreamState:
    """A stream that has pages: what it has shown of the page that is read, and when it shows more."""

    name: Literal["pages", "delta"]
    shown: PageSnapshot
    throttle: Throttle


@dataclass(eq=False, slots=True)
class LiveDocument:
    """`snapshot` is the newest of the page that is shown next; `finished_pages` are the done pages by their numbers.

    `sequencer` has what waits for these. It is a text of the reading `first_attempt`, whose newest claim is `attempt`, and
    comes after its owner's event `seq`; `is_local`: its readers are in this process.

    Each stream has a pace of its own: the texts of `full_text_partial` grow with the document, those of `pages` with the
    page, those of `delta` not at all.
    """

    owner_id: UUID
    upload_id: UUID
    attempt: int
    snapshot: PageSnapshot
    seq: int = 0
    is_local: bool = True
    finished_pages: dict[int, PageSnapshot] = field(default_factory=dict)
    first_attempt: int = 0
    sequencer: PageSequencer[PageSnapshot] = field(default_factory=PageSequencer)
    full_throttle: Throttle = field(default_factory=Throttle)
    page_streams: dict[Stream, StreamState] = field(init=False)
    _wholes: dict[int, tuple[PageSnapshot, PartialsByStream]] = field(default_factory=dict)
    _finished_characters: int = 0

    def __post_init__(self) -> None:
        self._finished_characters = sum(map(_joined_length, self.finished_pages.values()))
        self.page_streams = {
            "pages": StreamState("pages", self.snapshot, Throttle()),
            "delta": StreamState("delta", self.snapshot, DeltaThrottle()),
        }

    def cancel_timers(self) -> None:
        self.full_throttle.cancel_timer()
        for stream in self.page_streams.values():
            stream.throttle.cancel_timer()

    def update_page(self, draft: PageSnapshot) -> bool:
        """Whether there is more text than before."""
        before = self.snapshot.text if draft.number == self.snapshot.number else ""
        self.snapshot = draft
        return draft.text != before

    def finish_page(self, page: PageSnapshot) -> None:
        before = self.finished_pages.get(page.number)
        self._finished_characters += _joined_length(page) - (_joined_length(before) if before else 0)
        self.snapshot = self.finished_pages[page.number] = page

    @property
    def full_characters(self) -> int:
        """The length of `full_text`, which is asked for with every line, however many pages there are."""
        draft = 0 if self.snapshot.done else _joined_length(self.snapshot)
        return max(0, self._finished_characters + draft - len(PAGE_BREAK))

    def full_text(self) -> str:
        return join_pages(page.text for page in _in_order(self.finished_pages, self.snapshot))

    # ── partials ──

    def full_text_partial(self) -> EncodedPartial:
        return EncodedPartial(Partial(id=self.upload_id, streamed_text=self.full_text()))

    def full_page(self, draft: PageSnapshot) -> PartialsByStream:
        """All there is of a page. Kept, since every socket that comes later is to have the same."""
        known, partials = self._wholes.get(draft.number, (None, {}))
        if known != draft:
            partials = {
                "pages": EncodedPartial(self._page(draft)),
                "delta": EncodedPartial(self._delta(draft, 0)),
            }
            self._wholes[draft.number] = draft, partials
        return partials

    def has_changes(self, stream: StreamState) -> bool:
        """A delta that would add nothing is none, but for the end of a page, which does not ask."""
        return self.snapshot != stream.shown and (stream.name == "pages" or bool(self.snapshot.text))

    def next_partial(self, stream: StreamState) -> EncodedPartial:
        """From what the stream has shown to `snapshot`, which is then shown."""
        before, draft = stream.shown, self.snapshot
        stream.shown = draft
        grown = draft.number == before.number and draft.text.startswith(before.text)
        if stream.name == "delta" and grown and before.text:
            return EncodedPartial(self._delta(draft, len(before.text)))
        return self.full_page(draft)[stream.name]

    def pages(self, stream: StreamState) -> Iterator[PageSnapshot]:
        """What a socket that comes now is to have: every finished page, then the one that is read."""
        yield from _in_order(self.finished_pages, stream.shown)

    def _page(self, draft: PageSnapshot) -> PagePartial:
        return PagePartial(
            id=self.upload_id,
            page=draft.number,
            page_count=draft.page_count,
            streamed_text=draft.text,
            line=draft.line,
            done=True if draft.done else UNSET,
        )

    def _delta(self, draft: PageSnapshot, offset: int) -> DeltaPartial:
        return DeltaPartial(
            id=self.upload_id,
            page=draft.number,
            page_count=draft.page_count,
            offset=offset,
            streamed_text=draft.text[offset:],
            line=draft.line,
            done=True if draft.done else UNSET,
        )


def _joined_length(page: PageSnapshot) -> int:
    """What a page adds to the length of a document."""
    return len(page.text) + len(PAGE_BREAK) if page.text else 0


def _in_order(finished: dict[int, PageSnapshot], draft: PageSnapshot) -> list[PageSnapshot]:
    """By their numbers: pages that are read anew stand between those that are not."""
    pages = finished if draft.done else finished | {draft.number: draft}
    return [pages[number] for number in sorted(pages)]
