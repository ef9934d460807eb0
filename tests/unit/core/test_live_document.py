"""LiveDocument, its stream modes and their throttles."""

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
from backend_main.core.protocol.field_types import StreamName
from backend_main.core.protocol.messages import LinePosition
from backend_main.core.pubsub.messages import PageState

OWNER, UPLOAD = uuid.uuid4(), uuid.uuid4()
POSITION = LinePosition(((0, 20), (8, 20), (8, 36), (0, 36)), 8, 8)


def document(page: PageState) -> LiveDocument:
    return LiveDocument(OWNER, UPLOAD, 1, page)


def next_partial(live: LiveDocument, name: StreamName = "delta") -> EncodedPartial:
    """Return the next partial of a stream mode."""
    return live.modes[name].render(live).partial


def decoded(partial: EncodedPartial) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(partial.encoded())
    return message


def pages_for_a_new_connection(live: LiveDocument, name: StreamName = "delta") -> list[tuple[int, str, bool]]:
    """Page, text and whether it is finished."""
    partials = [decoded(update.partial) for update in live.modes[name].text_so_far(live)]
    assert all(partial["offset"] == 0 for partial in partials)
    return [(p["page"], p["streamed_text"], p.get("done", False)) for p in partials]


def applied(text: str, delta: dict[str, Any]) -> str:
    """Return a client's text of a page after a delta; Python counts code points."""
    assert delta["offset"] in (0, len(text))
    return text[: delta["offset"]] + str(delta["streamed_text"])


# ── partials ──


def test_page_partial_has_number_and_line_and_no_done_before_the_end() -> None:
    partial = next_partial(document(PageState(2, 3, "one", POSITION)), "pages")
    assert decoded(partial) == {
        "id": str(UPLOAD),
        "status": "processing",
        "type": "Upload.status",
        "page": 2,
        "page_count": 3,
        "streamed_text": "one",
        "line": {"box": [[0, 20], [8, 20], [8, 36], [0, 36]], "width": 8, "height": 8},
    }


def test_delta_has_an_offset_and_only_the_added_text() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 1, "one"))
    assert decoded(next_partial(live)) == decoded(next_partial(live, "pages")) | {"offset": 0}
    live.show(PageState(1, 1, "one\ntwo"))
    page = decoded(next_partial(live, "pages"))
    assert decoded(next_partial(live)) == page | {"offset": 3, "streamed_text": "\ntwo"}


def test_each_mode_continues_from_the_text_that_it_has_shown() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 1, "one"))
    next_partial(live)
    live.show(PageState(1, 1, "one\ntwo"))
    next_partial(live, "pages")
    live.show(PageState(1, 1, "one\ntwo\nthree"))
    delta = decoded(next_partial(live))
    assert (delta["offset"], delta["streamed_text"]) == (3, "\ntwo\nthree")


def test_delta_replaces_text_that_the_new_text_does_not_extend() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 1, "page"))
    next_partial(live)
    live.show(PageState(1, 1, "# Final", done=True))
    delta = decoded(next_partial(live))
    assert (delta["offset"], delta["streamed_text"], delta["done"]) == (0, "# Final", True)


def test_end_of_an_unchanged_page_adds_no_text() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 1, "unchanged"))
    next_partial(live)
    live.show(PageState(1, 1, "unchanged", done=True))
    delta, page = decoded(next_partial(live)), decoded(next_partial(live, "pages"))
    assert (delta["offset"], delta["streamed_text"], delta["done"]) == (9, "", True)
    assert (page["streamed_text"], page["line"], page["done"]) == ("unchanged", None, True)


def test_next_page_starts_at_offset_0_even_with_the_same_words() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 2, "page", done=True))
    next_partial(live)
    live.show(PageState(2, 2, "page two"))
    delta = decoded(next_partial(live))
    assert (delta["page"], delta["offset"], delta["streamed_text"]) == (2, 0, "page two")


def test_offsets_count_code_points() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 1, "a𝔸👍🏽"))
    next_partial(live)
    live.show(PageState(1, 1, "a𝔸👍🏽!"))
    delta = decoded(next_partial(live))
    assert (delta["offset"], delta["streamed_text"]) == (4, "!")
    assert len("a𝔸👍🏽".encode("utf-16-le")) // 2 == 7


@given(
    texts=st.lists(st.text(max_size=12), max_size=12),
    due=st.lists(st.booleans(), min_size=13, max_size=13),
    waits=st.lists(st.booleans(), min_size=13, max_size=13),
    final=st.text(max_size=20),
)
def test_deltas_add_up_to_the_page_however_many_are_merged(
    texts: list[str], due: list[bool], waits: list[bool], final: str
) -> None:
    """`due`: the throttle allows the text; `waits`: the client reads it only after the next."""
    live, waiting, have, text = document(PageState(1)), None, "", ""
    pages = []
    for added in texts:
        text += added
        pages.append(PageState(1, 1, text))
    pages.append(PageState(1, 1, final, done=True))
    for page, is_due, wait in zip(pages, due, waits, strict=False):
        live.show(page)
        if is_due or page.done:
            delta = next_partial(live)
            waiting = waiting.merge(delta) if waiting else delta
            if not wait or page.done:
                have, waiting = applied(have, decoded(waiting)), None
            else:
                assert applied(have, decoded(waiting)) == page.text
    assert have == final


