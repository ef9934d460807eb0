"""Step 12 — the live text of an upload that is being read: its partials for each stream; when each is due.

Pure: the hub brings the text and the time, and takes the partials to the sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from msgspec import UNSET

from . import protocol
from .protocol import DeltaPartial, LinePlace, LiveText, PagePartial, Partial, Stream
from .text import join_pages

# A partial carries all the text so far, so partials must get rarer as it grows: sent when it has grown by an
# eighth, or after a second (longer where the last one was large), never more often than ten times a second.
PARTIAL_GROWTH = 1.125
PARTIAL_SECONDS = 1.0
PARTIAL_BYTES_PER_SECOND = 32 * 1024
PARTIAL_MIN_SECONDS = 0.1


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

    @property
    def characters(self) -> int:
        return len(self.message.streamed_text)

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
        return self.sent_at + max(PARTIAL_SECONDS, self.sent_characters / PARTIAL_BYTES_PER_SECOND)

    def sent(self, characters: int, at: float) -> None:
        self.sent_characters, self.sent_at = characters, at

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


Partials = dict[Stream, Live]
"""A partial for each stream that has pages."""


@dataclass(eq=False, slots=True)
class Slot:
    """`draft` is the newest of the page that is read, `shown` what the page streams have had of it.

    It comes after its owner's event `seq`; `local`: its reader is in this process.

    `finished` are the done pages by their numbers. The stream `full` has a pace of its own, as it grows with
    the document; `pages` and `delta` have theirs together.
    """

    owner_id: UUID
    upload_id: UUID
    attempt: int
    draft: Draft
    seq: int = 0
    local: bool = True
    finished: dict[int, Draft] = field(default_factory=dict)
    shown: Draft = field(init=False)
    _wholes: dict[int, tuple[Draft, Partials]] = field(default_factory=dict)
    full_pace: Pace = field(default_factory=Pace)
    page_pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.shown = self.draft

    def cancel_timers(self) -> None:
        self.full_pace.cancel_timer()
        self.page_pace.cancel_timer()

    def take(self, draft: Draft) -> bool:
        """Whether there is more text than before."""
        before = self.draft.text if draft.number == self.draft.number else ""
        self.draft = draft
        return draft.text != before

    def finish(self, page: Draft) -> None:
        self.draft = self.finished[page.number] = page

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

    def step(self) -> Partials:
        """From `shown` to `draft`, which is then shown."""
        before, draft = self.shown, self.draft
        self.shown = draft
        grown = draft.number == before.number and draft.text.startswith(before.text)
        if not grown or not before.text:
            return self.whole(draft)
        return self.whole(draft) | {"delta": Live(self._delta(draft, len(before.text)))}

    def pages(self) -> Iterator[Draft]:
        """What a socket that comes now is to have: every finished page, then the one that is read."""
        yield from _in_order(self.finished, self.shown)

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


def _in_order(finished: dict[int, Draft], draft: Draft) -> list[Draft]:
    """By their numbers: pages that are read anew stand between those that are not."""
    pages = finished if draft.done else finished | {draft.number: draft}
    return [pages[number] for number in sorted(pages)]
