"""FrameParser: the same messages as wsproto, errors of RFC 6455, counted frames, and memory."""

from __future__ import annotations

import itertools
import os
import random

import pytest
import wsproto
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as WsprotoPing

from backend_main.backend.websocket_frames import (
    MIN_UNCOUNTED_FRAGMENT_BYTES,
    BinaryMessage,
    Close,
    FrameEncoder,
    FrameError,
    FrameParser,
    Ping,
    encode_close_frame,
    encode_pong_frame,
)
from backend_main.backend.websocket_frames import TextMessage as ParsedText
from tests.support.raw_websocket import CLOSE, CONTINUATION, PING, PONG, TEXT, client_frame

MAX_BYTES = 1_000_000
BINARY = 0x2


def parser(max_bytes: int = MAX_BYTES) -> FrameParser:
    return FrameParser(max_bytes, lambda: True)


def parse(data: bytes, cuts: list[int] | None = None) -> list[object]:
    """Return all events, and the code of the error that ended them."""
    frames, events = parser(), list[object]()
    positions = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts or [])})
    try:
        for start, end in itertools.pairwise(positions):
            frames.feed(data[start:end])
            while (event := frames.next_event()) is not None:
                events.append(event)
                if isinstance(event, Close):
                    return events
    except FrameError as error:
        events.append(error.code)
    return events


def parse_with_wsproto(data: bytes) -> list[object]:
    connection = wsproto.Connection(wsproto.ConnectionType.SERVER)
    connection.receive_data(data)
    events, text = list[object](), ""
    for event in connection.events():
        if isinstance(event, TextMessage):
            text += event.data
            if event.message_finished:
                events.append(ParsedText(text))
                text = ""
        elif isinstance(event, BytesMessage):
            events += [BinaryMessage()] if event.message_finished else []
        elif isinstance(event, WsprotoPing):
            events.append(Ping(bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            is_error = connection.state is wsproto.connection.ConnectionState.OPEN
            events.append(int(event.code) if is_error else Close(int(event.code), event.reason or ""))
    return events


def masked(frame: bytes, key: bytes) -> bytes:
    """Mask a frame that `client_frame` has masked by zeros."""
    head = {126: 4, 127: 10}.get(frame[1] & 0x7F, 2)
    payload = bytes(byte ^ key[at % 4] for at, byte in enumerate(frame[head + 4 :]))
    return frame[:head] + key + payload


PAYLOADS = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=12),
    st.sampled_from([b"", b"x" * 125, b"x" * 126, "é".encode() * 40_000]),
    st.sampled_from([b"\x03\xe8bye", b"\x03\xed", b"\x03"]),
)
FRAMES = st.builds(
    lambda opcode, payload, final, key: masked(client_frame(payload, opcode=opcode, is_final=final), key),
    st.sampled_from([CONTINUATION, CONTINUATION, TEXT, TEXT, BINARY, PING, PONG, CLOSE, 0x3, 0xB]),
    PAYLOADS,
    st.booleans(),
    st.binary(min_size=4, max_size=4),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 10**6), max_size=8))
