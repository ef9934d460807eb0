"""The text of an upload that is being read, put together from what comes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Progress, Stream
from scanrill_client.event_sync import EventSynchronizer
from scanrill_client.events import LiveText
from scanrill_client.messages import ServerMessage

from tests.clients.sample_messages import acknowledged, partial

# Lengths are counted in code points: some of them take two units in other languages.
characters = st.text(alphabet="ab \n😀é", min_size=1, max_size=6)
documents = st.lists(st.lists(characters, max_size=5), min_size=1, max_size=4)


def partials(pages: list[list[str]], stream: Stream) -> list[ServerMessage]:
    """As the server tells of a reading in which each page grows by these pieces."""
    told, before = [], []
    for number, pieces in enumerate(pages, start=1):
        text = ""
        for piece in ["", *pieces]:
            offset, text = len(text), text + piece
            if stream == "full":
                told.append(partial("\n\n".join(filter(None, [*before, text])), page=None))
            elif stream == "pages":
                told.append(partial(text, number))
            else:
                told.append(partial(piece, number, offset=offset))
        before.append(text)
    return told


@given(documents)
def test_all_streams_tell_the_same_text_at_each_step(pages: list[list[str]]) -> None:
    shown = []
    for stream in ("full", "pages", "delta"):
        live = LiveText()
        told = [live.take(message) for message in partials(pages, stream)]
        shown.append([progress.text for progress in told if progress])
    assert shown[0] == shown[1] == shown[2]
    assert shown[0][-1] == "\n\n".join(text for pieces in pages if (text := "".join(pieces)))


def test_a_page_that_is_done_takes_the_place_of_its_draft() -> None:
    live = LiveText()
    live.take(partial("draft", 1))
    live.take(partial("two", 2))
    progress = live.take(partial("# Final", 1, done=True, page_count=2))
    assert progress is not None
    assert (progress.text, progress.page_text, progress.done) == ("# Final\n\ntwo", "# Final", True)


def test_a_delta_that_does_not_fit_is_not_told_and_the_whole_is_asked_for_once() -> None:
    follower = EventSynchronizer("delta")
    follower.subscribe_request()
    follower.take(acknowledged())
    follower.take(partial("one", 1, offset=0))
    assert follower.take(partial("far away", 1, offset=40)) == []
    assert follower.take(partial("farther", 1, offset=48)) == []
    [asked] = follower.pending_requests()
    assert (asked["type"], asked["instance_id"]) == ("resync", "u")
    [progress] = follower.take(partial("one, and far", 1, offset=0))
    assert isinstance(progress, Progress)
    assert progress.text == "one, and far"
    follower.take(partial("lost again", 1, offset=99))
    assert len(follower.pending_requests()) == 1


def test_a_new_connection_begins_with_no_text() -> None:
    follower = EventSynchronizer("pages")
    follower.subscribe_request()
    follower.take(acknowledged())
    follower.take(partial("of before", 2))
    follower.subscribe_request()
    follower.take(acknowledged())
    [request] = follower.pending_requests()
    assert request["type"] == "list"
    follower.take(partial("of now", 1))
    told = follower.take(ServerMessage(type="Upload.list", uploads=(), ref=request["ref"]))
    assert [event.text for event in told if isinstance(event, Progress)] == ["of now"]


def test_all_text_at_once_that_was_on_its_way_before_pages_were_asked_for_is_left_out() -> None:
    follower = EventSynchronizer("pages")
    follower.subscribe_request()
    follower.take(partial("all of it", page=None))
    assert follower.take(acknowledged()) == []
    assert follower.take(partial("all of it", page=None)) == []


def test_a_server_without_streams_tells_all_text_at_once() -> None:
    follower = EventSynchronizer("pages")
    follower.subscribe_request()
    follower.take(partial("so far", page=None))
    [progress] = follower.take(ServerMessage(message="subscribed"))
    assert isinstance(progress, Progress)
    assert (progress.page, progress.text) == (None, "so far")
