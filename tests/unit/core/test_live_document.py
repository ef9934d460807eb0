"""The live text of one upload: what its partials say, and when each is due."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.core.live.live_document import EncodedPartial, LiveDocument
from backend_main.core.live.throttle import DeltaThrottle, Throttle
from backend_main.core.protocol.messages import LinePosition, Stream
from backend_main.core.pubsub.messages import PageSnapshot

OWNER, UPLOAD = uuid.uuid4(), uuid.uuid4()
PLACE = LinePosition(((0, 20), (8, 20), (8, 36), (0, 36)), 8, 8)


def slot(draft: PageSnapshot) -> LiveDocument:
    return LiveDocument(OWNER, UPLOAD, 1, draft)


def shown(live: LiveDocument, name: Stream = "delta") -> EncodedPartial:
    """The partial by which a stream shows what it has not shown yet."""
    return live.modes[name].render(live).partial


def said(partial: EncodedPartial) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(partial.encoded())
    return message


def pages_for_a_new_connection(live: LiveDocument, name: Stream = "delta") -> list[tuple[int, str, bool]]:
    """Page, text and whether it is finished."""
    partials = [said(update.partial) for update in live.modes[name].snapshot(live)]
    assert all(partial["offset"] == 0 for partial in partials)
    return [(p["page"], p["streamed_text"], p.get("done", False)) for p in partials]


def applied(text: str, delta: dict[str, Any]) -> str:
    """What a client has of a page after a delta; Python counts code points."""
    assert delta["offset"] in (0, len(text))
    return text[: delta["offset"]] + str(delta["streamed_text"])


# ── what they say ──


def test_a_page_says_its_number_the_place_of_its_newest_line_and_nothing_of_its_end_before_it_is_done() -> (
    None
):
    partial = shown(slot(PageSnapshot(2, 3, "one", PLACE)), "pages")
    assert said(partial) == {
        "id": str(UPLOAD),
        "status": "processing",
        "type": "Upload.status",
        "page": 2,
        "page_count": 3,
        "streamed_text": "one",
        "line": {"box": [[0, 20], [8, 20], [8, 36], [0, 36]], "width": 8, "height": 8},
    }


def test_a_delta_has_an_offset_beside_and_only_what_was_added() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 1, "one"))
    assert said(shown(live)) == said(shown(live, "pages")) | {"offset": 0}
    live.show(PageSnapshot(1, 1, "one\ntwo"))
    page = said(shown(live, "pages"))
    assert said(shown(live)) == page | {"offset": 3, "streamed_text": "\ntwo"}


def test_each_stream_goes_on_from_what_it_has_shown_itself() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 1, "one"))
    shown(live)
    live.show(PageSnapshot(1, 1, "one\ntwo"))
    shown(live, "pages")
    live.show(PageSnapshot(1, 1, "one\ntwo\nthree"))
    delta = said(shown(live))
    assert (delta["offset"], delta["streamed_text"]) == (3, "\ntwo\nthree")


def test_what_does_not_go_on_from_what_was_shown_replaces_it() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 1, "draft"))
    shown(live)
    live.show(PageSnapshot(1, 1, "# Final", done=True))
    delta = said(shown(live))
    assert (delta["offset"], delta["streamed_text"], delta["done"]) == (0, "# Final", True)


def test_the_end_of_a_page_that_is_as_it_was_shown_adds_nothing() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 1, "the same"))
    shown(live)
    live.show(PageSnapshot(1, 1, "the same", done=True))
    delta, page = said(shown(live)), said(shown(live, "pages"))
    assert (delta["offset"], delta["streamed_text"], delta["done"]) == (8, "", True)
    assert (page["streamed_text"], page["line"], page["done"]) == ("the same", None, True)


def test_the_next_page_begins_at_offset_0_also_where_it_begins_with_the_same_words() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 2, "page", done=True))
    shown(live)
    live.show(PageSnapshot(2, 2, "page two"))
    delta = said(shown(live))
    assert (delta["page"], delta["offset"], delta["streamed_text"]) == (2, 0, "page two")


def test_offsets_count_code_points() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 1, "a𝔸👍🏽"))
    shown(live)
    live.show(PageSnapshot(1, 1, "a𝔸👍🏽!"))
    delta = said(shown(live))
    assert (delta["offset"], delta["streamed_text"]) == (4, "!")
    assert len("a𝔸👍🏽".encode("utf-16-le")) // 2 == 7


@given(
    texts=st.lists(st.text(max_size=12), max_size=12),
    due=st.lists(st.booleans(), min_size=13, max_size=13),
    waits=st.lists(st.booleans(), min_size=13, max_size=13),
    final=st.text(max_size=20),
)
def test_deltas_make_up_the_page_however_many_of_them_are_merged(
    texts: list[str], due: list[bool], waits: list[bool], final: str
) -> None:
    """`due`: the pace lets it out; `waits`: the client has not read it when the next comes."""
    live, waiting, have, text = slot(PageSnapshot(1)), None, "", ""
    drafts = []
    for added in texts:
        text += added
        drafts.append(PageSnapshot(1, 1, text))
    drafts.append(PageSnapshot(1, 1, final, done=True))
    for draft, lets, wait in zip(drafts, due, waits, strict=False):
        live.show(draft)
        if lets or draft.done:
            delta = shown(live)
            waiting = waiting.merge(delta) if waiting else delta
            if not wait or draft.done:
                have, waiting = applied(have, said(waiting)), None
            else:
                assert applied(have, said(waiting)) == draft.text
    assert have == final


def test_a_page_that_waits_gives_way_to_the_newer_one() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 1, "a"))
    older = shown(live, "pages")
    live.show(PageSnapshot(1, 1, "ab"))
    newer = shown(live, "pages")
    assert older.merge(newer) is newer


def test_who_comes_in_the_middle_is_to_have_the_done_pages_and_then_what_was_shown() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 3, "one", done=True))
    shown(live)
    assert pages_for_a_new_connection(live) == [(1, "one", True)]
    live.show(PageSnapshot(2, 3, "tw"))
    shown(live)
    live.show(PageSnapshot(2, 3, "two"))
    assert pages_for_a_new_connection(live) == [(1, "one", True), (2, "tw", False)]
    assert applied("tw", said(shown(live))) == "two"


def test_the_full_text_is_the_done_pages_and_the_one_that_is_read() -> None:
    live = slot(PageSnapshot(1))
    live.show(PageSnapshot(1, 2, "draft"))
    assert said(shown(live, "full"))["streamed_text"] == "draft"
    live.show(PageSnapshot(1, 2, "one", done=True))
    assert said(shown(live, "full"))["streamed_text"] == "one"
    live.show(PageSnapshot(2, 2, "two"))
    assert said(shown(live, "full")) == {
        "id": str(UPLOAD),
        "status": "processing",
        "streamed_text": "one\n\ntwo",
        "type": "Upload.status",
    }


@given(pages=st.lists(st.tuples(st.integers(1, 4), st.text(max_size=3), st.booleans()), max_size=12))
def test_the_length_of_the_full_text_is_known_without_it(pages: list[tuple[int, str, bool]]) -> None:
    live = slot(PageSnapshot(1))
    assert live.full_characters == 0
    for number, text, done in pages:
        if done:
            live.show(PageSnapshot(number, 4, text, done=True))
        elif number not in live.finished_pages:
            live.show(PageSnapshot(number, 4, text))
        again = LiveDocument(OWNER, UPLOAD, 2, live.snapshot, finished_pages=dict(live.finished_pages))
        assert live.full_characters == again.full_characters == len(live.full_text())


# ── when they are due ──


def growing(
    pace: Throttle, sizes: Iterator[int], *, every_seconds: float, until: float
) -> list[tuple[float, int]]:
    """(time, characters) of each partial that the rule lets out, for a text that grows steadily."""
    sent, now = [], 50.0
    while now < until:
        size = next(sizes)
        if pace.due_at(size) <= now:
            pace.sent(size, now)
            sent.append((now, size))
        now += every_seconds
    return sent


def test_the_first_text_is_due_at_once() -> None:
    pace, now = Throttle(), 50.0
    assert pace.due_at(1) <= now


def test_an_eighth_more_is_due_after_a_tenth_of_a_second() -> None:
    pace = Throttle(sent_characters=800, sent_at=50.0)
    assert pace.due_at(900) == pytest.approx(50.1)
    assert pace.due_at(899) == pytest.approx(51.0)


def test_a_little_more_of_a_long_text_is_due_when_the_last_has_been_paid_for() -> None:
    pace = Throttle(sent_characters=120 * 1024, sent_at=50.0)
    assert pace.due_at(120 * 1024 + 1) == pytest.approx(60.0)


def test_a_sixteenth_more_of_a_long_text_is_due_after_a_second() -> None:
    pace = Throttle(sent_characters=160_000, sent_at=50.0)
    assert pace.due_at(170_000) == pytest.approx(51.0)
    assert pace.due_at(169_999) > 60


def test_a_shorter_text_than_the_last_is_due_too() -> None:
    pace = Throttle(sent_characters=800, sent_at=50.0)
    assert pace.due_at(10) == pytest.approx(51.0)


def test_partials_are_never_closer_than_a_tenth_of_a_second_and_their_cost_stays_low() -> None:
    pace = Throttle()
    sizes = iter(range(0, 10**9, 50))  # 2,500 characters a second
    sent = growing(pace, sizes, every_seconds=0.02, until=170.0)
    times = [when for when, _size in sent]
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times))
    assert all(later - earlier <= 10 for earlier, later in pairwise(times))
    final = 120 * 2500
    assert sum(size for _when, size in sent) <= 20 * final


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_partials_of_a_line_in_50_ms_cost_less_than_25_times_the_text_however_long(minutes: int) -> None:
    lines = minutes * 60 * 20
    sent = growing(Throttle(), iter(range(0, 10**9, 30)), every_seconds=0.05, until=50.0 + lines * 0.05)
    assert sum(size for _when, size in sent) <= 25 * 30 * lines


def test_a_delta_waits_for_450_characters_or_a_second_but_not_the_first_of_a_page() -> None:
    pace = DeltaThrottle(sent_at=50.0)
    assert pace.due_at(1) == pytest.approx(50.1)
    pace.sent(62, 60.0)
    assert pace.due_at(511) == pytest.approx(61.0)
    assert pace.due_at(512) == pytest.approx(60.1)
