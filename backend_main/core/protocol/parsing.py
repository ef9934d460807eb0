"""Parser of text frames into requests; pure. It raises no exception but `ProtocolError`.

A `create` may contain hundreds of megabytes of base64. The parser does not copy it: it cuts the base64 out of
the frame before it parses the JSON around it. `uploads.ingest` decodes the base64 in chunks. The parser also
cuts out a long correction. Nothing else may be long: objects of JSON take much more memory than their text.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

import msgspec
from msgspec import UNSET

from ..errors import ProtocolError
from .base64_text import Base64Text
from .long_strings import LongString, find_long_string
from .messages import REPLY_TYPES, REQUESTS, Request, Update

MAX_DEPTH = 32
MAX_METADATA_BYTES = 16 * 1024
MAX_CORRECTION_CHARACTERS = 16 * 1024 * 1024
# More than ten times the text of a newspaper page.
MAX_PAGE_CORRECTION_CHARACTERS = 1024 * 1024
# Without the one long string. A message needs 160 KiB at most: its metadata if all is escaped, and a
# correction that is not a long string. Objects of JSON take up to 40 times the memory of their text (decision
# 132), and parsing holds the interpreter lock: 32 ms for `[],[],` of this length.
MAX_ENVELOPE_CHARACTERS = 256 * 1024
# In a shorter string, the search costs more than the copy that it avoids.
MIN_LONG_STRING_CHARACTERS = 64 * 1024
R = TypeVar("R", bound=Request)
# The strings that may be long. The names must be written without escapes, and the colon nearby.
_LONG_FIELD = re.compile(r'"(image_base64|processed_text|correction)"[ \t\r\n]{0,16}:[ \t\r\n]{0,16}"')
ENVELOPE_TOO_LARGE_MESSAGE = (
    f"The message has more than {MAX_ENVELOPE_CHARACTERS} characters beside image_base64, processed_text "
    "or correction. Send less."
)

# Error message of each field whose value is wrong. A field without an entry accepts any string.
FIELD_HELP = {
    "ref": "A string of at most 64 characters is expected.",
    "instance_id": "The id of an upload is expected: a UUID as a string.",
    "image_base64": "A string of base64 is expected.",
    "status": "One or several of pending, processing, processed, error, cancelled are expected.",
    "image_hash": "A string is expected: the SHA-256 of a file, in hex.",
    "created_after": "A time with its time zone is expected, as in “2026-01-31T09:00:00Z”.",
    "created_before": "A time with its time zone is expected, as in “2026-01-31T09:00:00Z”.",
    "sort": "One of created, updated, filename, bytes is expected, with “-” before it for the reverse order.",
    "total": "true or false is expected.",
    "since": "The cursor of an event is expected as a string, or null.",
    "token": "An access token is expected as a string.",
    "stream": "One of full, pages, delta is expected.",
    "on_duplicate": "One of existing, reread, error is expected.",
    "search": "A string of at most 200 characters is expected.",
    "engine": "The name of an engine is expected as a string.",
    "languages": 'At most 10 languages are expected, as in ["de", "en"].',
    "pages": "Pages are expected as a string, as in “3”, “2-5” or “1-3,7,9-”.",
    "profile": "The name of a profile of the engine is expected as a string.",
    "furniture": "One of drop, keep is expected.",
    "formulas": "One of text, vision is expected.",
    "barcodes": "true or false is expected.",
    "priority": "One of interactive, batch is expected.",
    "warning": "The code of a warning is expected, as in “low-confidence”.",
    "min_confidence": "A number from 0 to 1 is expected.",
    "max_confidence": "A number from 0 to 1 is expected.",
    "limit": "A whole number from 1 to 10000 is expected.",
    "filename": "A file name of 1 to 255 characters is expected, without slashes and control characters.",
    "processed_text": "A string of at most 16777216 characters is expected, or null for no correction.",
    "metadata": "A JSON object of at most 16 KiB is expected.",
}


def parse_request(frame: str) -> Request:
    """Parse a text frame into a request.

    Raises:
        ProtocolError: with the type of the reply and a message for each wrong field.
    """
    envelope = json_object(frame)
    kind = envelope.get("type")
    if not isinstance(kind, str) or kind not in REQUESTS:
        raise ProtocolError({"type": f"One of {', '.join(REQUESTS)} is expected."}, ref=_valid_ref(envelope))
    return build_request(REQUESTS[kind], envelope)


def build_request(kind: type[R], envelope: dict[str, Any]) -> R:
    """Convert the JSON of a frame, or the fields of an HTTP request, into a request of this kind.

    Raises:
        ProtocolError: with the type of the reply and a message for each wrong field.
    """
    inner_fields, errors = _inner_fields(kind, envelope)
    top_level_names = kind.also_top_level | (set(kind.__struct_fields__) - kind.data_fields)
    raw_values = inner_fields | {name: envelope[name] for name in top_level_names if name in envelope}
    values: dict[str, Any] = {}
    for field in _struct_fields(kind):
        # Null counts as absent, except in an update, where it is a value.
        is_null_a_value = kind is Update and field.name in Update.data_fields
        if field.name in raw_values and (raw_values[field.name] is not None or is_null_a_value):
            try:
                values[field.name] = _convert(field, raw_values[field.name])
            except (msgspec.ValidationError, ValueError):
                errors[field.name] = FIELD_HELP.get(field.name, "A string is expected.")
        elif field.required:
            errors[field.name] = "This field is required."
    if errors:
        raise ProtocolError(errors, reply_type=REPLY_TYPES[kind], ref=_valid_ref(envelope))
    return kind(**values)


def page_correction(fields: dict[str, Any]) -> str | None:
    """Return the only field of a request that corrects a page.

    Raises:
        ProtocolError: It is missing or invalid, or there is another field.
    """
    errors = {name: "This field cannot be set here." for name in fields if name != "correction"}
    value = fields.get("correction", UNSET)
    is_valid = value is None or (isinstance(value, str) and len(value) <= MAX_PAGE_CORRECTION_CHARACTERS)
    if not is_valid:
        errors["correction"] = (
            f"A string of at most {MAX_PAGE_CORRECTION_CHARACTERS} characters is expected, or null for no "
            "correction."
        )
    if errors:
        raise ProtocolError(errors)
    return cast("str | None", value)


def _inner_fields(kind: type[Request], envelope: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields inside `data`, and an error message for each field that must not be there."""
    data = envelope.get("data")
    if data is None:
        return {}, {}
    if not isinstance(data, dict):
        return {}, {"data": "An object is expected."}
    known = {name: data[name] for name in data if name in kind.data_fields}
    return known, {name: "This field cannot be set here." for name in data if name not in known}


