"""ASGI middleware that adds security headers to every HTTP response.

The headers depend on the path and the scheme alone, not on the response: the headers of a 304 replace those
of the page in the browser's cache, so they must equal those of the 200. A header that the response sets
itself stays.
"""

from __future__ import annotations

from typing import Any

from ..conf import conf
from . import wires
from .types import Application, Receive, Scope, Send

# Recognized text is data: nothing inline runs, and only a sanitizer may turn a string into markup.
# `connect-src 'self'` also covers the WebSocket of the same host (CSP level 3).
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
# The API returns files and texts of users, which may contain anything. A browser must run none of it.
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
# The page uses none of them, so an injected script cannot use them either.
UNUSED_FEATURES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

_ALL = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": UNUSED_FEATURES.encode(),
}
_PAGE = _ALL | {b"content-security-policy": PAGE_POLICY.encode()}
# A response of the API belongs to one user: no cache may store it, unless the response itself allows it.
_API = _ALL | {b"content-security-policy": API_POLICY.encode(), b"cache-control": b"no-store"}
_API_DIRECTORIES = {"api", *(route.path.partition("/")[0] for route in wires.routes())}
# RFC 6797, 7.2: only over HTTPS, because anybody on the way could forge it otherwise.
_HSTS = {b"strict-transport-security": f"max-age={conf.hsts_seconds}".encode()}


def security_headers_middleware(application: Application) -> Application:
    """Wrap an application: each of its responses gets the headers of its path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["path"].removeprefix("/").partition("/")[0] in _API_DIRECTORIES
        security_headers = _API if is_api else _PAGE
        if conf.hsts_seconds and scope["scheme"] == "https":
            security_headers = security_headers | _HSTS

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", [])]
                names = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in security_headers.items() if name not in names]
                message = message | {"headers": headers}
            await send(message)

        await application(scope, receive, send_with_headers)

    return app
