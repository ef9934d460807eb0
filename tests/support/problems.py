"""Checks of errors over HTTP, which are `application/problem+json`."""

from __future__ import annotations

import json
from typing import Any, Protocol

from django.http import HttpResponse

KEYS = {"type", "title", "status", "detail", "code", "retryable", "errors"}


class Response(Protocol):
    """A response of httpx."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Any: ...
    @property
    def content(self) -> bytes: ...


def problem_of(response: Response | HttpResponse) -> dict[str, Any]:
    """Return the problem in a response to an error; its form is checked."""
    problem: dict[str, Any] = json.loads(response.content)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem.keys() == KEYS, problem
    assert problem["status"] == response.status_code
    assert problem["type"] == f"/api/problems#{problem['code']}"
    assert problem["detail"]
    assert all(problem["errors"].values())
    return problem


def errors_of(response: Response | HttpResponse) -> dict[str, str]:
    """Return the sentence for each field; `detail` has it if no field is at fault."""
    problem = problem_of(response)
    fields: dict[str, str] = problem["errors"]
    return fields or {"detail": problem["detail"]}
