"""Paths of routes, each with or without a final slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern


class EitherForm(RoutePattern):
    """Pattern of a path that a final slash may follow, however the route is written.

    A redirect to the other form would lose the body.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path.removesuffix("/"), is_endpoint=True)
        self._written = path

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        """Match a path without its first slash, as Django calls it."""
        found: tuple[str, tuple[Any, ...], dict[str, Any]] | None = super().match(path.removesuffix("/"))
        return found

    def __str__(self) -> str:
        return self._written


def route(path: str, view: Callable[..., Any]) -> URLPattern:
    """Return the route of a view; `path` is in the form of `django.urls.path`."""
    return URLPattern(EitherForm(path), view)
