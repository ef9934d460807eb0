"""Step 12 — the live text of an upload that is being read: its partials for each stream; when each is due.

Pure: the hub brings the text and the time, and takes the partials to the sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from . import protocol
from .order import Order
from .protocol import DeltaPartial, LinePlace, LiveText, PagePartial, Partial, Stream
from .text import PAGE_BREAK, join_pages

# A partial carries all the text so far, so partials must get rarer as it grows: sent when it has grown by an
# eighth, but not more often than ten times a second; by a sixteenth, after a second; by less, after a second
# or when the last one is paid for. Decision 35 reckons what that costs.
PARTIAL_GROWTH, PARTIAL_MIN_SECONDS = 1.125, 0.1
PARTIAL_SMALL_GROWTH, PARTIAL_SECONDS = 1.0625, 1.0
PARTIAL_BYTES_PER_SECOND = 12 * 1024
# What stands around a delta's text is 220 bytes: lines go together, so that it costs less than they do.
DELTA_CHARACTERS = 450


@dataclass(frozen=True, slots=True)
class Draft:
    """A page as far as it is read; `line` is where its newest line stands. A finished page is `done`."""

    number: int
    page_count: int | None = None
    text: str = ""
    line: LinePlace | None = None
    done: bool = False


class Live:
    """A partial, encoded when the first socket has room for it, and once however many have."""

    __slots__ = ("_encoded", "message")

    def __init__(self, message: LiveText) -> None:
        self.message = message
        self._encoded: str | None = None

    def encoded(self) -> str:
        if self._encoded is None:
            self._encoded = protocol.encode(self.message)
        return self._encoded

    def followed_by(self, later: Live) -> Live:
        """The later one, which has all the text; of deltas that wait, both their texts."""
        before, after = self.message, later.message
        if not (isinstance(before, DeltaPartial) and isinstance(after, DeltaPartial) and after.offset):
            return later
        text = before.streamed_text + after.streamed_text
        return Live(msgspec.structs.replace(after, offset=before.offset, streamed_text=text))


@dataclass(slots=True)
class Pace:
    """How often partials of one text go out. Times are the loop's."""

    sent_characters: int = 0
    sent_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def due(self, characters: int) -> float:
        """When a partial of this many characters may go out."""
        if characters >= self.sent_characters * PARTIAL_GROWTH:
            return self.sent_at + PARTIAL_MIN_SECONDS
        if characters >= self.sent_characters * PARTIAL_SMALL_GROWTH:
            return self.sent_at + PARTIAL_SECONDS
        return self.sent_at + max(PARTIAL_SECONDS, self.sent_characters / PARTIAL_BYTES_PER_SECOND)

    def sent(self, characters: int, at: float) -> None:
        self.sent_characters, self.sent_at = characters, at

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class DeltaPace(Pace):
    """A page's first lines at once, then some hundred characters together, or what there is in a second."""

    def due(self, characters: int) -> float:
        if not self.sent_characters or characters - self.sent_characters >= DELTA_CHARACTERS:
            return self.sent_at + PARTIAL_MIN_SECONDS
        return self.sent_at + PARTIAL_SECONDS


Partials = dict[Stream, Live]
"""A partial for each stream that has pages."""


@dataclass(eq=False, slots=True)
class PageStream:
    """A stream that has pages: what it has shown of the page that is read, and when it shows more."""

    name: Literal["pages", "delta"]
    shown: Draft
    pace: Pace


