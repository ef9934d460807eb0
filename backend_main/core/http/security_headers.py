"""Step 3 — what every answer says about itself: what a browser may do with it, in one place for all doors.

It goes by the path alone and not by the answer: a 304 changes the headers of what a browser has kept, so it
must say the same as the 200 before it. A header that an answer brings itself stands.
"""

from __future__ import annotations

from typing import Any

from .types import Application, Receive, Scope, Send

# Text out of a scan is data: nothing inline runs, and no string becomes markup without a sanitizer's mark.
# `connect-src 'self'` covers the WebSocket of the same host as well (CSP level 3).
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
# What the API gives out is a user's own file or text about it, and may be anything: shown, it does nothing.
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
# Nothing here needs them, so no script that got in by mistake has them either.
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
# Answers of the API are one user's: no cache keeps them unless they say so themselves.
_API = _ALL | {b"content-security-policy": API_POLICY.encode(), b"cache-control": b"no-store"}


def security_headers_middleware(application: Application) -> Application:
    """The application with these headers on each of its answers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        ours = _API if scope["path"].startswith("/api/") else _PAGE

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": _merge_headers(message.get("headers", []), ours)}
            await send(message)

        await application(scope, receive, send_with_headers)

    return app


def _merge_headers(given: Any, ours: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    brought = [(bytes(name), bytes(value)) for name, value in given]
    names = {name.lower() for name, _ in brought}
    return [*brought, *((name, value) for name, value in ours.items() if name not in names)]
