"""Generator of the REST reference from `backend/urls.py`, with those that bypass Django.

The code gives routes, methods and the types of fields. Meanings are in `descriptions.py`, examples in
`rest_examples.py`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import django
import msgspec
from django.urls import URLPattern, URLResolver, get_resolver

from backend_main.core.protocol import messages as protocol
from backend_main.core.protocol import search_results

from . import descriptions
from .markdown import block, code, joined, json_block, page, table
from .protocol import field_rows, meaning
from .rest_example import RestExample
from .rest_examples import EXAMPLES, SESSION_ID
from .webhook_examples import DELIVERY_ID, WEBHOOK_ID

HEAD = (Path(__file__).with_name("rest.md")).read_text()
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
SHORT = {"upload_id": "id", "number": "n", "index": "k"}
METHODS = ("get", "post", "put", "patch", "delete")
SAFE = ("get",)  # of a view that is a function; HEAD goes with GET
READ_OPTIONS = ("engine", "languages", "pages", "profile", "furniture", "formulas", "barcodes", "priority")
LIST_FILTERS = tuple(name for name in protocol.ListUploads.__struct_fields__ if name != "ref")
CREATE_FIELDS = ("filename", "metadata", "on_duplicate", *READ_OPTIONS)
READ_FIELDS = ("wait", "format", "stream", "images", "page_breaks", "table")
EXPORT_PARAMETERS = ("format", "pages", "furniture", "images", "page_breaks", "table")
# Request fields of routes: name and the message type that gives its meaning, or None for `REST_FIELDS`.
REQUEST_FIELDS: dict[str, tuple[str, type[msgspec.Struct] | None, tuple[str, ...]]] = {
    "POST /api/token/": ("body", None, ("username", "password", "cookie")),
    "POST /api/token/code/": ("body", None, ("code",)),
    "POST /api/token/refresh/": ("body", None, ("refresh",)),
    "POST /api/webhooks": ("body", None, ("url", "events", "enabled", "upload_id")),
    "PATCH /api/webhooks/{webhook_id}": ("body", None, ("url", "events", "enabled")),
    "POST /api/keys": ("body", None, ("name", "scope", "expires_in_days")),
    "GET /api/search": ("query", None, ("q", "limit", "cursor")),
    "GET /api/uploads/": ("query", protocol.ListUploads, LIST_FILTERS),
    "POST /api/uploads/": ("query, form field or JSON", protocol.Create, (*CREATE_FIELDS, "wait")),
    "POST /api/read": ("query, form field or JSON", protocol.Create, (*CREATE_FIELDS, *READ_FIELDS)),
    "GET /api/uploads/{id}/": ("query", None, ("wait",)),
    "GET /api/events": ("query", None, ("since", "stream")),
    "GET /api/uploads/{id}/events": ("query", None, ("since", "stream")),
    "PATCH /api/uploads/{id}/": ("body", protocol.Update, ("filename", "processed_text", "metadata")),
    "POST /api/uploads/{id}/retry": ("body", protocol.Retry, READ_OPTIONS),
    "GET /api/uploads/{id}/pages/{n}": ("query", None, ("words",)),
    "GET /api/uploads/{id}/readings/{reading}/pages/{n}": ("query", None, ("words",)),
    "PATCH /api/uploads/{id}/pages/{n}": ("body", None, ("correction",)),
    "GET /api/uploads/{id}/readings/{reading}/compare/{other}": ("query", None, ("page",)),
    "GET /api/uploads/{id}/pages/{n}/image": ("query", None, ("width",)),
    "GET /api/uploads/{id}/export": ("query", None, EXPORT_PARAMETERS),
    "GET /api/export": ("query", None, ("ids", *EXPORT_PARAMETERS)),
}


class Route(NamedTuple):
    """One path with its methods, in capitals."""

    path: str
    methods: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """`METHOD /path` of each."""
        return [f"{method} {self.path}" for method in self.methods]


def page_of_rest() -> str:
    return page(
        "REST API",
        "Uploads over HTTP: every route with its fields and an example.",
        HEAD,
        "## Routes",
        table(
            ("method", "path", "what it does"),
            ((*_split(name), _first_sentence(descriptions.ROUTES.get(name, ""))) for name in names()),
        ),
        *(_section(name) for name in names()),
        "## Search hit { #searchhit }",
        "An element of `hits` in the response of [`GET /api/search`](#get-api-search).",
        _type_table(search_results.SearchHit),
        "### Snippet { #snippet }",
        _type_table(search_results.Snippet),
        "### SearchLine { #searchline }",
        _type_table(search_results.SearchLine),
        "## Engine information { #engineinfo }",
        "An element of `engines` in the response of [`GET /api/engines/`](#get-api-engines).",
        table(("key", "value", "meaning"), field_rows(EXAMPLES["GET /api/engines/"].nested["engines"])),
    )


def _type_table(kind: type[msgspec.Struct]) -> str:
    """Return the table of the fields of a type; an upload is on the page of the WebSocket."""
    return table(("key", "value", "meaning"), field_rows(kind)).replace(
        "(#instance)", "(websocket.md#instance)"
    )


def names() -> list[str]:
    """`METHOD /path` of every route."""
    return [name for route in routes() for name in route.names]


def routes() -> list[Route]:
    """Return every route of the server, also those that bypass Django; not those of other products' APIs."""
    django.setup()
    from backend_main.backend.urls import stream_routes
    from backend_main.core.http import wires

    found: dict[str, set[str]] = {}
    for stream_route in set(stream_routes.routes).difference(wires.routes()):
        found.setdefault(_shown(f"/{stream_route.path}"), set()).update(stream_route.handlers)
    for path, view in _below("/", get_resolver().url_patterns):
        shown, methods = _route(path, view)
        found.setdefault(shown, set()).update(methods)
    order = [*(method.upper() for method in METHODS), "HEAD", "OPTIONS"]
    listed = [Route(path, tuple(sorted(methods, key=order.index))) for path, methods in found.items()]
    return sorted(listed, key=lambda route: (route.path.startswith("/api/"), route.path))


