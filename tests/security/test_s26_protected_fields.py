"""S26 - a request sets a protected field: it gets an error on that field and changes nothing."""

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
SETTABLE = {"update": Update.data_fields, "create": Create.data_fields}
MODEL_FIELDS = sorted(
    {
        name
        for field in Upload._meta.get_fields()
        for name in (field.name, getattr(field, "attname", field.name))
    }
    | {"pk", "objects", "save", "delete", "correction", "__class__", "_state", "owner_id", "owner__password"}
)
INSTANCE_FIELDS = sorted(Instance.__struct_fields__)
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.just([]) | st.just({})


def protocol_error(kind: str, data: dict[str, Any]) -> ProtocolError:
    with pytest.raises(ProtocolError) as raised:
        parsing.parse_request(json.dumps({"type": kind, "instance_id": ID, "data": data}))
    return raised.value


@pytest.mark.parametrize("kind", sorted(SETTABLE))
@pytest.mark.parametrize("name", sorted({*MODEL_FIELDS, *INSTANCE_FIELDS}))
def test_s26_protected_field_is_an_error_on_that_field(kind: str, name: str) -> None:
    if name in SETTABLE[kind]:
        return
    for value in ("processed", None, 1, {}, "x"):
        error = protocol_error(kind, {name: value})
        assert name in error.fields
        assert error.reply_type == REPLY_TYPES[REQUESTS[kind]]


def test_s26_settable_fields_are_those_of_the_protocol() -> None:
    assert Update.data_fields == {"filename", "processed_text", "metadata"}
    options = {"engine", "languages", "pages", "profile", "furniture", "formulas", "barcodes", "priority"}
    about = {"filename", "metadata", "on_duplicate"}
    assert Create.data_fields == {"image_base64", "image_path", "image_hash"} | about | options
    assert Retry.data_fields == Retry.also_top_level == options


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(SETTABLE)),
    data=st.dictionaries(
        st.sampled_from(MODEL_FIELDS) | st.text(max_size=12), VALUES, min_size=1, max_size=6
    ),
)
def test_s26_unknown_fields_in_data_are_errors_on_each_of_them(kind: str, data: dict[str, Any]) -> None:
    unknown = data.keys() - SETTABLE[kind]
    text = json.dumps({"type": kind, "instance_id": ID, "data": data})
    fields: set[str] = set()
    try:
        parsing.parse_request(text)
    except ProtocolError as error:
        fields = set(error.fields)
    # A name that JSON cannot hold (NUL, a lone surrogate) is an error of the whole message.
    assert unknown <= fields or fields == {"message"}


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(sorted(REQUESTS)),
    extra=st.dictionaries(st.sampled_from(MODEL_FIELDS) | st.text(max_size=12), VALUES, max_size=6),
)
def test_s26_fields_beside_data_are_not_upload_fields(kind: str, extra: dict[str, Any]) -> None:
    """An unknown top-level key is ignored, also one that belongs into `data`."""
    try:
        request = parsing.parse_request(json.dumps(extra | {"type": kind, "instance_id": ID, "ref": None}))
    except ProtocolError:
        return
    for name in type(request).data_fields - type(request).also_top_level:
        empty = next(f for f in request.__struct_fields__ if f == name)
        assert not isinstance(getattr(request, empty), str)


async def test_s26_update_with_protected_field_changes_no_row(server: Server, a_token: str) -> None:
    async with WebSocketClient(server.url(token=a_token)) as client:
        created = await client.create(scripted_png(lines=["x"]))
        key = created["instance"]["id"]
        await client.terminal_message(key)
        before = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        for name in sorted({*MODEL_FIELDS, *INSTANCE_FIELDS} - SETTABLE["update"]):
            reply = await client.request(
                {"type": "update", "instance_id": key, "data": {name: "stolen", "filename": "changed.png"}}
            )
            assert reply.keys() == {"type", "error"}, name
            assert list(reply["error"]) == [name]
        after = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
        assert after == before
        for name in sorted({*MODEL_FIELDS, *INSTANCE_FIELDS} - {"image_path", "image_hash", "filename"}):
            reply = await client.request({"type": "create", "data": {name: "stolen"}})
            assert name in reply["error"], name
        listed = (await client.request({"type": "list"}))["list"]
        assert sum(instance["id"] == key for instance in listed) == 1