@cache
def _struct_fields(kind: type[Request]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Cache msgspec's field information: reading the annotations takes longer than all other steps."""
    return msgspec.structs.fields(kind)


def _convert(field: msgspec.structs.FieldInfo, value: object) -> Any:
    if field.name == "metadata" and len(msgspec.json.encode(value)) > MAX_METADATA_BYTES:
        raise ValueError("too large")
    if field.name == "processed_text" and isinstance(value, str) and len(value) > MAX_CORRECTION_CHARACTERS:
        raise ValueError("too long")
    if isinstance(value, Base64Text):  # only `json_object` makes one
        return value
    return msgspec.convert(value, str | None if field.name == "image_base64" else field.type)


def _valid_ref(envelope: dict[str, Any]) -> str | None:
    """Return the client's `ref` if it is valid; the reply to a wrong request repeats it too."""
    ref = envelope.get("ref")
    return ref if isinstance(ref, str) and len(ref) <= 64 else None


# ── text → JSON object ───────────────────────────────────────────────────────────────────────────


def json_object(text: str) -> dict[str, Any]:
    """Parse a frame, or the body of an HTTP request. The one long string of an upload is a `Base64Text`.

    Raises:
        ProtocolError: Among others, if there are more than `MAX_ENVELOPE_CHARACTERS` beside the long string.
            This is checked before anything is parsed.
    """
    long_string = _find_long_string(text) if len(text) >= MIN_LONG_STRING_CHARACTERS else None
    if long_string is None:
        return _parse_json(text)
    # A client cannot guess the placeholder, so the field has it only if it replaced the string: the name may
    # be inside another string or object.
    placeholder = secrets.token_hex(8)
    envelope = _parse_json(text[: long_string.start] + placeholder + text[long_string.end :])
    for fields in (envelope, envelope.get("data")):
        if isinstance(fields, dict) and fields.get(long_string.name) == placeholder:
            fields[long_string.name] = long_string.value
            return envelope
    return _parse_json(text)


def _find_long_string(text: str) -> LongString | None:
    try:
        found = find_long_string(
            text,
            _LONG_FIELD,
            before=MAX_ENVELOPE_CHARACTERS,
            min_characters=MIN_LONG_STRING_CHARACTERS,
            max_decoded={
                "processed_text": MAX_CORRECTION_CHARACTERS,
                "correction": MAX_PAGE_CORRECTION_CHARACTERS,
            },
        )
        if found is not None and isinstance(found.value, str):
            _check_text(found.value)
    except ValueError as error:
        raise ProtocolError({"message": f"Not valid JSON: {error}."}) from None
    return found


def _parse_json(text: str) -> dict[str, Any]:
    if len(text) > MAX_ENVELOPE_CHARACTERS:
        raise ProtocolError({"message": ENVELOPE_TOO_LARGE_MESSAGE})
    try:
        value = _decoder.decode(text)
        _check_value(value, MAX_DEPTH)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ProtocolError({"message": f"Not valid JSON: {reason}."}) from None
    if not isinstance(value, dict):
        raise ProtocolError({"message": "A JSON object is expected."})
    return value


def _check_value(value: object, depth: int) -> None:
    """Raise ValueError for valid JSON that a database or another parser cannot process."""
    if depth < 0:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_value(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check_value(item, depth - 1)


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("an unpaired surrogate") from None
    if "\x00" in text:
        raise ValueError("a NUL character in a string")


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a duplicate key in an object")
    return result


def _parse_integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (number := int(digits)) < 2**63:
        raise ValueError("a number out of range")
    return number


def _parse_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number out of range")
    return number


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_decoder = json.JSONDecoder(
    object_pairs_hook=_make_object,
    parse_int=_parse_integer,
    parse_float=_parse_float,
    parse_constant=_reject_constant,
)
