"""Several readers of one document: the text is in page sequencer, whichever reader is first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend_main.core.live.live_text import LiveTextBroadcaster
from backend_main.core.live.page_order import PageSequencer
from backend_main.core.live.send_queue import PartialKey, PendingPartial
from backend_main.core.protocol.field_types import StreamName
from backend_main.core.pubsub.messages import PageState, PageTextUpdate, ReadingStarted
from tests.support.hub_harness import Clock, ClockLoop

OWNER, UPLOAD = uuid4(), uuid4()
LOOP = asyncio.new_event_loop()
"""Never run: the `Clock` calls the timers."""
STREAMS: tuple[StreamName, ...] = ("full", "pages", "delta")


def done(number: int) -> PageState:
    return PageState(number, text=f"page {number}", done=True)


def numbers(pages: list[PageState]) -> list[int]:
    return [page.number for page in pages]


# ── PageSequencer ──


def test_finished_page_behind_a_gap_is_shown_when_the_gap_closes() -> None:
    sequencer = PageSequencer[PageState]()
    sequencer.update_claims({1: 1})
    sequencer.update_claims({3: 2})
    assert sequencer.add_update(3, 2, done(3)) == []
    assert sequencer.add_update(3, 2, done(4)) == []
    assert numbers(sequencer.add_update(1, 1, done(1))) == [1]
    assert numbers(sequencer.add_update(1, 1, done(2))) == [2, 3, 4]
    assert sequencer.next == 5


def test_closed_gap_shows_the_page_in_progress_behind_it() -> None:
    sequencer = PageSequencer[PageState]()
    begun = PageState(2, text="pa")
    assert sequencer.add_update(2, 2, begun) == []
    assert sequencer.add_update(1, 1, done(1)) == [done(1), begun]


def test_pages_outside_the_ranges_are_shown_at_once_and_leave_no_gap() -> None:
    sequencer = PageSequencer[PageState]("2,4-")
    assert numbers(sequencer.add_finished([done(1), done(5), done(3)])) == [1, 3]
    assert sequencer.next == 2
    assert numbers(sequencer.add_update(2, 1, done(2))) == [2]
    assert numbers(sequencer.add_update(2, 1, done(4))) == [4, 5]


def test_highest_attempt_of_a_job_counts_whatever_other_jobs_have() -> None:
    sequencer = PageSequencer[PageState]()
    sequencer.update_claims({1: 1})
    sequencer.update_claims({4: 2})
    assert sequencer.add_update(1, 1, PageState(1, text="a")), (
        "the claim of another job does not concern this reader"
    )
    sequencer.update_claims({1: 3})
    assert sequencer.add_update(1, 1, PageState(1, text="stale")) == []
    assert sequencer.add_update(1, 1, done(1)) == []
    assert numbers(sequencer.add_update(1, 3, done(1))) == [1]


def test_text_of_a_dead_reader_behind_a_gap_is_not_shown() -> None:
    sequencer = PageSequencer[PageState]()
    sequencer.update_claims({2: 2})
    sequencer.add_update(2, 2, PageState(2, text="stale"))
    sequencer.update_claims({2: 3})
    assert sequencer.add_update(1, 1, done(1)) == [done(1)]


def test_is_past_says_that_a_reader_finished_earlier_pages_of_its_job() -> None:
    sequencer = PageSequencer[PageState]()
    sequencer.update_claims({1: 1, 4: 2})
    assert sequencer.is_past(1, 2)
    assert not sequencer.is_past(1, 1)
    assert not sequencer.is_past(4, 5), "that is another job"


def test_update_claims_restarts_only_the_page_shown_next() -> None:
    sequencer = PageSequencer[PageState]()
    assert sequencer.update_claims({1: 1})
    assert not sequencer.update_claims({4: 2})
    assert not sequencer.update_claims({1: 1}), "it is a repetition"
    assert sequencer.update_claims({1: 3})
    for number in (1, 2, 3):
        sequencer.add_update(1, 3, done(number))
    assert not sequencer.update_claims({1: 4})
    assert sequencer.update_claims({4: 5})


# ── the text of connections ──


class FakeConnection:
    """A connection that sends at once, and a client that applies the partials."""

    def __init__(self, stream: StreamName) -> None:
        self.is_caught_up, self.stream, self.owner_id = True, stream, OWNER
        self.send_queue = self
        self.full, self.pages = "", dict[int, str]()
        self.ended: list[int] = []

    def is_subscribed_to(self, _upload: object) -> bool:
        return True

    def put_event(self, text: str) -> None:
        self._apply(json.loads(text))

    def put_partial(self, _key: PartialKey, partial: PendingPartial) -> None:
        self._apply(json.loads(partial.encoded()))

    def drop_partial(self, _key: PartialKey) -> None:
        pass

    def drop_partials(self, _upload: object) -> None:
        pass

    @property
    def text(self) -> str:
        if self.stream == "full":
            return self.full
        return "\n\n".join(self.pages[number] for number in sorted(self.pages) if self.pages[number])

    def _apply(self, message: dict[str, Any]) -> None:
        if self.stream == "full":
            self.full = message["streamed_text"]
            return
        page, offset = message["page"], message.get("offset", 0)
        have = self.pages.get(page, "")
        assert offset in (0, len(have))
        assert page >= max(self.pages, default=0) or message.get("done"), "pages come in order"
        self.pages[page] = have[:offset] + message["streamed_text"]
        if message.get("done"):
            self.ended.append(page)


class Document:
    """Pages of three parts each, in jobs of three pages each. `act` is one step of a reader."""

    def __init__(self, pages: int, publish: Callable[[ReadingStarted | PageTextUpdate], None]) -> None:
        self.pages, self._publish = pages, publish
        self.finished: dict[int, str] = {}
        self._jobs = {first: min(first + 2, pages) for first in range(1, pages + 1, 3)}
        self.claims: dict[int, tuple[int, int, int, int]] = {}
        self._attempt = 0

    @staticmethod
    def text_of(number: int, parts: int = 3) -> str:
        return "".join(f" page {number}, part {part}." for part in range(1, parts + 1)).strip()

    @property
    def text(self) -> str:
        return "\n\n".join(self.text_of(number) for number in range(1, self.pages + 1))

    @property
    def is_finished(self) -> bool:
        return len(self.finished) == self.pages

    def act(self, reader: int, dies: bool) -> None:
        if reader not in self.claims or dies:
            self._claim(reader)
            return
        first, attempt, number, parts = self.claims[reader]
        if parts < 3:
            page = PageState(number, self.pages, self.text_of(number, parts))
            self.claims[reader] = first, attempt, number, parts + 1
        else:
            page = PageState(number, self.pages, self.text_of(number), done=True)
            self.finished[number] = page.text
            self.claims[reader] = first, attempt, number + 1, 0
        self._publish(PageTextUpdate(OWNER, UPLOAD, attempt, page, first))
        if page.done and number == self._jobs[first]:
            del self.claims[reader], self._jobs[first]

    def _claim(self, reader: int) -> None:
        """Claim the reader's own job again if it died, or else the first free one."""
        own = self.claims.pop(reader, None)
        free = [first for first in self._jobs if first not in {claim[0] for claim in self.claims.values()}]
        if not free:
            return
        first = own[0] if own else free[0]
        self._attempt += 1
        number = next(n for n in range(first, self._jobs[first] + 1) if n not in self.finished)
        self.claims[reader] = first, self._attempt, number, 0
        texts = None if self._attempt % 3 == 0 and self._attempt > 1 else dict(self.finished)
        self._publish(
            ReadingStarted(OWNER, UPLOAD, self._attempt, 0, texts, self.pages, 1, "", {first: self._attempt})
        )