@dataclass(eq=False, slots=True)
class Slot:
    """`draft` is the newest of the page that is shown next; `finished` are the done pages by their numbers.

    `order` has what waits for these. It is a text of the reading `run`, whose newest claim is `attempt`, and
    comes after its owner's event `seq`; `local`: its readers are in this process.

    Each stream has a pace of its own: the texts of `full` grow with the document, those of `pages` with the
    page, those of `delta` not at all.
    """

    owner_id: UUID
    upload_id: UUID
    attempt: int
    draft: Draft
    seq: int = 0
    local: bool = True
    finished: dict[int, Draft] = field(default_factory=dict)
    run: int = 0
    order: Order[Draft] = field(default_factory=Order)
    full_pace: Pace = field(default_factory=Pace)
    page_streams: dict[Stream, PageStream] = field(init=False)
    _wholes: dict[int, tuple[Draft, Partials]] = field(default_factory=dict)
    _finished_characters: int = 0

    def __post_init__(self) -> None:
        self._finished_characters = sum(map(_share, self.finished.values()))
        self.page_streams = {
            "pages": PageStream("pages", self.draft, Pace()),
            "delta": PageStream("delta", self.draft, DeltaPace()),
        }

    def cancel_timers(self) -> None:
        self.full_pace.cancel_timer()
        for stream in self.page_streams.values():
            stream.pace.cancel_timer()

    def take(self, draft: Draft) -> bool:
        """Whether there is more text than before."""
        before = self.draft.text if draft.number == self.draft.number else ""
        self.draft = draft
        return draft.text != before

    def finish(self, page: Draft) -> None:
        before = self.finished.get(page.number)
        self._finished_characters += _share(page) - (_share(before) if before else 0)
        self.draft = self.finished[page.number] = page

    @property
    def full_characters(self) -> int:
        """The length of `full_text`, which is asked for with every line, however many pages there are."""
        draft = 0 if self.draft.done else _share(self.draft)
        return max(0, self._finished_characters + draft - len(PAGE_BREAK))

    def full_text(self) -> str:
        return join_pages(page.text for page in _in_order(self.finished, self.draft))

    # ── partials ──

    def full(self) -> Live:
        return Live(Partial(id=self.upload_id, streamed_text=self.full_text()))

    def whole(self, draft: Draft) -> Partials:
        """All there is of a page. Kept, since every socket that comes later is to have the same."""
        known, partials = self._wholes.get(draft.number, (None, {}))
        if known != draft:
            partials = {"pages": Live(self._page(draft)), "delta": Live(self._delta(draft, 0))}
            self._wholes[draft.number] = draft, partials
        return partials

    def has_news(self, stream: PageStream) -> bool:
        """A delta that would add nothing is none, but for the end of a page, which does not ask."""
        return self.draft != stream.shown and (stream.name == "pages" or bool(self.draft.text))

    def step(self, stream: PageStream) -> Live:
        """From what the stream has shown to `draft`, which is then shown."""
        before, draft = stream.shown, self.draft
        stream.shown = draft
        grown = draft.number == before.number and draft.text.startswith(before.text)
        if stream.name == "delta" and grown and before.text:
            return Live(self._delta(draft, len(before.text)))
        return self.whole(draft)[stream.name]

    def pages(self, stream: PageStream) -> Iterator[Draft]:
        """What a socket that comes now is to have: every finished page, then the one that is read."""
        yield from _in_order(self.finished, stream.shown)

    def _page(self, draft: Draft) -> PagePartial:
        return PagePartial(
            id=self.upload_id,
            page=draft.number,
            page_count=draft.page_count,
            streamed_text=draft.text,
            line=draft.line,
            done=True if draft.done else UNSET,
        )

    def _delta(self, draft: Draft, offset: int) -> DeltaPartial:
        return DeltaPartial(
            id=self.upload_id,
            page=draft.number,
            page_count=draft.page_count,
            offset=offset,
            streamed_text=draft.text[offset:],
            line=draft.line,
            done=True if draft.done else UNSET,
        )


def _share(page: Draft) -> int:
    """What a page adds to the length of a document."""
    return len(page.text) + len(PAGE_BREAK) if page.text else 0


def _in_order(finished: dict[int, Draft], draft: Draft) -> list[Draft]:
    """By their numbers: pages that are read anew stand between those that are not."""
    pages = finished if draft.done else finished | {draft.number: draft}
    return [pages[number] for number in sorted(pages)]