def test_merge_of_page_partials_keeps_the_newer_one() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 1, "a"))
    older = next_partial(live, "pages")
    live.show(PageState(1, 1, "ab"))
    newer = next_partial(live, "pages")
    assert older.merge(newer) is newer


def test_snapshot_has_finished_pages_then_the_text_shown() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 3, "one", done=True))
    next_partial(live)
    assert pages_for_a_new_connection(live) == [(1, "one", True)]
    live.show(PageState(2, 3, "tw"))
    next_partial(live)
    live.show(PageState(2, 3, "two"))
    assert pages_for_a_new_connection(live) == [(1, "one", True), (2, "tw", False)]
    assert applied("tw", decoded(next_partial(live))) == "two"


def test_full_text_has_finished_pages_and_the_current_one() -> None:
    live = document(PageState(1))
    live.show(PageState(1, 2, "page"))
    assert decoded(next_partial(live, "full"))["streamed_text"] == "page"
    live.show(PageState(1, 2, "one", done=True))
    assert decoded(next_partial(live, "full"))["streamed_text"] == "one"
    live.show(PageState(2, 2, "two"))
    assert decoded(next_partial(live, "full")) == {
        "id": str(UPLOAD),
        "status": "processing",
        "streamed_text": "one\n\ntwo",
        "type": "Upload.status",
    }


@given(pages=st.lists(st.tuples(st.integers(1, 4), st.text(max_size=3), st.booleans()), max_size=12))
def test_full_characters_equals_the_length_of_the_full_text(pages: list[tuple[int, str, bool]]) -> None:
    live = document(PageState(1))
    assert live.full_characters == 0
    for number, text, done in pages:
        if done:
            live.show(PageState(number, 4, text, done=True))
        elif number not in live.finished_pages:
            live.show(PageState(number, 4, text))
        copy = LiveDocument(OWNER, UPLOAD, 2, live.current_page, finished_pages=dict(live.finished_pages))
        assert live.full_characters == copy.full_characters == len(live.full_text())


# ── throttle ──


def growing(
    throttle: Throttle, sizes: Iterator[int], *, every_seconds: float, until: float
) -> list[tuple[float, int]]:
    """Return (time, characters) of each partial of a steadily growing text."""
    sent, now = [], 50.0
    while now < until:
        size = next(sizes)
        if throttle.due_at(size) <= now:
            throttle.sent(size, now)
            sent.append((now, size))
        now += every_seconds
    return sent


def test_throttle_first_text_is_due_at_once() -> None:
    throttle, now = Throttle(), 50.0
    assert throttle.due_at(1) <= now


def test_throttle_growth_by_an_eighth_is_due_after_a_tenth_of_a_second() -> None:
    throttle = Throttle(sent_characters=800, sent_at=50.0)
    assert throttle.due_at(900) == pytest.approx(50.1)
    assert throttle.due_at(899) == pytest.approx(51.0)


def test_throttle_little_growth_of_a_long_text_is_due_after_its_send_time() -> None:
    throttle = Throttle(sent_characters=120 * 1024, sent_at=50.0)
    assert throttle.due_at(120 * 1024 + 1) == pytest.approx(60.0)


def test_throttle_growth_by_a_sixteenth_is_due_after_a_second() -> None:
    throttle = Throttle(sent_characters=160_000, sent_at=50.0)
    assert throttle.due_at(170_000) == pytest.approx(51.0)
    assert throttle.due_at(169_999) > 60


def test_throttle_shorter_text_is_due_too() -> None:
    throttle = Throttle(sent_characters=800, sent_at=50.0)
    assert throttle.due_at(10) == pytest.approx(51.0)


def test_throttle_sends_at_most_every_tenth_of_a_second_at_low_cost() -> None:
    throttle = Throttle()
    sizes = iter(range(0, 10**9, 50))  # 2,500 characters a second
    sent = growing(throttle, sizes, every_seconds=0.02, until=170.0)
    times = [when for when, _size in sent]
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times))
    assert all(later - earlier <= 10 for earlier, later in pairwise(times))
    final = 120 * 2500
    assert sum(size for _when, size in sent) <= 20 * final


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_throttle_cost_of_a_line_each_50_ms_is_below_25_times_the_text(minutes: int) -> None:
    lines = minutes * 60 * 20
    sent = growing(Throttle(), iter(range(0, 10**9, 30)), every_seconds=0.05, until=50.0 + lines * 0.05)
    assert sum(size for _when, size in sent) <= 25 * 30 * lines


def test_delta_throttle_waits_for_450_characters_or_a_second() -> None:
    throttle = DeltaThrottle(sent_at=50.0)
    assert throttle.due_at(1) == pytest.approx(50.1)
    throttle.sent(62, 60.0)
    assert throttle.due_at(511) == pytest.approx(61.0)
    assert throttle.due_at(512) == pytest.approx(60.1)