Acts = list[tuple[int, bool, bool]]


@settings(max_examples=150, deadline=None)
@given(
    pages=st.integers(1, 11),
    acts=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 9).map(lambda n: n == 0), st.booleans()), max_size=80
    ),
    joins_at=st.integers(0, 40),
)
def test_every_mode_shows_a_prefix_of_the_text_in_any_order_of_readers(
    pages: int, acts: Acts, joins_at: int
) -> None:
    """Each act: the reader, whether it died before, and whether a second passes."""
    clock = Clock(LOOP)
    connections = [FakeConnection(stream) for stream in STREAMS]
    broadcaster = LiveTextBroadcaster(lambda _owner: connections)  # type: ignore[arg-type,return-value] # doubles
    broadcaster._loop = ClockLoop(None, clock)  # type: ignore[arg-type,assignment] # only its time is used

    def publish(item: ReadingStarted | PageTextUpdate) -> None:
        if isinstance(item, ReadingStarted):
            broadcaster.start_reading(item, is_local=True)
        else:
            broadcaster.on_page_text(item)

    document = Document(pages, publish)
    turns = iter(range(10_000))
    for step, (reader, dies, passes) in enumerate(
        acts + [(next(turns) % 3, False, True) for _ in range(200)]
    ):
        if step == joins_at:
            late = [FakeConnection(stream) for stream in STREAMS]
            for connection in late:
                broadcaster.send_all(connection)  # type: ignore[arg-type] # a double
            connections += late
        document.act(reader, dies)
        if passes:
            clock.move(1)
        for connection in connections:
            assert document.text.startswith(connection.text)
    assert document.is_finished
    clock.move(1000)
    for connection in connections:
        assert connection.text == document.text
        assert connection.stream == "full" or sorted(connection.ended) == list(range(1, pages + 1)), (
            "each page ends once"
        )


