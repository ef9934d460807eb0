"""Errors as `application/problem+json`: their codes, and the headers of their statuses."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import pytest
from django.http import HttpRequest

from backend_main.core.errors import (
    BodyTooLarge,
    FileTooLarge,
    PendingLimitExceeded,
    RequestError,
    ScanrillError,
    ServerBusy,
    ShuttingDown,
    SignInLimited,
    Unauthenticated,
)
from backend_main.core.http import problems
from backend_main.core.http.http_errors import MethodNotAllowed, RangeNotSatisfiable
from tests.support.problems import errors_of, problem_of


def test_codes_are_words_and_those_with_one_code_have_one_status() -> None:
    statuses_by_code = defaultdict(set)
    for kind in problems.error_kinds():
        if "code" in vars(kind):
            statuses_by_code[kind.code].add(kind.http_status)
    assert not {code: statuses for code, statuses in statuses_by_code.items() if len(statuses) > 1}
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in statuses_by_code)


@pytest.mark.parametrize(
    ("error", "code", "retryable", "fields"),
    [
        (FileTooLarge("file", 10), "file_too_large", False, {"file"}),
        (RequestError({"a": "One.", "b": "Two."}), "invalid_request", False, {"a", "b"}),
        (RequestError({"message": "No object."}), "invalid_request", False, {"detail"}),
        (BodyTooLarge(10), "body_too_large", False, {"detail"}),
        (ShuttingDown(), "shutting_down", True, {"detail"}),
        (Unauthenticated("No token."), "unauthenticated", False, {"detail"}),
        (ScanrillError("A defect."), "internal_error", False, {"detail"}),
    ],
)
def test_response_to_an_error_is_a_problem(
    error: ScanrillError, code: str, fields: set[str], *, retryable: bool
) -> None:
    response = problems.error_response(error)
    problem = problem_of(response)
    assert (problem["code"], problem["retryable"]) == (code, retryable)
    assert errors_of(response).keys() == fields
    assert problem["detail"] == " ".join(error.fields.values())


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (PendingLimitExceeded("file", 3), "Retry-After", "5"),
        (ServerBusy(), "Retry-After", "5"),
        (ShuttingDown(), "Retry-After", "5"),
        (SignInLimited(17), "Retry-After", "17"),
        (Unauthenticated("No token."), "WWW-Authenticate", "Bearer"),
        (MethodNotAllowed("PUT", ["GET", "OPTIONS"]), "Allow", "GET, OPTIONS"),
        (RangeNotSatisfiable(7), "Content-Range", "bytes */7"),
    ],
)
def test_response_to_an_error_has_the_headers_of_its_status(
    error: ScanrillError, name: str, value: str
) -> None:
    assert problems.error_response(error).headers[name] == value


def test_every_429_and_503_says_when_to_try_again() -> None:
    for kind in problems.error_kinds():
        if kind.http_status in (202, 429, 503):
            error = kind.__new__(kind)
            assert int(error.headers["Retry-After"]) > 0, kind
            assert kind.is_retryable, kind


async def test_list_of_problems_has_each_code_once() -> None:
    response = await problems.problems_view(HttpRequest())
    listed = json.loads(response.content)["problems"]
    codes = [problem["code"] for problem in listed]
    assert codes == sorted(set(codes))
    assert {
        "code": "upload_not_found",
        "title": "Upload not found",
        "status": 404,
        "retryable": False,
    } in listed
    assert "command_failed" not in codes