def missing_fields(name: str) -> Iterator[str]:
    """Fields of a route's request or response without a meaning."""
    _, kind, fields = REQUEST_FIELDS.get(name, ("", None, ()))
    for field in (*fields, *_own_response_fields(EXAMPLES.get(name))):
        if not meaning_of(kind, field):
            yield field


def _split(name: str) -> tuple[str, str]:
    method, path = name.split(" ")
    return method, f"[`{path}`](#{_anchor(name)})"


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.])\s", text, maxsplit=1)[0].removesuffix(":")


def _section(name: str) -> str:
    where, kind, fields = REQUEST_FIELDS.get(name, ("", None, ()))
    example = EXAMPLES.get(name)
    return joined(
        f"### {name} {{ #{_anchor(name)} }}",
        descriptions.ROUTES.get(name, ""),
        table(("field", "where", "meaning"), ((code(f), where, meaning_of(kind, f)) for f in fields))
        if fields
        else "",
        _response_fields(example),
        _request(name, example) if example else "",
        _response(example) if example else "",
    ).strip()


def _own_response_fields(example: RestExample | None) -> list[str]:
    return list(example.response or {}) if example is not None and example.kind is None else []


def _response_fields(example: RestExample | None) -> str:
    if example is not None and example.kind is not None:
        return f"Response: [{example.kind.__name__}](websocket.md#{example.kind.__name__.lower()})."
    fields = _own_response_fields(example)
    rows = ((code(field), meaning_of(None, field)) for field in fields)
    return table(("key of the response", "meaning"), rows) if fields else ""


def meaning_of(kind: type[msgspec.Struct] | None, field: str) -> str:
    """Return the meaning of a field of a request or response."""
    if kind is not None and field in kind.__struct_fields__:
        return meaning(kind, field)
    return descriptions.REST_FIELDS.get(field, "")


def _request(name: str, example: RestExample) -> str:
    method, path = name.split(" ")
    upload_id = EXAMPLES["GET /api/uploads/{id}/"].response["id"]  # type: ignore[index]
    values = {
        "{session_id}": SESSION_ID,
        "{webhook_id}": WEBHOOK_ID,
        "{delivery_id}": DELIVERY_ID,
        "{resumable_id}": DELIVERY_ID,
        "{id}": upload_id,
        "{n}": "1",
        "{k}": "1",
        "{reading}": "1",
        "{other}": "2",
    }
    for parameter, value in values.items():
        path = path.replace(parameter, value)
    lines = [f"{method} {path}{'?' if example.query else ''}{example.query}"]
    lines += [f"{header}: {value}" for header, value in example.headers.items()]
    if example.body is not None:
        lines += ["", json.dumps(example.body, ensure_ascii=False)]
    if example.file:
        lines += ["", f"({example.file})"]
    return block("\n".join(lines), "text", "request")


def _response(example: RestExample) -> str:
    title = f"response, {example.status}"
    if example.response is None:
        return f"Response {example.status}: {example.note}."
    note = f"With it comes {example.note.removeprefix('and ')}." if example.note else ""
    return joined(json_block(example.response, title), note).strip()


def _below(prefix: str, patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _below(prefix + str(pattern.pattern), pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def _route(path: str, view: Any) -> tuple[str, tuple[str, ...]]:
    described = getattr(view, "view_class", None) or inspect.unwrap(view)
    methods = tuple(method for method in METHODS if hasattr(described, method)) or SAFE
    return _shown(path), tuple(method.upper() for method in methods)


def _shown(path: str) -> str:
    return CONVERTER.sub(lambda found: f"{{{SHORT.get(found[1], found[1])}}}", path)
