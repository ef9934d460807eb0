"""Several readers of one document: what is shown is in page order, whoever of them is quicker."""

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
from backend_main.core.protocol.messages import Stream
from backend_main.core.pubsub.messages import PageSnapshot, PageTextUpdate, ReadingStarted
from tests.support.hub_harness import Clock, ClockLoop

OWNER, UPLOAD = uuid4(), uuid4()
LOOP = asyncio.new_event_loop()
"""Never run: what has a time to wait for is called by `Deadlines`."""
STREAMS: tuple[Stream, ...] = ("full", "pages", "delta")


def done(number: int) -> PageSnapshot:
    return PageSnapshot(number, text=f"page {number}", done=True)


def numbers(pages: list[PageSnapshot]) -> list[int]:
    return [page.number for page in pages]


# ── the order by itself ──


def test_a_page_that_is_done_ahead_of_a_gap_is_shown_when_the_gap_is_closed() -> None:
    order = PageSequencer[PageSnapshot]()
    order.update_claims({1: 1})
    order.update_claims({3: 2})
    assert order.add_update(3, 2, done(3)) == []
    assert order.add_update(3, 2, done(4)) == []
    assert numbers(order.add_update(1, 1, done(1))) == [1]
    assert numbers(order.add_update(1, 1, done(2))) == [2, 3, 4]
    assert order.next == 5


def test_behind_a_closed_gap_comes_the_page_that_is_read_meanwhile_as_far_as_it_is() -> None:
    order = PageSequencer[PageSnapshot]()
    begun = PageSnapshot(2, text="pa")
    assert order.add_update(2, 2, begun) == []
    assert order.add_update(1, 1, done(1)) == [done(1), begun]


def test_pages_that_are_not_asked_for_are_no_gap_and_those_kept_from_before_are_shown_at_once() -> None:
    order = PageSequencer[PageSnapshot]("2,4-")
    assert numbers(order.add_finished([done(1), done(5), done(3)])) == [1, 3]
    assert order.next == 2
    assert numbers(order.add_update(2, 1, done(2))) == [2]
    assert numbers(order.add_update(2, 1, done(4))) == [4, 5]


def test_of_a_job_the_highest_attempt_counts_and_other_jobs_do_not_matter() -> None:
    order = PageSequencer[PageSnapshot]()
    order.update_claims({1: 1})
    order.update_claims({4: 2})
    assert order.add_update(1, 1, PageSnapshot(1, text="a")), (
        "the claim of another job is nothing to this reader"
    )
    order.update_claims({1: 3})
    assert order.add_update(1, 1, PageSnapshot(1, text="stale")) == []
    assert order.add_update(1, 1, done(1)) == []
    assert numbers(order.add_update(1, 3, done(1))) == [1]


def test_what_one_who_died_had_of_a_page_ahead_is_not_shown_when_its_turn_comes() -> None:
    order = PageSequencer[PageSnapshot]()
    order.update_claims({2: 2})
    order.add_update(2, 2, PageSnapshot(2, text="stale"))
    order.update_claims({2: 3})
    assert order.add_update(1, 1, done(1)) == [done(1)]


def test_who_is_past_a_page_of_its_own_job_has_finished_it() -> None:
    order = PageSequencer[PageSnapshot]()
    order.update_claims({1: 1, 4: 2})
    assert order.is_past(1, 2)
    assert not order.is_past(1, 1)
    assert not order.is_past(4, 5), "that is another's"


def test_only_who_takes_the_page_that_is_shown_next_begins_it_anew() -> None:
    order = PageSequencer[PageSnapshot]()
    assert order.update_claims({1: 1})
    assert not order.update_claims({4: 2})
    assert not order.update_claims({1: 1}), "it is said once more"
    assert order.update_claims({1: 3})
    for number in (1, 2, 3):
        order.add_update(1, 3, done(number))
    assert not order.update_claims({1: 4})
    assert order.update_claims({4: 5})


# ── what sockets make of it ──


