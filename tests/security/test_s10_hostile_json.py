"""S10 - hostile JSON: every frame gets one error reply, and the socket stays open."""

from __future__ import annotations

import base64
import json
import random
import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend_main.core.errors import ProtocolError, RequestError
from backend_main.core.protocol import parsing
from backend_main.core.protocol.messages import REQUESTS, Create, Request
from backend_main.core.uploads import ingest
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

ID = str(uuid.UUID(int=7))
FIELDS = sorted({name for kind in REQUESTS.values() for name in kind.__struct_fields__} | {"type", "data"})
VALID: list[dict[str, Any]] = [
    {"type": "subscribe", "ref": "r"},
    {"type": "create", "data": {"image_base64": "QUFB", "image_path": "a.png", "image_hash": "0" * 64}},
    {"type": "list", "status": "error", "search": "x", "limit": 5, "cursor": "abc"},
    {"type": "retrieve", "instance_id": ID},
    {
        "type": "update",
        "instance_id": ID,
        "data": {"filename": "a", "processed_text": None, "metadata": {"a": 1}},
    },
    {"type": "delete", "instance_id": ID, "ref": "r"},
]
DEEP = 100_000
PLACEHOLDERS = {
    "$ID": ID,
    "$DEEP": '{"a":' * 40 + "1" + "}" * 40,
    "$CURSOR": base64.urlsafe_b64encode(f"9999-12-31T23:59:59-23:59 {ID}".encode()).decode(),
}
HOSTILE = {
    "empty": "",
    "space": "   ",
    "not json": "hello",
    "half an object": '{"type": "list"',
    "two objects": '{"type": "list"}{"type": "list"}',
    "trailing comma": '{"type": "list",}',
    "single quotes": "{'type': 'list'}",
    "comment": '{"type": "list"} // x',
    "byte order mark": '\ufeff{"type": "list"}',
    "array": "[]",
    "string": '"list"',
    "number": "1",
    "null": "null",
    "true": "true",
    "no type": "{}",
    "type null": '{"type": null}',
    "type number": '{"type": 1}',
    "type list": '{"type": ["list"]}',
    "type object": '{"type": {"a": 1}}',
    "type unknown": '{"type": "drop"}',
    "type of python": '{"type": "__class__"}',
    "type in capitals": '{"type": "LIST"}',
    "type twice": '{"type": "list", "type": "list"}',
    "data twice": '{"type": "create", "data": {}, "data": {}}',
    "field twice": '{"type": "create", "data": {"image_hash": "a", "image_hash": "b"}}',
    "field twice, once escaped": '{"type": "create", "data": {"image_hash": "a", "image\\u005fhash": "b"}}',
    "deep arrays": "[" * DEEP,
    "deep arrays, closed": "[" * DEEP + "]" * DEEP,
    "deep objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "deep metadata": '{"type": "update", "instance_id": "$ID", "data": {"metadata": $DEEP}}',
    "NaN": '{"type": "list", "limit": NaN}',
    "Infinity": '{"type": "list", "limit": -Infinity}',
    "huge number": '{"type": "list", "limit": 1' + "0" * 5000 + "}",
    "huge exponent": '{"type": "list", "limit": 1e999999}',
    "small exponent": '{"type": "list", "limit": 1e-999999}',
    "a number below all": '{"type": "list", "limit": -9223372036854775809}',
    "limit zero": '{"type": "list", "limit": 0}',
    "limit true": '{"type": "list", "limit": true}',
    "limit half": '{"type": "list", "limit": 1.5}',
    "limit text": '{"type": "list", "limit": "5"}',
    "lone surrogate": '{"type": "list", "search": "\\ud800"}',
    "lone low surrogate": '{"type": "list", "search": "\\udc00x"}',
    "lone surrogate as key": '{"type": "list", "\\ud800": 1}',
    "lone surrogate as type": '{"type": "\\ud800"}',
    "lone surrogate as ref": '{"type": "list", "ref": "\\ud800"}',
    "NUL": '{"type": "list", "search": "a\\u0000b"}',
    "NUL as key": '{"type": "update", "instance_id": "$ID", "data": {"metadata": {"\\u0000": 1}}}',
    "control character": '{"type": "list", "search": "a\x01b"}',
    "bad escape": '{"type": "list", "search": "\\x"}',
    "ref too long": json.dumps({"type": "list", "ref": "x" * 65}),
    "ref number": '{"type": "list", "ref": 5}',
    "data list": '{"type": "create", "data": []}',
    "data text": '{"type": "create", "data": "x"}',
    "no data": '{"type": "create"}',
    "data null": '{"type": "create", "data": null}',
    "base64 object": '{"type": "create", "data": {"image_base64": {"a": 1}}}',
    "base64 list": '{"type": "create", "data": {"image_base64": ["QUFB"]}}',
    "base64 number": '{"type": "create", "data": {"image_base64": 5}}',
    "base64 broken": '{"type": "create", "data": {"image_base64": "not base64!"}}',
    "base64 broken and long": json.dumps({"type": "create", "data": {"image_base64": "!" * 300_000}}),
    "base64 beside data": '{"type": "create", "image_base64": "QUFB"}',
    "no id": '{"type": "retrieve"}',
    "id null": '{"type": "retrieve", "instance_id": null}',
    "id number": '{"type": "retrieve", "instance_id": 5}',
    "id no uuid": '{"type": "delete", "instance_id": "../../etc/passwd"}',
    "id too long": json.dumps({"type": "delete", "instance_id": ID + "0" * 10_000}),
    "id with braces": '{"type": "delete", "instance_id": "{$ID}"}',
    "id unknown": '{"type": "delete", "instance_id": "$ID"}',
    "metadata list": '{"type": "update", "instance_id": "$ID", "data": {"metadata": []}}',
    "metadata large": json.dumps(
        {"type": "update", "instance_id": ID, "data": {"metadata": {"a": "x" * 17_000}}}
    ),
    "name with a slash": '{"type": "update", "instance_id": "$ID", "data": {"filename": "a/b"}}',
    "name empty": '{"type": "update", "instance_id": "$ID", "data": {"filename": ""}}',
    "name null": '{"type": "update", "instance_id": "$ID", "data": {"filename": null}}',
    "cursor broken": '{"type": "list", "cursor": "\\u00e9"}',
    "cursor of no calendar": '{"type": "list", "cursor": "$CURSOR"}',
    "status unknown": '{"type": "list", "status": "done"}',
    "a million keys": "{" + ",".join(f'"{n}":0' for n in range(100_000)) + "}",
}

