"""Live text, assembled from partials."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Progress, Stream
from scanrill_client.event_sync import EventSynchronizer
from scanrill_client.events import LiveText
from scanrill_client.messages import ServerMessage

from tests.clients.sample_messages import partial_message, subscribed_message

# Offsets count code points; some of these take two UTF-16 units.
characters = st.text(alphabet="ab \n😀é", min_size=1, max_size=6)
documents = st.lists(st.lists(characters, max_size=5), min_size=1, max_size=4)


def partials(pages: list[list[str]], stream: Stream) -> list[ServerMessage]:
    """Return the partials of a reading in which each page grows by these pieces."""
    messages, before = [], []
    for number, pieces in enumerate(pages, start=1):
        text = ""
        for piece in ["", *pieces]:
            offset, text = len(text), text + piece
            if stream == "full":
                messages.append(partial_message("\n\n".join(filter(None, [*before, text])), page=None))
            elif stream == "pages":
                messages.append(partial_message(text, number))
            else:
                messages.append(partial_message(piece, number, offset=offset))
        before.append(text)
    return messages


@given(documents)
def test_live_text_is_equal_in_all_stream_modes(pages: list[list[str]]) -> None:
    texts_by_stream = []
    for stream in ("full", "pages", "delta"):
        live = LiveText()
        progress_events = [live.apply(message) for message in partials(pages, stream)]
        texts_by_stream.append([progress.text for progress in progress_events if progress])
    assert texts_by_stream[0] == texts_by_stream[1] == texts_by_stream[2]
    assert texts_by_stream[0][-1] == "\n\n".join(text for pieces in pages if (text := "".join(pieces)))


def test_live_text_of_a_finished_page_replaces_its_partial_text() -> None:
    live = LiveText()
    live.apply(partial_message("draft", 1))
    live.apply(partial_message("two", 2))
    progress = live.apply(partial_message("# Final", 1, done=True, page_count=2))
    assert progress is not None
    assert (progress.text, progress.page_text, progress.done) == ("# Final\n\ntwo", "# Final", True)


def test_delta_with_a_gap_requests_one_resync() -> None:
    synchronizer = EventSynchronizer("delta")
    synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message())
    synchronizer.receive(partial_message("one", 1, offset=0))
    assert synchronizer.receive(partial_message("far away", 1, offset=40)) == []
    assert synchronizer.receive(partial_message("farther", 1, offset=48)) == []
    [request] = synchronizer.pending_requests()
    assert (request["type"], request["instance_id"]) == ("resync", "u")
    [progress] = synchronizer.receive(partial_message("one, and far", 1, offset=0))
    assert isinstance(progress, Progress)
    assert progress.text == "one, and far"
    synchronizer.receive(partial_message("another gap", 1, offset=99))
    assert len(synchronizer.pending_requests()) == 1


def test_live_text_of_an_earlier_connection_is_discarded() -> None:
    synchronizer = EventSynchronizer("pages")
    synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message())
    synchronizer.receive(partial_message("of before", 2))
    synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message())
    [request] = synchronizer.pending_requests()
    assert request["type"] == "list"
    synchronizer.receive(partial_message("of now", 1))
    events = synchronizer.receive(ServerMessage(type="Upload.list", uploads=(), ref=request["ref"]))
    assert [event.text for event in events if isinstance(event, Progress)] == ["of now"]


def test_full_text_sent_before_the_subscription_is_ignored() -> None:
    synchronizer = EventSynchronizer("pages")
    synchronizer.subscribe_request()
    synchronizer.receive(partial_message("all of it", page=None))
    assert synchronizer.receive(subscribed_message()) == []
    assert synchronizer.receive(partial_message("all of it", page=None)) == []


def test_live_text_of_a_server_without_stream_modes_has_no_page() -> None:
    synchronizer = EventSynchronizer("pages")
    synchronizer.subscribe_request()
    synchronizer.receive(partial_message("so far", page=None))
    [progress] = synchronizer.receive(ServerMessage(message="subscribed"))
    assert isinstance(progress, Progress)
    assert (progress.page, progress.text) == (None, "so far")
