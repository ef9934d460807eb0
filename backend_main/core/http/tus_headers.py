"""Headers of tus requests: length, offset, metadata and checksum."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from ..errors import RequestError
from ..protocol.messages import Create
from .creation import CREATE_PARAMETERS, parse_create
from .request_headers import header
from .types import Scope

CHECKSUM_ALGORITHMS = ("sha1", "sha256")
MAX_LENGTH_DIGITS = 15


class Checksum(NamedTuple):
    """Checksum of a request's body."""

    algorithm: str
    digest: bytes


def upload_length(scope: Scope) -> int:
    """Return the length of the whole file. Raises `RequestError`."""
    return _number(scope, "Upload-Length", "The length of the whole file is expected, in bytes.")


def upload_offset(scope: Scope) -> int:
    """Return where the body belongs. Raises `RequestError`."""
    return _number(scope, "Upload-Offset", "The number of bytes before this body is expected.")


def create_request(scope: Scope) -> Create:
    """Return what `Upload-Metadata` says about the upload: the names of `POST /api/uploads/`.

    Clients send names of their own too, such as `filetype`; these are ignored.

    Raises:
        RequestError: The header or a value is not valid.
    """
    values: dict[str, str] = {}
    for pair in (header(scope, "upload-metadata") or "").split(","):
        name, _, encoded = pair.strip().partition(" ")
        if name in CREATE_PARAMETERS and encoded:
            values[name] = _decode(encoded)
    return parse_create(values)


def upload_checksum(scope: Scope) -> Checksum | None:
    """Return the checksum of the body; None if there is none. Raises `RequestError`."""
    value = header(scope, "upload-checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.partition(" ")
    if algorithm not in CHECKSUM_ALGORITHMS:
        raise RequestError({"Upload-Checksum": f"Use one of {', '.join(CHECKSUM_ALGORITHMS)}."})
    try:
        return Checksum(algorithm, base64.b64decode(encoded, validate=True))
    except binascii.Error:
        raise RequestError({"Upload-Checksum": "A hash in base64 is expected."}) from None


def _number(scope: Scope, name: str, message: str) -> int:
    value = header(scope, name.lower()) or ""
    if not (value.isascii() and value.isdecimal() and len(value) <= MAX_LENGTH_DIGITS):
        raise RequestError({name: message})
    return int(value)


def _decode(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:  # `binascii.Error` and `UnicodeDecodeError` are ValueErrors
        raise RequestError({"Upload-Metadata": "Names with values in base64 are expected."}) from None
