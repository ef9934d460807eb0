"""Errors as `application/problem+json` (RFC 9457): the only form that REST has for them."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from ..errors import CommandError, ScanrillError

MEDIA_TYPE = "application/problem+json"
TYPES_PATH = "/api/problems"
"""The types are references to this path, wherever the server is, so that programs can compare them."""
# Keys of `ScanrillError.fields` that name no field of a request.
NO_FIELDS = frozenset({"detail", "server", "message"})


def problem(error: ScanrillError) -> dict[str, Any]:
    """Return the problem details of an error."""
    return {
        "type": f"{TYPES_PATH}#{error.code}",
        "title": title_of(error.code),
        "status": error.http_status,
        "detail": " ".join(error.fields.values()),
        "code": error.code,
        "retryable": error.is_retryable,
        "errors": {name: text for name, text in error.fields.items() if name not in NO_FIELDS},
    }


def title_of(code: str) -> str:
    """Return the title of all errors with this code: its words."""
    return code.replace("_", " ").capitalize()


def encode_problem(error: ScanrillError) -> bytes:
    """Return the body of the response to an error."""
    return msgspec.json.encode(problem(error))


def error_kinds() -> list[type[ScanrillError]]:
    """Return all classes of errors that are loaded: the tree below `ScanrillError`, from the top."""
    return _below(ScanrillError)


def _below(kind: type[ScanrillError]) -> list[type[ScanrillError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _below(sub))]


async def problems_view(_request: HttpRequest) -> HttpResponse:
    """Serve `GET /api/problems`: the codes of all problems, to which their types refer."""
    kinds = {kind.code: kind for kind in reversed(error_kinds()) if kind is not CommandError}
    problems = [
        {
            "code": code,
            "title": title_of(code),
            "status": kinds[code].http_status,
            "retryable": kinds[code].is_retryable,
        }
        for code in sorted(kinds)
    ]
    return HttpResponse(msgspec.json.encode({"problems": problems}), content_type="application/json")


def error_response(error: ScanrillError) -> HttpResponse:
    """Return the response of a view to an error."""
    return HttpResponse(
        encode_problem(error), status=error.http_status, content_type=MEDIA_TYPE, headers=error.headers
    )