class Ear:
    """A socket that reads at once, and a client that folds what it hears."""

    def __init__(self, stream: Stream) -> None:
        self.is_caught_up, self.stream, self.owner_id = True, stream, OWNER
        self.send_queue = self
        self.full, self.pages = "", dict[int, str]()
        self.ended: list[int] = []

    def is_subscribed_to(self, _upload: object) -> bool:
        return True

    def put_event(self, text: str) -> None:
        self._hear(json.loads(text))

    def put_partial(self, _place: PartialKey, partial: PendingPartial) -> None:
        self._hear(json.loads(partial.encoded()))

    def drop_partial(self, _place: PartialKey) -> None:
        pass

    def drop_partials(self, _upload: object) -> None:
        pass

    @property
    def text(self) -> str:
        if self.stream == "full":
            return self.full
        return "\n\n".join(self.pages[number] for number in sorted(self.pages) if self.pages[number])

    def _hear(self, message: dict[str, Any]) -> None:
        if self.stream == "full":
            self.full = message["streamed_text"]
            return
        page, offset = message["page"], message.get("offset", 0)
        have = self.pages.get(page, "")
        assert offset in (0, len(have))
        assert page >= max(self.pages, default=0) or message.get("done"), "a page comes after those before it"
        self.pages[page] = have[:offset] + message["streamed_text"]
        if message.get("done"):
            self.ended.append(page)


class Document:
    """Pages whose text has three parts, read by jobs of three pages each; `act` is one step of a reader."""

    def __init__(self, pages: int, say: Callable[[ReadingStarted | PageTextUpdate], None]) -> None:
        self.pages, self._say = pages, say
        self.finished: dict[int, str] = {}
        self._jobs = {first: min(first + 2, pages) for first in range(1, pages + 1, 3)}
        self.held: dict[int, tuple[int, int, int, int]] = {}
        self._attempt = 0

    @staticmethod
    def text_of(number: int, parts: int = 3) -> str:
        return "".join(f" page {number}, part {part}." for part in range(1, parts + 1)).strip()

    @property
    def text(self) -> str:
        return "\n\n".join(self.text_of(number) for number in range(1, self.pages + 1))

    @property
    def over(self) -> bool:
        return len(self.finished) == self.pages

    def act(self, reader: int, dies: bool) -> None:
        if reader not in self.held or dies:
            self._take(reader)
            return
        first, attempt, number, parts = self.held[reader]
        if parts < 3:
            page = PageSnapshot(number, self.pages, self.text_of(number, parts))
            self.held[reader] = first, attempt, number, parts + 1
        else:
            page = PageSnapshot(number, self.pages, self.text_of(number), done=True)
            self.finished[number] = page.text
            self.held[reader] = first, attempt, number + 1, 0
        self._say(PageTextUpdate(OWNER, UPLOAD, attempt, page, first))
        if page.done and number == self._jobs[first]:
            del self.held[reader], self._jobs[first]

    def _take(self, reader: int) -> None:
        """Its own job again where it died, or the first one that nobody has."""
        mine = self.held.pop(reader, None)
        free = [first for first in self._jobs if first not in {held[0] for held in self.held.values()}]
        if not free:
            return
        first = mine[0] if mine else free[0]
        self._attempt += 1
        number = next(n for n in range(first, self._jobs[first] + 1) if n not in self.finished)
        self.held[reader] = first, self._attempt, number, 0
        texts = None if self._attempt % 3 == 0 and self._attempt > 1 else dict(self.finished)
        self._say(
            ReadingStarted(OWNER, UPLOAD, self._attempt, 0, texts, self.pages, 1, "", {first: self._attempt})
        )


Acts = list[tuple[int, bool, bool]]


