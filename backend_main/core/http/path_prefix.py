"""ASGI middleware for the parts of a path that come before the routes: the API key of `/k/{key}/…`.

Some clients can set a base URL but no header. The application gets the path without the key, and the key
beside it (`auth.credentials`). Links in responses keep the prefix: see `link_prefix`.
"""

from __future__ import annotations

from urllib.parse import quote

from ..auth.credentials import PATH_KEY
from .types import Application, Receive, Scope, Send

KEY_PATH = "/k/"


def path_prefix_middleware(application: Application) -> Application:
    """Wrap an application: it gets requests and handshakes without the prefix of their path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith(KEY_PATH):
            scope = _without_key(scope)
        await application(scope, receive, send)

    return app


def link_prefix(scope: Scope) -> str:
    """Return what a link in a response needs before its route, such as `/k/scr_…`; "" if nothing."""
    key = scope.get(PATH_KEY)
    return f"{KEY_PATH}{quote(key, safe='')}" if key else ""


def _without_key(scope: Scope) -> Scope:
    key, _, rest = scope["path"].removeprefix(KEY_PATH).partition("/")
    return _with_path(scope, f"/{rest}") | {PATH_KEY: key}


def _with_path(scope: Scope, path: str) -> Scope:
    return {**scope, "path": path, "raw_path": quote(path).encode()}
