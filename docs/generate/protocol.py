"""Generator of the WebSocket reference from `core/protocol/`, with examples from the transcripts.

Meanings of requests, messages and fields are in `descriptions.py`.
"""

from __future__ import annotations

import datetime as dt
import json
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec

from backend_main.core.protocol import messages as protocol
from backend_main.core.protocol import pages, parsing, readings
from backend_main.reading.types import Block, TableCell, Word

from . import descriptions, transcripts
from .markdown import code, joined, json_block, page, table, type_hints

HEAD = (Path(__file__).with_name("websocket.md")).read_text()
PLAIN = {
    str: "string",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dt.datetime: "string, a time in UTC",
    UUID: "string, a UUID",
    type(None): "null",
    Any: "anything",
}


def page_of_protocol() -> str:
    return page(
        "WebSocket API",
        "Every request and every message, with its fields and an example.",
        HEAD,
        "## Requests",
        *(_request(name, kind) for name, kind in protocol.REQUESTS.items()),
        "## Messages",
        "Messages from the server: replies, events, live text. `ref` is present if the request had one. "
        "After a `subscribe` with `stream` or `since`, each event also has a `cursor`.",
        *(_message(kind) for kind in messages()),
        "## Parts of messages",
        *(_message(kind) for kind in parts()),
    )


def messages() -> list[type[msgspec.Struct]]:
    """Return the types that are sent as messages of their own."""
    return [kind for kind in _structs() if "Message" in _family(kind) or "type" in kind.__struct_fields__]


def parts() -> list[type[msgspec.Struct]]:
    """Return the types inside messages, and of responses of the REST API."""
    return [kind for kind in _structs() if kind not in messages() and "Request" not in _family(kind)]


def request_fields(kind: type[protocol.Request]) -> list[tuple[str, str, str, str, str]]:
    """Return name, place, whether it is required, meaning and error message of each field."""
    return [
        (
            code(field.name),
            "in `data`" if field.name in kind.data_fields else "beside `type`",
            "yes" if field.required else "",
            meaning(kind, field.name),
            parsing.FIELD_HELP.get(field.name, "A string is expected."),
        )
        for field in msgspec.structs.fields(kind)
    ]


def field_rows(kind: type[msgspec.Struct]) -> list[tuple[str, str, str]]:
    """Return name, JSON type and meaning of each field of a message type."""
    hints = type_hints(kind)
    return [(code(name), json_type(hints[name]), meaning(kind, name)) for name in hints]


def meaning(kind: type[msgspec.Struct], field: str) -> str:
    """Return the meaning of a field: for this type, for one that it inherits from, or for all types."""
    names = [f"{one.__name__}.{field}" for one in kind.__mro__]
    return next((descriptions.FIELDS[name] for name in [*names, field] if name in descriptions.FIELDS), "")


def json_type(hint: Any) -> str:
    """Describe the JSON of a type."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return json_type(inner[0])
    if origin is Literal:
        return " or ".join(code(json.dumps(value)) for value in inner)
    if origin in (Union, types.UnionType):
        options = [json_type(one) for one in inner if one is not msgspec.UnsetType]
        return " or ".join(options) + ("; optional" if msgspec.UnsetType in inner else "")
    if origin is list or (origin is tuple and inner[-1] is Ellipsis):
        return f"array; each {json_type(inner[0])}"
    if origin is tuple:
        return f"array of {len(inner)}; each {json_type(inner[0])}"
    if origin is dict:
        return "object" if inner[1] is Any else f"object; each value {json_type(inner[1])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[`{hint.__name__}`](#{hint.__name__.lower()})"
    return PLAIN.get(hint, "anything")


def _request(name: str, kind: type[protocol.Request]) -> str:
    fields = table(("field", "where", "required", "meaning", "error if it is wrong"), request_fields(kind))
    about = descriptions.REQUESTS.get(name, "")
    heading = f"### {name} {{ #request-{name} }}"
    return joined(
        heading, about, fields, f"Type of the reply, and of an error: {_reply(kind)}.", _exchange(name)
    ).strip()


def _reply(kind: type[protocol.Request]) -> str:
    return code(protocol.REPLY_TYPES[kind]) if kind in protocol.REPLY_TYPES else "none"


def _exchange(name: str) -> str:
    sent, answered = transcripts.exchange(name)
    if sent is None:
        return ""
    reply = json_block(answered, "reply") if answered else ""
    return joined(json_block(sent, "request"), reply)


def _message(kind: type[msgspec.Struct]) -> str:
    about = descriptions.MESSAGES.get(kind.__name__, "")
    example = example_of(kind)
    return joined(
        f"### {kind.__name__} {{ #{kind.__name__.lower()} }}",
        about,
        table(("key", "value", "meaning"), field_rows(kind)),
        json_block(example) if example is not None else "",
    ).strip()


def example_of(kind: type[msgspec.Struct]) -> Any:
    """Return an example of a message or part: from the transcripts, or from the examples of REST; or None."""
    from .rest_examples import EXAMPLES, PARTS

    rest = (example.response for example in EXAMPLES.values() if example.kind is kind)
    parts = (
        example.objects(key)[0]
        for example in EXAMPLES.values()
        for key, part in example.nested.items()
        if part is kind
    )
    return transcripts.first_message(kind) or next(rest, None) or next(parts, None) or PARTS.get(kind)


def _structs() -> list[type[msgspec.Struct]]:
    """Return the protocol's types without the two base classes."""
    bases = (protocol.Message, protocol.Request)
    parts: list[type[msgspec.Struct]] = [Word, Block, TableCell]
    return parts + [
        kind
        for module in (protocol, pages, readings)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
        if kind not in bases
    ]


def _family(kind: type) -> set[str]:
    return {base.__name__ for base in kind.__mro__}