for _name in HOSTILE:
    for _placeholder, _text in PLACEHOLDERS.items():
        HOSTILE[_name] = HOSTILE[_name].replace(_placeholder, _text)

# ── parsing raises only ProtocolError ──

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["\ud800", "\x00", ID, "create", "list", "x" * 300])
)
JSON = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), below, max_size=5)
    ),
    max_leaves=8,
)


def outcome(frame: str) -> Request | dict[str, str]:
    """Return the request or the errors; any other exception fails the test."""
    try:
        return parsing.parse_request(frame)
    except ProtocolError as error:
        failure = error
    assert failure.fields
    assert all(isinstance(text, str) and text for text in failure.fields.values())
    assert failure.ref is None or len(failure.ref) <= 64
    return failure.fields


def dumped(value: object, ascii_only: bool = True) -> str:
    return json.dumps(value, ensure_ascii=ascii_only)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_s10_any_text_parses_or_raises_protocol_error(text: str) -> None:
    outcome(text)


@settings(max_examples=300, deadline=None)
@given(value=JSON, ascii_only=st.booleans())
def test_s10_any_json_parses_or_raises_protocol_error(value: object, ascii_only: bool) -> None:
    outcome(dumped(value, ascii_only))


@settings(max_examples=200, deadline=None)
@given(
    message=st.sampled_from(VALID),
    changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3),
    inside=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON, max_size=3),
)
def test_s10_message_with_changed_fields_parses_or_raises_protocol_error(
    message: dict[str, Any], changes: dict[str, Any], inside: dict[str, Any]
) -> None:
    changed = message | changes
    if isinstance(changed.get("data"), dict):
        changed["data"] = changed["data"] | inside
    outcome(dumped(changed))