@settings(max_examples=100, deadline=None)
@given(
    pages=st.integers(1, 11),
    acts=st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=120),
)
def test_process_that_loses_half_of_the_messages_shows_a_prefix_too(
    pages: int, acts: list[tuple[int, bool, bool]]
) -> None:
    """It loads finished pages at each claim, and when a reader is past a page that is missing here.

    Each act: the reader, whether its message arrives, and whether a second passes.
    """
    clock = Clock(LOOP)
    connections = [FakeConnection(stream) for stream in STREAMS]
    broadcaster = LiveTextBroadcaster(lambda _owner: connections)  # type: ignore[arg-type,return-value] # doubles
    broadcaster._loop = ClockLoop(None, clock)  # type: ignore[arg-type,assignment] # only its time is used
    arrives = True

    def load(attempt: int) -> None:
        claims = {first: attempt for first, attempt, *_ in document.claims.values()}
        found = ReadingStarted(OWNER, UPLOAD, attempt, 0, dict(document.finished), pages, 1, "", claims)
        broadcaster.start_reading(found, is_local=False)

    def publish(item: ReadingStarted | PageTextUpdate) -> None:
        if isinstance(item, ReadingStarted):
            load(item.attempt)
        elif arrives:
            if broadcaster.has_gap_before(item):
                load(item.attempt)
            broadcaster.on_page_text(item)

    document = Document(pages, publish)
    for reader, arrives, passes in acts + [(n % 3, n % 2 > 0, True) for n in range(200)]:  # noqa: B007
        document.act(reader, dies=False)
        if passes:
            clock.move(1)
        for connection in connections:
            assert document.text.startswith(connection.text)
    load(0)
    clock.move(1000)
    for connection in connections:
        assert connection.text == document.text


# ── readers of an earlier reading ──


@pytest.mark.parametrize("local", [True, False])
def test_retry_ignores_messages_of_earlier_readers(local: bool) -> None:
    connection = FakeConnection("pages")
    broadcaster = LiveTextBroadcaster(lambda _owner: [connection])  # type: ignore[arg-type,list-item] # a double
    broadcaster._loop = LOOP
    broadcaster.start_reading(ReadingStarted(OWNER, UPLOAD, 1, 0, {}, 9, 1, "", {1: 1}), is_local=local)
    broadcaster.start_reading(ReadingStarted(OWNER, UPLOAD, 2, 0, None, 9, 1, "", {4: 2}), is_local=local)
    broadcaster.start_reading(ReadingStarted(OWNER, UPLOAD, 3, 0, {}, None, 3, "", {1: 3}), is_local=local)
    broadcaster.start_reading(
        ReadingStarted(OWNER, UPLOAD, 2, 0, {4: "stale"}, 9, 1, "", {4: 2}), is_local=local
    )
    broadcaster.on_page_text(PageTextUpdate(OWNER, UPLOAD, 1, done(1)))
    broadcaster.on_page_text(PageTextUpdate(OWNER, UPLOAD, 2, done(4), 4))
    assert connection.text == ""
    for number in (1, 2, 3):
        broadcaster.on_page_text(PageTextUpdate(OWNER, UPLOAD, 3, done(number)))
    assert connection.text == "page 1\n\npage 2\n\npage 3"
    broadcaster.stop()
