"""ASGI middleware for the forms that the target of a request may have.

A target may be a whole URL (RFC 9112, 3.2.2), and `/api/v1/` is `/api/`.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from .types import Application, Receive, Scope, Send

ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
API, VERSIONED_API = "/api/", "/api/v1/"


def absolute_target_middleware(application: Application) -> Application:
    """Wrap an application: a target that is a URL becomes its path, and its authority the `Host`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (absolute := ABSOLUTE.fullmatch(scope["path"])):
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            host = absolute[1].encode("utf-8", "replace")
            scope = with_path(scope, absolute[2] or "/") | {"headers": [(b"host", host), *headers]}
        await application(scope, receive, send)

    return app


def api_version_middleware(application: Application) -> Application:
    """Wrap an application: it gets a path below `/api/v1/` as one below `/api/`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(VERSIONED_API):
            scope = with_path(scope, API + scope["path"].removeprefix(VERSIONED_API))
        await application(scope, receive, send)

    return app


def with_path(scope: Scope, path: str) -> Scope:
    """Return the scope of a request for another path."""
    return {**scope, "path": path, "raw_path": quote(path).encode()}