def test_frames_in_any_pieces_give_the_events_of_wsproto(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    assert parse(data, cuts) == parse_with_wsproto(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_any_bytes_give_the_events_of_wsproto(data: bytes, cuts: list[int]) -> None:
    # One difference: wsproto accepts the length only when it has the mask; the parser refuses it at once.
    ours, theirs = parse(data, cuts), parse_with_wsproto(data)
    assert ours == theirs or ours[:-1] == theirs


def test_frame_with_a_byte_at_a_time_is_parsed() -> None:
    text = "é😀" * 100
    data = masked(client_frame(text.encode()[:301], is_final=False), os.urandom(4))
    data += masked(client_frame(text.encode()[301:], opcode=CONTINUATION), os.urandom(4))
    assert parse(data, list(range(len(data)))) == [ParsedText(text)]


@pytest.mark.parametrize(
    ("size_bytes", "size"), [(126, b"\x00\x7d"), (127, bytes(6) + b"\xff\xff"), (127, b"\x80" + bytes(7))]
)
def test_length_in_a_longer_form_or_out_of_range_is_a_protocol_error(size_bytes: int, size: bytes) -> None:
    assert parse(bytes([0x81, 0x80 | size_bytes]) + size + bytes(4)) == [1002]


def test_message_over_the_limit_is_refused_before_its_payload_arrives() -> None:
    frames = parser(max_bytes=100)
    frames.feed(client_frame(b"x" * 60, is_final=False))
    assert frames.next_event() is None
    frames.feed(client_frame(b"x" * 41, opcode=CONTINUATION)[:6])
    with pytest.raises(FrameError) as caught:
        frames.next_event()
    assert caught.value.code == 1009


def test_control_frames_and_small_fragments_are_counted_and_others_are_not() -> None:
    counted = 0

    def count_frame() -> bool:
        nonlocal counted
        counted += 1
        return True

    frames = FrameParser(MAX_BYTES, count_frame)
    big, small = b"x" * MIN_UNCOUNTED_FRAGMENT_BYTES, b"x" * (MIN_UNCOUNTED_FRAGMENT_BYTES - 1)
    for frame, expected in [
        (client_frame(b"whole"), 0),
        (client_frame(b""), 0),
        (client_frame(b"", opcode=PING), 1),
        (client_frame(b"", opcode=PONG), 1),
        (client_frame(big, is_final=False), 0),
        (client_frame(big, opcode=CONTINUATION, is_final=False), 0),
        (client_frame(small, opcode=CONTINUATION, is_final=False), 1),
        (client_frame(b"", opcode=CONTINUATION, is_final=False), 1),
        (client_frame(b"", opcode=CONTINUATION), 1),
        (client_frame(b"", is_final=False), 1),
    ]:
        counted = 0
        frames.feed(frame)
        while frames.next_event() is not None:
            pass
        assert counted == expected, frame[:8]


def test_refused_frame_closes_with_4429_before_later_frames_are_parsed() -> None:
    allowed = iter([True, True, False])
    frames = FrameParser(MAX_BYTES, lambda: next(allowed))
    frames.feed(client_frame(b"1", opcode=PING) * 1000)
    assert [frames.next_event(), frames.next_event()] == [Ping(b"1"), Ping(b"1")]
    with pytest.raises(FrameError) as caught:
        frames.next_event()
    assert caught.value.code == 4429


def test_held_bytes_counts_the_unfinished_text_and_clear_frees_it() -> None:
    frames = parser()
    frames.feed(client_frame(b"x" * 1000, is_final=False))
    assert (frames.next_event(), frames.held_bytes) == (None, 1000)
    frames.feed(client_frame("é".encode(), opcode=CONTINUATION, is_final=False))
    assert (frames.next_event(), frames.held_bytes) == (None, 4004)
    assert frames.is_unfinished
    frames.clear()
    assert (frames.held_bytes, frames.is_unfinished) == (0, False)


def test_binary_and_discarded_messages_hold_nothing() -> None:
    frames = parser()
    frames.feed(client_frame(b"x" * 1000, opcode=BINARY, is_final=False))
    assert (frames.next_event(), frames.held_bytes) == (None, 0)
    frames = parser()
    frames.discard_messages()
    frames.feed(client_frame(b"x" * 1000, is_final=False))
    assert (frames.next_event(), frames.held_bytes) == (None, 0)


def test_encoded_close_and_pong_frames_are_valid_for_a_client() -> None:
    client = wsproto.Connection(wsproto.ConnectionType.CLIENT)
    client.receive_data(encode_pong_frame(b"p") + encode_close_frame(4429, "é" * 100))
    pong, close = client.events()
    assert isinstance(pong, wsproto.events.Pong)
    assert bytes(pong.payload) == b"p"
    assert isinstance(close, CloseConnection)
    assert (int(close.code), close.reason) == (4429, "é" * 61)


def test_close_without_code_is_answered_without_code() -> None:
    assert FrameEncoder().send(CloseConnection(1005)) == b"\x88\x00"


def test_a_long_text_in_random_pieces_is_parsed() -> None:
    generator = random.Random(7)
    text = "".join(generator.choices("aé😀 ", k=50_000))
    data, at = b"", 0
    encoded = text.encode()
    while at < len(encoded):
        size = generator.randrange(1, 5_000)
        opcode = CONTINUATION if at else TEXT
        data += client_frame(encoded[at : at + size], opcode=opcode, is_final=at + size >= len(encoded))
        at += size
    assert parse(data, [generator.randrange(len(data)) for _ in range(40)]) == [ParsedText(text)]
