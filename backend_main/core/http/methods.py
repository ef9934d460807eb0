"""ASGI middleware for the methods of routes: it answers `OPTIONS`, and refuses methods that a route lacks.

It is one place for the views of Django and for `stream_routes`, and needs no token.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.urls import Resolver404, resolve

from .http_errors import MethodNotAllowed
from .responses import send_empty, send_error
from .stream_routes import StreamRoutes
from .types import Application, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def methods_middleware(application: Application, stream_routes: StreamRoutes) -> Application:
    """Wrap an application: it gets no request whose method its route lacks."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        streamed = stream_routes.methods(path)
        if method in streamed:
            await application(scope, receive, send)
            return
        allowed = _in_order(streamed | methods_of_views(path))
        if not allowed or method in allowed[:-1]:
            await application(scope, receive, send)
        elif method == "OPTIONS":
            await send_empty(send, {"Allow": ", ".join(allowed)})
        else:
            await send_error(scope, receive, send, MethodNotAllowed(method, allowed))

    return app


def methods_of_views(path: str) -> frozenset[str]:
    """Return the methods that the view of a path has; none if no view has the path."""
    with suppress(Resolver404):
        return methods_of_view(resolve(path).func)
    return frozenset()


def methods_of_view(view: Callable[..., Any]) -> frozenset[str]:
    """Return the methods of a view: those of its class, or else `GET` and `HEAD`."""
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return frozenset({"GET", "HEAD"})
    methods = frozenset(method for method in METHODS if hasattr(view_class, method.lower()))
    return methods | {"HEAD"} if "GET" in methods else methods


def _in_order(methods: frozenset[str]) -> list[str]:
    """Return the methods of a route, with `OPTIONS` at the end; none of no route."""
    return [*(method for method in METHODS if method in methods), "OPTIONS"] if methods else []
