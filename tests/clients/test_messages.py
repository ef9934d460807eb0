"""Decoding of server messages: the client reads what the server encodes, and rejects the rest."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from contextlib import suppress
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Created, Deleted, Finished, UnexpectedResponse, Updated
from scanrill_client.events import event_from_message
from scanrill_client.messages import ServerMessage, decode

from backend_main.core.protocol import messages as protocol

KEY = uuid.uuid4()
NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
texts = st.text(max_size=40)
instances = st.builds(
    protocol.Instance,
    id=st.uuids(),
    owner=texts,
    filename=texts,
    image_path=texts,
    image_hash=texts,
    content_type=texts,
    bytes=st.integers(0, 2**40),
    status=st.sampled_from(["pending", "processing", "processed", "error", "cancelled"]),
    error=st.none() | texts,
    page_count=st.none() | st.integers(0, 5000),
    pages_done=st.integers(0, 5000),
    engine=texts,
    languages=st.lists(texts, max_size=2),
    metadata=st.dictionaries(texts, texts, max_size=2),
    warnings=st.lists(texts, max_size=2),
    created_at=st.just(NOW),
    updated_at=st.just(NOW),
    raw_text=st.just(msgspec.UNSET) | texts,
    processed_text=st.just(msgspec.UNSET) | texts,
)


OPTIONAL_FIELDS = ("raw_text", "processed_text", "page_warnings")


def round_trip(message: protocol.AnyMessage) -> ServerMessage:
    return decode(protocol.encode(message).encode())


@given(instances)
def test_decoded_instance_equals_the_server_instance(sent: protocol.Instance) -> None:
    got = round_trip(protocol.UploadMessage(type="Upload.updated", instance=sent)).instance
    assert got is not None
    missing = {name: None for name in OPTIONAL_FIELDS if getattr(sent, name) is msgspec.UNSET}
    assert json.loads(msgspec.json.encode(got)) == missing | json.loads(msgspec.json.encode(sent))


@given(instances)
def test_event_from_message_of_each_change(sent: protocol.Instance) -> None:
    kinds = {"created": Created, "updated": Updated, "deleted": Deleted}
    for name, kind in kinds.items():
        event = event_from_message(round_trip(protocol.UploadMessage(type=f"Upload.{name}", instance=sent)))
        assert isinstance(event, kind)
        assert event.upload_id == str(sent.id)
    status = round_trip(protocol.UploadMessage(type="Upload.status", instance=sent))
    assert event_from_message(status) is None, "the live text or the end of the reading tells the same"


def test_event_from_message_of_each_terminal_status() -> None:
    processed = event_from_message(round_trip(protocol.Processed(id=KEY, raw_text="a", processed_text="b")))
    assert processed == Finished(id=str(KEY), status="processed", raw_text="a", processed_text="b")
    for status in ("error", "cancelled"):
        failed = event_from_message(round_trip(protocol.Failed(id=KEY, status=status, error="Broken.")))
        assert failed == Finished(id=str(KEY), status=status, error="Broken.")


def test_event_from_message_of_other_messages_is_none() -> None:
    rejection = round_trip(protocol.error({"instance_id": "No."}, reply_type="Upload.status", ref="1"))
    assert (rejection.error_fields, rejection.ref) == ({"instance_id": "No."}, "1")
    messages = [
        rejection,
        round_trip(protocol.Subscribed(instance_id=None)),
        round_trip(protocol.ListMessage(list=[])),
        round_trip(protocol.Pong()),
        round_trip(protocol.Partial(id=KEY, streamed_text="a")),
        decode(b'{"type": "Upload.moved", "id": "x", "status": "archived"}'),
    ]
    assert [event_from_message(message) for message in messages] == [None] * len(messages)


@given(texts, st.integers(1, 9), st.booleans())
def test_decoded_partial_has_page_offset_and_line_position(text: str, page: int, done: bool) -> None:
    done_field: Literal[True] | msgspec.UnsetType = True if done else msgspec.UNSET
    position = protocol.LinePosition(box=((0, 0), (8, 0), (8, 16), (0, 16)), width=8, height=16)
    sent = protocol.DeltaPartial(
        id=KEY, page=page, page_count=9, streamed_text=text, line=position, offset=3, done=done_field
    )
    got = round_trip(sent)
    assert (got.page, got.page_count, got.offset, got.streamed_text, got.done) == (page, 9, 3, text, done)
    assert got.line is not None
    assert (got.line.box[2], got.line.width) == ((8, 16), 8)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)
FIELDS = ServerMessage.__struct_encode_fields__


@given(st.binary() | st.dictionaries(st.sampled_from(FIELDS), anything).map(lambda m: json.dumps(m).encode()))
def test_decode_returns_a_message_or_raises_unexpected_response(frame: bytes) -> None:
    with suppress(UnexpectedResponse):
        assert isinstance(decode(frame), ServerMessage)


@pytest.mark.parametrize("frame", [b'{"type": "\xff"}', b"", b"[1]", b'{"page": 1e400}', b"[" * 100_000])
def test_decode_invalid_frame_raises_unexpected_response(frame: bytes) -> None:
    with pytest.raises(UnexpectedResponse):
        decode(frame)


def test_decode_ignores_unknown_fields() -> None:
    assert decode(b'{"type": "pong", "unknown": {"a": 1}}') == ServerMessage(type="pong")


def test_decode_error_does_not_quote_the_frame() -> None:
    with pytest.raises(UnexpectedResponse) as raised:
        decode(b'{"type": 7, "raw_text": "private"}')
    assert "private" not in str(raised.value)
    assert raised.value.__cause__ is None