@settings(max_examples=150, deadline=None)
@given(
    pages=st.integers(1, 11),
    acts=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 9).map(lambda n: n == 0), st.booleans()), max_size=80
    ),
    comes_at=st.integers(0, 40),
)
def test_whichever_reader_is_quicker_every_stream_is_a_beginning_of_the_text_and_at_the_end_all_of_it(
    pages: int, acts: Acts, comes_at: int
) -> None:
    """Of each act: who does something, whether he died, and whether a second goes by."""
    clock = Clock(LOOP)
    ears = [Ear(stream) for stream in STREAMS]
    streams = LiveTextBroadcaster(lambda _owner: ears)  # type: ignore[arg-type,return-value] # they quack
    streams._loop = ClockLoop(None, clock)  # type: ignore[arg-type,assignment] # only its time is asked for

    def say(item: ReadingStarted | PageTextUpdate) -> None:
        if isinstance(item, ReadingStarted):
            streams.start_reading(item, is_local=True)
        else:
            streams.on_page_text(item)

    document = Document(pages, say)
    turns = iter(range(10_000))
    for step, (reader, dies, passes) in enumerate(
        acts + [(next(turns) % 3, False, True) for _ in range(200)]
    ):
        if step == comes_at:
            late = [Ear(stream) for stream in STREAMS]
            for ear in late:
                streams.send_all(ear)  # type: ignore[arg-type] # it quacks
            ears += late
        document.act(reader, dies)
        if passes:
            clock.move(1)
        for ear in ears:
            assert document.text.startswith(ear.text)
    assert document.over
    clock.move(1000)
    for ear in ears:
        assert ear.text == document.text
        assert ear.stream == "full" or sorted(ear.ended) == list(range(1, pages + 1)), "each page ends once"


@settings(max_examples=100, deadline=None)
@given(
    pages=st.integers(1, 11),
    acts=st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=120),
)
def test_in_another_process_that_misses_half_of_what_is_said_the_text_is_a_beginning_too(
    pages: int, acts: list[tuple[int, bool, bool]]
) -> None:
    """It looks up what is finished when a reader takes a job, and when one is past a page that it lacks.

    Of each act: who does something, whether it is heard, and whether a second goes by.
    """
    clock = Clock(LOOP)
    ears = [Ear(stream) for stream in STREAMS]
    streams = LiveTextBroadcaster(lambda _owner: ears)  # type: ignore[arg-type,return-value] # they quack
    streams._loop = ClockLoop(None, clock)  # type: ignore[arg-type,assignment] # only its time is asked for
    heard = True

    def look_up(attempt: int) -> None:
        held = {first: of for first, of, *_ in document.held.values()}
        found = ReadingStarted(OWNER, UPLOAD, attempt, 0, dict(document.finished), pages, 1, "", held)
        streams.start_reading(found, is_local=False)

    def say(item: ReadingStarted | PageTextUpdate) -> None:
        if isinstance(item, ReadingStarted):
            look_up(item.attempt)
        elif heard:
            if streams.has_gap_before(item):
                look_up(item.attempt)
            streams.on_page_text(item)

    document = Document(pages, say)
    for reader, heard, passes in acts + [(n % 3, n % 2 > 0, True) for n in range(200)]:  # noqa: B007
        document.act(reader, dies=False)
        if passes:
            clock.move(1)
        for ear in ears:
            assert document.text.startswith(ear.text)
    look_up(0)
    clock.move(1000)
    for ear in ears:
        assert ear.text == document.text


# ── what another run's readers say ──


@pytest.mark.parametrize("local", [True, False])
def test_a_retry_makes_all_void_that_readers_of_before_say(local: bool) -> None:
    ear = Ear("pages")
    streams = LiveTextBroadcaster(lambda _owner: [ear])  # type: ignore[arg-type,list-item] # it quacks
    streams._loop = LOOP
    streams.start_reading(ReadingStarted(OWNER, UPLOAD, 1, 0, {}, 9, 1, "", {1: 1}), is_local=local)
    streams.start_reading(ReadingStarted(OWNER, UPLOAD, 2, 0, None, 9, 1, "", {4: 2}), is_local=local)
    streams.start_reading(ReadingStarted(OWNER, UPLOAD, 3, 0, {}, None, 3, "", {1: 3}), is_local=local)
    streams.start_reading(ReadingStarted(OWNER, UPLOAD, 2, 0, {4: "stale"}, 9, 1, "", {4: 2}), is_local=local)
    streams.on_page_text(PageTextUpdate(OWNER, UPLOAD, 1, done(1)))
    streams.on_page_text(PageTextUpdate(OWNER, UPLOAD, 2, done(4), 4))
    assert ear.text == ""
    for number in (1, 2, 3):
        streams.on_page_text(PageTextUpdate(OWNER, UPLOAD, 3, done(number)))
    assert ear.text == "page 1\n\npage 2\n\npage 3"
    streams.stop()