@settings(max_examples=400, deadline=None)
@given(
    message=st.sampled_from(VALID), at=st.integers(0, 200), cut=st.integers(0, 12), junk=st.text(max_size=6)
)
def test_s10_message_with_changed_characters_parses_or_raises_protocol_error(
    message: dict[str, Any], at: int, cut: int, junk: str
) -> None:
    text = dumped(message)
    outcome(text[:at] + junk + text[at + cut :])


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_s10_hostile_frame_parses_or_raises_protocol_error(name: str) -> None:
    outcome(HOSTILE[name])


@pytest.mark.parametrize(("inner", "outer"), [('{"a":', "}"), ("[", "]")], ids=["objects", "arrays"])
def test_s10_nesting_beyond_the_maximum_depth_is_an_error(inner: str, outer: str) -> None:
    def message(depth: int) -> str:
        metadata = '{"a":' + inner * depth + "1" + outer * depth + "}"
        return f'{{"type": "update", "instance_id": "{ID}", "data": {{"metadata": {metadata}}}}}'

    assert isinstance(outcome(message(parsing.MAX_DEPTH - 3)), Request)
    assert isinstance(outcome(message(parsing.MAX_DEPTH - 2)), dict)


@pytest.mark.parametrize("message", VALID, ids=lambda message: message["type"])
def test_s10_unchanged_message_is_valid(message: dict[str, Any]) -> None:
    assert isinstance(outcome(dumped(message)), Request)


# ── the fast path and the plain path agree ──


class CreateFrames:
    """A generator of `create` frames with base64 in any place: twice, beside `data`, below it, escaped."""

    VALUES = ("null", "1", "[]", '""', '"image_base64"', '"\\"image_base64\\":\\"QQ\\""', '["image_base64"]')

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def frame(self) -> str:
        members = [self._member("type", '"create"'), *self._some(self._outer)]
        self._random.shuffle(members)
        frame = "{" + ",".join(members) + "}"
        if self._random.random() < 0.1:
            at = self._random.randrange(len(frame))
            frame = frame[:at] + self._random.choice(['"', "\\", "}", ",", ":", " ", "x"]) + frame[at:]
        return frame

    def _outer(self) -> str:
        match self._random.randrange(4):
            case 0 | 1:
                return self._member("data", "{" + ",".join(self._some(self._inner)) + "}")
            case 2:
                return self._member("ref", self._value())
            case _:
                return self._member(self._random.choice(["image_base64", "x"]), self._value())

    def _inner(self) -> str:
        if self._random.random() < 0.6:
            return self._member("image_base64", self._text())
        return self._member(self._random.choice(["image_path", "image_hash", "x", "data"]), self._value())

    def _value(self) -> str:
        match self._random.randrange(3):
            case 0:
                return self._random.choice(self.VALUES)
            case 1:
                return self._text()
            case _:
                return "{" + self._member("image_base64", self._text()) + "}"

    def _member(self, name: str, value: str) -> str:
        return f"{self._space()}{self._encoded(name)}{self._space()}:{self._space()}{value}{self._space()}"

    def _text(self) -> str:
        alphabet = "ABab01+/==" if self._random.random() < 0.8 else 'A/"\\{}:,é発😀'
        return self._encoded("".join(self._random.choices(alphabet, k=self._random.randrange(9))))

    def _encoded(self, text: str) -> str:
        """Encode the text as JSON in one of the possible notations."""
        plain = json.dumps(text, ensure_ascii=False)
        match self._random.randrange(6):
            case 0:
                return json.dumps(text).replace("/", "\\/")
            case 1:
                units = text.encode("utf-16-be")
                return (
                    '"'
                    + "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
                    + '"'
                )
            case 2:
                return plain.replace("_", "\\u005f")
            case _:
                return plain

    def _space(self) -> str:
        return "".join(self._random.choices(" \t\r\n", k=self._random.choice([0, 0, 0, 1, 2, 9])))

    def _some(self, make: Callable[[], str]) -> list[str]:
        return [make() for _ in range(self._random.randrange(4))]


