"""ASGI middleware of CORS: it lets pages of allowed origins use the API (Fetch standard, 3.2).

It is before Django and the request gate, since routes that bypass Django, and refusals of the gate, need the
headers too. The rule is that of sockets and sign-in: `auth.origin`.
"""

from __future__ import annotations

from ..auth import origin
from ..errors import OriginNotAllowed
from .responses import send_empty
from .types import Application, Message, Receive, Scope, Send

# The longest time that Chromium accepts.
MAX_AGE_SECONDS = 7200
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
# Headers of responses that a page needs, beside those that every page may read.
EXPOSED_HEADERS = ", ".join(
    (
        "Accept-Ranges",
        "Allow",
        "Content-Disposition",
        "Content-Range",
        "ETag",
        "Location",
        "Retry-After",
        # tus 1.0, and what its last response says
        "Scanrill-Duplicate",
        "Scanrill-Upload",
        "Tus-Checksum-Algorithm",
        "Tus-Extension",
        "Tus-Max-Size",
        "Tus-Resumable",
        "Tus-Version",
        "Upload-Expires",
        "Upload-Length",
        "Upload-Metadata",
        "Upload-Offset",
        # MCP
        "Mcp-Session-Id",
    )
)


def cors_middleware(application: Application) -> Application:
    """Wrap an application: pages of allowed origins may read its responses, and send any header.

    Their cookies count as well: the origins are listed one by one, and never `*`.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        is_allowed = b"origin" in headers and _is_allowed(scope)
        added = [(b"vary", b"Origin")]  # always: a cache must not give a page the response to a program
        if is_allowed:
            added += [
                (b"access-control-allow-origin", headers[b"origin"]),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
            ]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message.get("headers", []), *added]}
            await send(message)

        is_preflight = scope["method"] == "OPTIONS" and b"access-control-request-method" in headers
        if is_allowed and is_preflight:
            requested = headers.get(b"access-control-request-headers", b"")
            await send_empty(send_with_headers, _preflight_headers(requested.decode("latin-1")))
        else:
            await application(scope, receive, send_with_headers)

    return app


def _is_allowed(scope: Scope) -> bool:
    try:
        origin.check_origin(scope)
    except OriginNotAllowed:
        return False
    return True


def _preflight_headers(requested_headers: str) -> dict[str, str]:
    allowed = {"Access-Control-Allow-Headers": requested_headers} if requested_headers else {}
    return allowed | {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
