"""Credentials of a request: where a client may put its token or API key.

The first of these counts, and the others are ignored:

    /k/{key}/…                      a path, for clients that can set no header (`http.path_prefix`)
    Authorization: Bearer           token or key
    X-API-Key                       token or key
    Ocp-Apim-Subscription-Key       token or key, as clients of Azure send it
    Authorization: Basic            key as the password, with any user name
    ?token=                         token or key; WebSocket handshakes only, for browsers can set no header

The path comes first: such a client may be forced to send a key of its own in a header. A Basic password
counts only if it has the form of a key, because a proxy may ask for a password of its own; and only without
an `Origin`, because browsers send a password that they remember for the pages of any site.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qs

from .api_keys import is_api_key
from .origin import Scope

PATH_KEY = "scanrill.path_key"
"""Key of the scope: the API key that the path had."""
KEY_HEADERS = (b"x-api-key", b"ocp-apim-subscription-key")


def credential_of(scope: Scope) -> str | None:
    """Return the token or API key of an HTTP request; not of its query, which histories and logs keep."""
    path_key: str | None = scope.get(PATH_KEY)
    headers = dict(scope["headers"])
    return (
        path_key
        or _bearer(headers.get(b"authorization", b""))
        or next((_text(headers[name]) for name in KEY_HEADERS if headers.get(name)), None)
        or (None if b"origin" in headers else _basic(headers.get(b"authorization", b"")))
    )


def credential_of_handshake(scope: Scope) -> str | None:
    """Return the token or API key of a WebSocket handshake: as of a request, or else from the query."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return credential_of(scope) or (query["token"][0] if "token" in query else None)


def _bearer(value: bytes) -> str | None:
    return _text(value[7:]) if value[:7].lower() == b"bearer " else None


def _basic(value: bytes) -> str | None:
    """Return the API key that is the password of an `Authorization: Basic` (RFC 7617, 2)."""
    if value[:6].lower() != b"basic ":
        return None
    try:
        decoded = base64.b64decode(value[6:].strip(), validate=True)
    except binascii.Error:
        return None
    password = _text(decoded.partition(b":")[2])
    return password if is_api_key(password) else None


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip()
