"""ASGI middleware that checks each request against its route: its method, and the names in its query.

It answers `OPTIONS`, and refuses what the route lacks: for the views of Django, which declare parameters
(`parameters`), and the methods of `stream_routes`, whose handlers check their queries. It needs no token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import Resolver404, resolve

from ..errors import RequestError
from .http_errors import MethodNotAllowed
from .parameters import parameters_of, parse_query
from .responses import send_empty, send_error
from .stream_routes import StreamRoutes
from .types import Application, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def route_checks_middleware(application: Application, stream_routes: StreamRoutes) -> Application:
    """Wrap an application: it gets no request that its route does not have."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        streamed = stream_routes.methods(path)
        if method in streamed:
            await application(scope, receive, send)
            return
        view = view_of(path)
        allowed = _in_order(streamed | methods_of_view(view))
        if method == "OPTIONS" and allowed:
            await send_empty(send, {"Allow": ", ".join(allowed)})
            return
        try:
            if allowed and method not in allowed:
                raise MethodNotAllowed(method, allowed)
            if view is not None and path.startswith("/api/"):
                parse_query(scope["query_string"], parameters_of(view))
        except RequestError as error:
            await send_error(scope, receive, send, error)
        else:
            await application(scope, receive, send)

    return app


def view_of(path: str) -> Callable[..., Any] | None:
    """Return the view of a path; None if Django has none."""
    try:
        return resolve(path).func
    except Resolver404:
        return None


def methods_of_view(view: Callable[..., Any] | None) -> frozenset[str]:
    """Return the methods of a view: those of its class, or else `GET` and `HEAD`; none without a view."""
    if view is None:
        return frozenset()
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return frozenset({"GET", "HEAD"})
    methods = frozenset(method for method in METHODS if hasattr(view_class, method.lower()))
    return methods | {"HEAD"} if "GET" in methods else methods


def _in_order(methods: frozenset[str]) -> list[str]:
    """Return the methods of a route, with `OPTIONS` at the end; none of no route."""
    return [*(method for method in METHODS if method in methods), "OPTIONS"] if methods else []
