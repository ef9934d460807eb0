"""Document of the REST API in OpenAPI 3.1."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import msgspec

from backend_main import __version__
from backend_main.core.http.problems import MEDIA_TYPE as PROBLEM_TYPE

from ..generate import descriptions, errors, rest
from . import schemas
from .operations import JSON, OPERATIONS, PARAMETERS, TEXT, Operation
from .responses import Problem

BYTES = "application/octet-stream"
PATH_PARAMETER = re.compile(r"\{(\w+)\}")
TUS = "/api/tus"
EVERYWHERE = (400, 429, 503)
WITH_CREDENTIAL = (401, 403)
WITH_PATH = (404,)
WITH_BODY = (408, 411, 413, 415)
SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Access token or API key."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "subscriptionKey": {"type": "apiKey", "in": "header", "name": "Ocp-Apim-Subscription-Key"},
    "basic": {"type": "http", "scheme": "basic", "description": "API key as the password."},
}


def document() -> dict[str, Any]:
    """Return the document. Routes without an entry in `OPERATIONS` are missing: see `missing`."""
    names = [name for name in rest.names() if name in OPERATIONS]
    _, named = schemas.components([Problem, *dict.fromkeys(_types(names))])
    named["Problem"]["properties"]["code"]["enum"] = sorted(set(_codes()))
    paths: dict[str, Any] = defaultdict(dict)
    for name in names:
        method, path = name.split(" ")
        paths[path][method.lower()] = _operation(name, OPERATIONS[name])
    used = {status for name in names for status in _error_statuses(name, OPERATIONS[name])}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "scanrill",
            "version": __version__,
            "summary": "Uploads, their reading and their texts over HTTP.",
            "description": f"`{TUS}` is not part of it: tus 1.0 is its contract.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "paths": dict(paths),
        "components": {
            "schemas": named,
            "responses": {str(status): _problem(status) for status in sorted(used)},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def missing() -> list[str]:
    """Return the routes of the server without an entry, and the entries without a route."""
    return sorted({name for name in rest.names() if is_in_contract(name)} ^ set(OPERATIONS))


def is_in_contract(name: str) -> bool:
    """Return whether the document has this route: not the page, nor protocols with a contract elsewhere."""
    path = name.split(" ")[1]
    return path in ("/healthz", "/readyz") or (path.startswith("/api/") and not path.startswith(TUS))


def _types(names: list[str]) -> list[Any]:
    found = (
        kind
        for name in names
        for kind in (
            OPERATIONS[name].response,
            OPERATIONS[name].body,
            *OPERATIONS[name].others.values(),
        )
    )
    return [kind for kind in found if kind is not None]


def _operation(name: str, operation: Operation) -> dict[str, Any]:
    method, path = name.split(" ")
    about = schemas.plain(descriptions.ROUTES.get(name, ""))
    made: dict[str, Any] = {
        "operationId": "_".join([method.lower(), *re.findall(r"\w+", path.removeprefix("/api"))]),
        "summary": re.split(r"(?<=[.])\s", about, maxsplit=1)[0],
        "description": about,
        "parameters": [*map(_path_parameter, PATH_PARAMETER.findall(path)), *_query(name)],
        "responses": _responses(name, operation),
    }
    if operation.is_public:
        made["security"] = []
    if operation.receives_file:
        made["requestBody"] = _file_body()
    elif operation.body is not None:
        made["requestBody"] = {"content": {JSON: {"schema": _ref(operation.body)}}}
    return made


def _path_parameter(name: str) -> dict[str, Any]:
    is_id = name.endswith("id")
    schema = {"type": "string", "format": "uuid"} if is_id else {"type": "integer", "minimum": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str) -> list[dict[str, Any]]:
    where, kind, fields = rest.REQUEST_FIELDS.get(name, ("", None, ()))
    if not where.startswith("query"):
        return []
    return [
        {
            "name": field,
            "in": "query",
            "schema": _parameter_schema(kind, field),
            "description": schemas.plain(rest.meaning_of(kind, field)),
        }
        for field in fields
    ]


def _parameter_schema(kind: type[msgspec.Struct] | None, field: str) -> dict[str, Any]:
    types = {known.name: known.type for known in msgspec.structs.fields(kind)} if kind else {}
    if field not in types:
        return PARAMETERS.get(field, TEXT)
    (schema,), _ = schemas.components([types[field]])
    options = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    # A list is one value with commas.
    return TEXT if options[0].get("type") in ("array", "object") else options[0]


def _file_body() -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": BYTES}
    form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    link = {"type": "object", "properties": {"url": {"type": "string", "format": "uri"}}}
    return {
        "required": True,
        "content": {
            BYTES: {"schema": file},
            "multipart/form-data": {"schema": form},
            JSON: {"schema": link | {"required": ["url"]}},
        },
    }


def _responses(name: str, operation: Operation) -> dict[str, Any]:
    found = {str(operation.status): _success(operation)}
    for status, kind in operation.others.items():
        media_type = PROBLEM_TYPE if kind is Problem else JSON
        content = {media_type: {"schema": _ref(kind)}} if kind else {media: {} for media in operation.media}
        found[str(status)] = {"description": f"Status {status}.", "content": content}
    if name.startswith("GET ") and not operation.is_public:
        found["304"] = {"description": "The client has the response already: see `If-None-Match`."}
    for status in _error_statuses(name, operation):
        found.setdefault(str(status), {"$ref": f"#/components/responses/{status}"})
    return dict(sorted(found.items()))


def _success(operation: Operation) -> dict[str, Any]:
    if operation.response is not None:
        return {"description": "Success.", "content": {JSON: {"schema": _ref(operation.response)}}}
    content: dict[str, Any] = {media: {} for media in operation.media}
    return {"description": "Success.", "content": content} if content else {"description": "Success."}


def _error_statuses(name: str, operation: Operation) -> list[int]:
    has_body = not name.startswith("GET ")
    found = {*EVERYWHERE, *operation.errors}
    found |= set() if operation.is_public else set(WITH_CREDENTIAL)
    found |= set(WITH_PATH) if "{" in name else set()
    found |= set(WITH_BODY) if has_body else set()
    return sorted(found)


def _problem(status: int) -> dict[str, Any]:
    codes = sorted({kind.code for kind in errors.classes() if kind.http_status == status})
    return {
        "description": f"Codes: {', '.join(f'`{code}`' for code in codes)}.",
        "content": {PROBLEM_TYPE: {"schema": _ref(Problem)}},
    }


def _codes() -> list[str]:
    return [kind.code for kind in errors.classes()]


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": schemas.REF.format(name=kind.__name__)}
