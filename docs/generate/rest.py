"""`backend/urls.py`, and `POST /api/uploads/` before it → the page of the REST API.

What there is comes from the code; what it is for stands in `words.py`, or else in the view's docstring.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.urls import URLPattern, URLResolver, get_resolver

from . import words
from .markdown import first_sentence, page, table

HEAD = (Path(__file__).with_name("rest.md")).read_text()
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
SHORT = {"upload_id": "id", "number": "n"}
METHODS = ("get", "post", "put", "patch", "delete")
SAFE = ("get",)  # of a view that is a function; HEAD goes with GET


class Route(NamedTuple):
    path: str
    methods: tuple[str, ...]
    about: str


def page_of_rest() -> str:
    rows = [(", ".join(m.upper() for m in r.methods), f"`{r.path}`", r.about) for r in routes()]
    return page(
        "REST API",
        "The same uploads over HTTP, and the way in for large files.",
        HEAD,
        "## Routes",
        table(("methods", "path", "what it does"), rows),
    )


def routes() -> list[Route]:
    """Every route of the server, also the one that stands before Django."""
    django.setup()
    from backend_main.core.http import upload as http_upload

    found = [Route(http_upload.PATH, ("post",), "Takes a file in, and has it read.")]
    found += [_route(path, view) for path, view in _below("/", get_resolver().url_patterns)]
    return sorted(found, key=lambda route: (route.path.startswith("/api/"), route.path))


def _below(prefix: str, patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _below(prefix + str(pattern.pattern), pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def _route(path: str, view: Any) -> Route:
    described = getattr(view, "view_class", None) or inspect.unwrap(view)
    methods = tuple(method for method in METHODS if hasattr(described, method)) or SAFE
    shown = CONVERTER.sub(lambda found: f"{{{SHORT.get(found[1], found[1])}}}", path)
    return Route(shown, methods, words.ROUTES.get(shown) or first_sentence(inspect.getdoc(described) or ""))
