"""S26 — protected fields: what a client may not set is an error on that very field, and nothing changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend_main.core.errors import ProtocolError
from backend_main.core.models import Upload
from backend_main.core.protocol import parsing
from backend_main.core.protocol.messages import (
    REPLY_TYPES,
    REQUESTS,
    Create,
    Instance,
    Retry,
    Update,
)
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

ID = "6f1e1a52-7d0c-4f8e-9d5c-0a4f0f6f1b11"
OPEN = {"update": Update.data_fields, "create": Create.data_fields}
MODEL = sorted(
    {
        name
        for field in Upload._meta.get_fields()
        for name in (field.name, getattr(field, "attname", field.name))
    }
    | {"pk", "objects", "save", "delete", "correction", "__class__", "_state", "owner_id", "owner__password"}
)
SHOWN = sorted(Instance.__struct_fields__)
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.just([]) | st.just({})


def refusal(kind: str, data: dict[str, Any]) -> ProtocolError:
    with pytest.raises(ProtocolError) as raised:
        parsing.parse_request(json.dumps({"type": kind, "instance_id": ID, "data": data}))
    return raised.value


@pytest.mark.parametrize("kind", sorted(OPEN))
@pytest.mark.parametrize("name", sorted({*MODEL, *SHOWN}))
def test_s26_every_field_of_the_model_but_the_open_ones_is_an_error_on_itself(kind: str, name: str) -> None:
    if name in OPEN[kind]:
        return
    for value in ("processed", None, 1, {}, "x"):
        error = refusal(kind, {name: value})
        assert name in error.fields
        assert error.reply_type == REPLY_TYPES[REQUESTS[kind]]


def test_s26_what_is_open_is_what_the_protocol_says() -> None:
    assert Update.data_fields == {"filename", "processed_text", "metadata"}
    asked = {"engine", "languages", "pages", "profile", "priority"}
    assert Create.data_fields == {"image_base64", "image_path", "image_hash"} | asked
    assert Retry.data_fields == Retry.also_top_level == asked


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(OPEN)),
    data=st.dictionaries(st.sampled_from(MODEL) | st.text(max_size=12), VALUES, min_size=1, max_size=6),
)
def test_s26_any_data_with_an_unknown_field_is_refused_on_each_of_them(
    kind: str, data: dict[str, Any]
) -> None:
    unknown = data.keys() - OPEN[kind]
    text = json.dumps({"type": kind, "instance_id": ID, "data": data})
    fields: set[str] = set()
    try:
        parsing.parse_request(text)
    except ProtocolError as error:
        fields = set(error.fields)
    # A name that no JSON string may hold (NUL, half a surrogate pair) is an error of the whole message.
    assert unknown <= fields or fields == {"message"}


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(sorted(REQUESTS)),
    extra=st.dictionaries(st.sampled_from(MODEL) | st.text(max_size=12), VALUES, max_size=6),
)
def test_s26_fields_beside_data_are_never_taken_for_fields_of_the_upload(
    kind: str, extra: dict[str, Any]
) -> None:
    """An unknown key at the top is ignored; one that belongs into `data` is not heard there."""
    try:
        request = parsing.parse_request(json.dumps(extra | {"type": kind, "instance_id": ID, "ref": None}))
    except ProtocolError:
        return
    for name in type(request).data_fields - type(request).also_top_level:
        empty = next(f for f in request.__struct_fields__ if f == name)
        assert not isinstance(getattr(request, empty), str)


async def test_s26_the_row_is_unchanged_whatever_field_is_tried(server: Server, a_token: str) -> None:
    async with WebSocketClient(server.url(token=a_token)) as client:
        created = await client.create(scripted_png(lines=["x"]))
        key = created["instance"]["id"]
        await client.terminal_message(key)
        before = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        for name in sorted({*MODEL, *SHOWN} - OPEN["update"]):
            reply = await client.request(
                {"type": "update", "instance_id": key, "data": {name: "stolen", "filename": "changed.png"}}
            )
            assert reply.keys() == {"type", "error"}, name
            assert list(reply["error"]) == [name]
        after = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        assert after == before
        for name in sorted({*MODEL, *SHOWN} - {"image_path", "image_hash"}):
            reply = await client.request({"type": "create", "data": {name: "stolen"}})
            assert name in reply["error"], name
        listed = (await client.request({"type": "list"}))["list"]
        assert sum(instance["id"] == key for instance in listed) == 1
