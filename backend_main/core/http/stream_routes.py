"""Routes that bypass Django: their handlers receive bodies, or send responses, as streams.

Django would receive the whole body before it checks the token, and has no back pressure from a client that
does not read. A handler gets the ASGI scope, `receive` and `send`, and may raise any `ScanrillError` before
its response begins.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..errors import ScanrillError
from ..live.server_connection import abort_connection
from .http_errors import INTERNAL_ERROR_MESSAGE
from .request_body import ClientDisconnected
from .responses import send_error
from .routes import EitherForm
from .types import Application, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]
"""Serves a request: `handler(scope, receive, send, **parameters_of_the_path)`."""


class StreamRoute:
    """Route of one path.

    Args:
        path: The path in the form of `django.urls.path`. It serves the path with and without a final slash.
        handlers: Handler by method. Django serves the other methods of the path.
        has_body: Whether the handlers receive the body, and limit its bytes themselves.
    """

    def __init__(self, path: str, handlers: Mapping[str, Handler], *, has_body: bool = True) -> None:
        self.path = path
        self.handlers = handlers
        self.has_body = has_body
        self._pattern = EitherForm(path)

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the parameters of a path; None if it is not the route's."""
        found = self._pattern.match(path.removeprefix("/"))
        return None if found is None else found[2]


class StreamRoutes:
    """Table of the routes, in their order."""

    def __init__(self, *routes: StreamRoute) -> None:
        self.routes = routes

    def find(self, scope: Scope) -> tuple[StreamRoute, dict[str, Any]] | None:
        """Return the route of a request and the parameters of its path; None if Django serves it."""
        for route in self.routes:
            if scope["method"] in route.handlers and (parameters := route.match(scope["path"])) is not None:
                return route, parameters
        return None

    def methods(self, path: str) -> frozenset[str]:
        """Return the methods that handlers serve at a path."""
        found = (route.handlers for route in self.routes if route.match(path) is not None)
        return frozenset().union(*found)

    def receives_body(self, scope: Scope) -> bool:
        """Return whether a handler receives the body of this request, and limits its bytes itself."""
        found = self.find(scope)
        return found is not None and found[0].has_body

    def middleware(self, application: Application) -> Application:
        """Wrap an application: the handlers serve their routes, the application everything else."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            found = self.find(scope)
            if found is None:
                await application(scope, receive, send)
            else:
                await _serve(*found, scope, receive, send)

        return app


async def _serve(
    route: StreamRoute, parameters: dict[str, Any], scope: Scope, receive: Receive, send: Send
) -> None:
    """Call the handler, and send its error. A response that has begun ends with the connection instead."""
    is_started = False

    async def tracking_send(message: Message) -> None:
        nonlocal is_started
        is_started = True
        await send(message)

    try:
        await route.handlers[scope["method"]](scope, receive, tracking_send, **parameters)
        return
    except ClientDisconnected:
        return
    except ScanrillError as refusal:
        error = refusal
    except Exception:
        log.exception("A request failed: %s %s", scope["method"], route.path)
        error = ScanrillError(INTERNAL_ERROR_MESSAGE)
    if is_started:
        abort_connection(scope)
    else:
        await send_error(scope, receive, send, error)
