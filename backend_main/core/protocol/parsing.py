"""Step 4 — one text frame → one `Request`; pure. `ProtocolError` is the only exception that leaves here.

A `create` may carry hundreds of megabytes of base64. Its text is cut out of the frame before the JSON around
it is parsed, and cut again, undecoded, by `intake`: the parser never copies it. Whatever looks unusual
(escapes or white space inside the base64, the key elsewhere) is parsed whole instead, which is slower and
gives the same result.
"""

from __future__ import annotations

import json
import math
import secrets
from functools import cache
from typing import Any, NoReturn, TypeVar

import msgspec

from ..errors import ProtocolError
from .messages import (
    REPLY_TYPES,
    REQUESTS,
    Base64Text,
    Request,
    Update,
)

MAX_DEPTH = 32
MAX_METADATA_BYTES = 16 * 1024
MAX_CORRECTION_CHARACTERS = 16 * 1024 * 1024
# Below this a second pass over the frame costs more than the copy that it avoids.
BASE64_FAST_PATH_MIN_CHARACTERS = 64 * 1024
# A search goes through this much while it holds the interpreter, in a fraction of a millisecond.
SEARCH_CHUNK_CHARACTERS = 4 * 1024 * 1024
R = TypeVar("R", bound=Request)
_KEY = '"image_base64"'

# What a field must be, said to a person. A field that is missing here takes any string.
FIELD_HELP = {
    "ref": "A string of at most 64 characters is expected.",
    "instance_id": "The id of an upload is expected, a UUID as a string.",
    "image_base64": "A string of base64 is expected.",
    "status": "One of pending, processing, processed, error, cancelled is expected.",
    "since": "The cursor of an event is expected, a string, or null.",
    "token": "An access token is expected, a string.",
    "stream": "One of full, pages, delta is expected.",
    "search": "A string of at most 200 characters is expected.",
    "engine": "The name of an engine is expected, a string.",
    "languages": 'At most 10 languages are expected, as in ["de", "en"].',
    "pages": "Pages are expected as a string, as in “3”, “2-5” or “1-3,7,9-”.",
    "profile": "The name of one of the engine's profiles is expected, a string.",
    "limit": "A whole number from 1 to 10000 is expected.",
    "filename": "A file name of 1 to 255 characters is expected, without slashes and control characters.",
    "processed_text": "A string of at most 16777216 characters is expected, or null for no correction.",
    "metadata": "A JSON object of at most 16 KiB is expected.",
}


def parse_request(frame: str) -> Request:
    """The request that a text frame holds.

    Raises:
        ProtocolError: with the reply's type and an error for each field that is wrong.
    """
    envelope = _parse(frame)
    kind = envelope.get("type")
    if not isinstance(kind, str) or kind not in REQUESTS:
        raise ProtocolError({"type": f"One of {', '.join(REQUESTS)} is expected."}, ref=_valid_ref(envelope))
    return build_request(REQUESTS[kind], envelope)


def build_request(kind: type[R], envelope: dict[str, Any]) -> R:
    """A request of this kind from its JSON, or from the parts of an HTTP request. Raises `ProtocolError`."""
    given, errors = _data(kind, envelope)
    given |= {name: envelope[name] for name in _outer_fields(kind) if name in envelope}
    values: dict[str, Any] = {}
    for field in _fields(kind):
        if field.name in given and not (given[field.name] is None and _null_is_absent(kind, field.name)):
            try:
                values[field.name] = _checked(field, given[field.name])
            except (msgspec.ValidationError, ValueError):
                errors[field.name] = FIELD_HELP.get(field.name, "A string is expected.")
        elif field.required:
            errors[field.name] = "This field is required."
    if errors:
        raise ProtocolError(errors, reply_type=REPLY_TYPES[kind], ref=_valid_ref(envelope))
    return kind(**values)


def json_object(text: str) -> dict[str, Any]:
    """The object that the body of an HTTP request holds, by the rules of a frame. Raises `ProtocolError`."""
    return _parse_json(text)


