"""ASGI middleware for the part of a path before the routes: `/scan/k/scr_…` of `/scan/k/scr_…/api/me/`.

A reverse proxy may serve the server below a path of its own (`SCANRILL_ROOT_PATH`, or `X-Forwarded-Prefix` of
a trusted proxy), and may remove that path from requests or not. After it, `/k/{key}/` has an API key: some
clients can set a base URL but no header. The application gets the path without both, and both beside it.
A `Location` gets them again, and other links in responses need them: see `link_prefix`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..auth.credentials import PATH_KEY
from ..conf import ROOT_PATH_PATTERN, conf
from .request_target import with_path
from .types import Application, Message, Receive, Scope, Send

KEY_PATH = "/k/"
ROOT_PATH = "scanrill.root_path"
"""Key of the scope: the path below which a proxy serves the server."""
FORWARDED_PREFIX = b"x-forwarded-prefix"


def path_prefix_middleware(application: Application) -> Application:
    """Wrap an application: it gets requests and handshakes without the prefix of their path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await application(scope, receive, send)
            return
        root = conf.root_path or scope.get(ROOT_PATH, "")
        if root and scope["path"] == root and scope["type"] == "http":
            await _redirect(f"{root}/", send)
            return
        scope = _without_key(_without_root(scope, root) if root else scope)
        prefix = link_prefix(scope)
        await application(scope, receive, _with_prefix(send, prefix) if prefix else send)

    return app


def with_forwarded_prefix(scope: Scope) -> Scope:
    """Return the scope of a request from a trusted proxy, with the path that its header names."""
    for name, value in scope.get("headers", ()):
        prefix = value.decode("latin-1").removesuffix("/")
        if name == FORWARDED_PREFIX and prefix and re.search(ROOT_PATH_PATTERN, prefix):
            return {**scope, ROOT_PATH: prefix}
    return scope


def root_path(scope: Mapping[str, Any]) -> str:
    """Return the path below which a proxy serves the server, such as `/scan`; "" for none."""
    path: str = scope.get(ROOT_PATH, "")
    return path


def link_prefix(scope: Mapping[str, Any]) -> str:
    """Return what a link in a response needs before its route, such as `/scan/k/scr_…`; "" if nothing."""
    key = scope.get(PATH_KEY)
    return root_path(scope) + (f"{KEY_PATH}{quote(key, safe='')}" if key else "")


def _with_prefix(send: Send, prefix: str) -> Send:
    """Return a `send` that adds the prefix to the path in the `Location` of a response."""
    encoded = prefix.encode()

    def location(value: bytes) -> bytes:
        return encoded + value if value.startswith(b"/") and not value.startswith(encoded + b"/") else value

    async def send_with_prefix(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, location(value) if name.lower() == b"location" else value)
                for name, value in message.get("headers", ())
            ]
            message = message | {"headers": headers}
        await send(message)

    return send_with_prefix


def _without_root(scope: Scope, root: str) -> Scope:
    """Remove the path of the proxy, unless the proxy has done so."""
    scope = {**scope, ROOT_PATH: root}
    return with_path(scope, scope["path"][len(root) :]) if scope["path"].startswith(f"{root}/") else scope


def _without_key(scope: Scope) -> Scope:
    if not scope["path"].startswith(KEY_PATH):
        return scope
    key, _, rest = scope["path"].removeprefix(KEY_PATH).partition("/")
    return with_path(scope, f"/{rest}") | {PATH_KEY: key}


async def _redirect(location: str, send: Send) -> None:
    """Send a redirect that keeps the method: the links of the page are relative to its directory."""
    headers = [(b"location", location.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
