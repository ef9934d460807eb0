"""File names in `Content-Disposition`, of a request or of a part of a form."""

from __future__ import annotations

from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any, cast

from python_multipart.multipart import parse_options_header

NAME = "content-disposition"


def file_name(header: bytes) -> str | None:
    """Return the file name in a header; None if it has none.

    `filename*` (RFC 8187) counts before `filename`. RFC 7578 forbids it in forms, and clients send it.
    """
    if (extended := _extended_name(header)) is not None:
        return extended
    _, parameters = parse_options_header(header)
    name = parameters.get(b"filename")
    return None if name is None else name.decode("utf-8", "replace")


def _extended_name(header: bytes) -> str | None:
    if b"*" not in header:
        return None
    message = Message()
    message[NAME] = header.decode("latin-1")
    # The type of the library lacks that an extended value is a tuple of charset, language and text.
    parameters = cast("list[tuple[str, Any]]", message.get_params(header=NAME))
    names = (value for name, value in parameters if name.lower() == "filename" and isinstance(value, tuple))
    return next(map(collapse_rfc2231_value, names), None)