def comparable_outcome(frame: str) -> Request | tuple[str, str | None, dict[str, str]]:
    """Return the request, or the error without its position, which differs on the fast path."""
    try:
        request = parsing.parse_request(frame)
        if isinstance(request, Create) and request.image_base64 is not None:
            return msgspec.structs.replace(request, image_base64=str(request.image_base64))
        return request
    except ProtocolError as error:
        fields = {name: re.sub(r": .*", "", text) for name, text in error.fields.items()}
        return error.reply_type, error.ref, fields


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 2**64).map(lambda seed: CreateFrames(seed).frame()))
@example('{"type":"create","data":{"image_base64":"QUFB"}}')
@example('{"type":"create","data":{"image_base64" \n: \t"QUFB"},"ref":"a"}')
@example('{"type":"create","data":{"image_base64":"QU\\/B"}}')
@example('{"type":"create","data":{"image_base64":"QUFB","image_base64":"QUFC"}}')
@example('{"type":"create","data":{"image_base64":"QUFB","image\\u005fbase64":"QUFC"}}')
@example('{"type":"create","image_base64":"QUFB","data":{"image_hash":"x"}}')
@example('{"type":"create","image_base64":"QUFB","data":{"image\\u005fbase64":""}}')
@example('{"type":"create","ref":"\\"image_base64\\":\\"","data":{"image_base64":"QUFB"}}')
@example('{"type":"create","data":{"x":{"image_base64":"QUFB"},"image\\u005fbase64":""}}')
@example('{"type":"create","data":{"image_base64":"')
@example('{"type":"create","data":{"image_base64":"QUFB')
@example('{"type":"create","data":{"image_base64":}}')
@example('{"type":"create","data":{"image_base64":null,"image_hash":"QUFB"}}')
@example('{"type":"create","data":{"image_path":"image_base64","image_hash":"QUFB"}}')
def test_s10_large_frame_on_the_fast_path_parses_like_a_small_one(frame: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "MIN_LONG_STRING_CHARACTERS", 10**9)
        expected = comparable_outcome(frame)
        patch.setattr(parsing, "MIN_LONG_STRING_CHARACTERS", 0)
        assert comparable_outcome(frame) == expected


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x00", "\x1f"])
def test_s10_raw_control_character_in_base64_is_rejected_on_both_paths(
    character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON forbids it. The parser rejects white space; `ingest` rejects the rest as invalid base64."""
    frame = f'{{"type":"create","data":{{"image_base64":"QU{character}FB"}}}}'
    assert isinstance(outcome(frame), dict)
    monkeypatch.setattr(parsing, "MIN_LONG_STRING_CHARACTERS", 0)
    request = outcome(frame)
    assert isinstance(request, dict) or character not in "\n\r\t"
    if isinstance(request, Create):
        assert request.image_base64
        with pytest.raises(RequestError), ingest.from_base64(request.image_base64):
            pass


def test_s10_large_frame_uses_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the property above would compare the plain path with itself."""
    parsed: list[int] = []
    parse = parsing._parse_json
    monkeypatch.setattr(parsing, "_parse_json", lambda text: parsed.append(len(text)) or parse(text))
    request = parsing.parse_request(
        json.dumps({"type": "create", "data": {"image_base64": "QUFB" * 100_000}})
    )
    assert isinstance(request, Create)
    assert str(request.image_base64) == "QUFB" * 100_000
    assert max(parsed) < 100


# ── over the socket ──


async def test_s10_socket_with_hostile_frames_gets_one_error_each_and_stays_open(
    server: Server, a_token: str
) -> None:
    async with WebSocketClient(server.url(token=a_token)) as client:
        for name, frame in HOSTILE.items():
            await client.send_text(frame)
            reply = await client.receive()
            assert "error" in reply, name
            assert reply.keys() <= {"type", "error", "ref"}, name
            assert all(isinstance(text, str) for text in reply["error"].values()), name
            assert "server" not in reply["error"], name
            await client.send({"type": "subscribe", "ref": "next"})
            assert (await client.receive())["ref"] == "next", f"one reply to {name}"
        for data in (b"", b"\x00\xff", b'{"type": "list"}'):
            await client.socket.send(data)
            assert (await client.receive())["type"] == "error"
        assert (await client.request({"type": "subscribe"}))["message"] == "subscribed"
    assert server.unexpected_tracebacks == []