def _data(kind: type[Request], envelope: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields inside `data`, and an error for each that has no business there."""
    data = envelope.get("data")
    if data is None:
        return {}, {}
    if not isinstance(data, dict):
        return {}, {"data": "An object is expected."}
    known = {name: data[name] for name in data if name in kind.data_fields}
    return known, {name: "This field cannot be set here." for name in data if name not in known}


@cache
def _fields(kind: type[Request]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """msgspec reads the annotations anew each time, and that takes longer than all else about a message."""
    return msgspec.structs.fields(kind)


def _outer_fields(kind: type[Request]) -> list[str]:
    inside = kind.data_fields - kind.also_top_level
    return [name for name in kind.__struct_fields__ if name not in inside]


def _null_is_absent(kind: type[Request], name: str) -> bool:
    """`null` is as if the key were not there, but for an update, where it is a value."""
    return not (kind is Update and name in Update.data_fields)


def _checked(field: msgspec.structs.FieldInfo, value: object) -> Any:
    if field.name == "metadata" and len(msgspec.json.encode(value)) > MAX_METADATA_BYTES:
        raise ValueError("too large")
    if field.name == "processed_text" and isinstance(value, str) and len(value) > MAX_CORRECTION_CHARACTERS:
        raise ValueError("too long")
    if isinstance(value, Base64Text):  # `parse_request` made it itself; no JSON gives one
        return value
    return msgspec.convert(value, str | None if field.name == "image_base64" else field.type)


def _valid_ref(envelope: dict[str, Any]) -> str | None:
    """The client's mark, if it is one: an error is to be echoed with it as well."""
    ref = envelope.get("ref")
    return ref if isinstance(ref, str) and len(ref) <= 64 else None


# ── text → JSON object ───────────────────────────────────────────────────────────────────────────


def _parse(frame: str) -> dict[str, Any]:
    if (
        len(frame) >= BASE64_FAST_PATH_MIN_CHARACTERS
        and (envelope := _parse_without_copying_base64(frame)) is not None
    ):
        return envelope
    return _parse_json(frame)


def _parse_without_copying_base64(frame: str) -> dict[str, Any] | None:
    """The frame's object with the base64 as a slice of the frame, or None where this is not safe to do."""
    key = frame.find(_KEY)
    colon = key + len(_KEY)
    if key < 0 or frame[colon : colon + 8].lstrip(" \t\r\n")[:1] != ":":
        return None
    start = frame.find('"', colon) + 1
    end = _find('"', frame, start, len(frame))
    if frame[colon : start - 1].strip(" \t\r\n") != ":" or end < 0:
        return None
    if any(_find(unusual, frame, start, end) >= 0 for unusual in "\\\n\r\t"):
        return None
    # Known to nobody, so it comes out in `data` only where the base64 stood: the same key may be written
    # with an escape, and the one found may stand beside `data`.
    mark = secrets.token_hex(8)
    envelope = _parse_json(frame[:start] + mark + frame[end:])
    data = envelope.get("data")
    if not isinstance(data, dict) or data.get("image_base64") != mark:
        return None
    data["image_base64"] = Base64Text(frame, start, end)
    return envelope


def _find(character: str, frame: str, start: int, end: int) -> int:
    """`frame.find(character, start, end)`, which keeps no other thread waiting while it looks."""
    for position in range(start, end, SEARCH_CHUNK_CHARACTERS):
        found = frame.find(character, position, min(position + SEARCH_CHUNK_CHARACTERS, end))
        if found >= 0:
            return found
    return -1


def _parse_json(text: str) -> dict[str, Any]:
    try:
        value = _json.decode(text)
        _check(value, MAX_DEPTH)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ProtocolError({"message": f"Not valid JSON: {reason}."}) from None
    if not isinstance(value, dict):
        raise ProtocolError({"message": "A JSON object is expected."})
    return value


def _check(value: object, depth: int) -> None:
    """Refuses what JSON can say but a database, or the next parser, cannot take."""
    if depth < 0:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("a surrogate without its pair") from None
    if "\x00" in text:
        raise ValueError("a NUL character in a string")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (number := int(digits)) < 2**63:
        raise ValueError("a number out of range")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number out of range")
    return number


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_json = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
