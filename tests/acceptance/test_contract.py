"""The server keeps its OpenAPI document: schemathesis sends valid and invalid requests for each operation.

No response may have an undocumented status, media type or JSON, or be an internal error. The requests come
from the owner of an upload, from another user, and from a program with an API key that may only read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend_main import contract
from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.server import Server

SCHEMA: Any = schemathesis.openapi.from_dict(json.loads(contract.document("openapi.json")))
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
# A stream does not end; the tests of event streams read them.
STREAMS = ("GET /api/events", "GET /api/uploads/{id}/events")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES, EXAMPLES_OF_OTHERS, EXAMPLES_SLOW = 4, 3, 100
TIMEOUT_SECONDS = 60
NAMES = [name for name in OPERATIONS if name not in STREAMS]
PRIVATE = [name for name in NAMES if OPERATIONS[name].definition.raw.get("security") != []]
OF_UPLOADS = [name for name in PRIVATE if "{id}" in name]
# An API key may not manage keys and sessions, and one that may only read may not do what is not a GET.
READABLE = [name for name in PRIVATE if re.match(r"GET (?!/api/(keys|sessions))", name)]


class Caller(NamedTuple):
    """The client that sends the requests, and the upload that half of them are about."""

    server: Server
    headers: dict[str, str]
    upload_id: str


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, Account.create(server).mint())
    upload_of(http_client, "first")  # until a reader is ready, `/readyz` is 503
    yield http_client
    http_client.http.close()


@pytest.fixture(scope="module")
def unchanged_upload(http_client: HttpClient) -> str:
    """The id of an upload whose owner changes nothing."""
    return upload_of(http_client, "unchanged")


@pytest.fixture(scope="module")
def read_key(http_client: HttpClient, unchanged_upload: str) -> Caller:
    created = http_client.http.post("/api/keys", json={"name": "reader", "scope": "read"})
    headers = {"Authorization": f"Bearer {created.json()['key']}"}
    return Caller(http_client.server, headers, unchanged_upload)


@pytest.fixture(scope="module")
def other_user(server: Server, unchanged_upload: str) -> Caller:
    return Caller(server, Account.create(server).headers, unchanged_upload)


def upload_of(http_client: HttpClient, text: str) -> str:
    """Create and read an upload, and return its id."""
    return http_client.read(scripted_png(lines=[text])).rpartition("/")[2]


def owner(http_client: HttpClient, name: str) -> Caller:
    """Return the user with an upload of the operation's own."""
    headers = {"Authorization": f"Bearer {http_client.token}"}
    upload_id = upload_of(http_client, name) if "{id}" in name else ""
    return Caller(http_client.server, headers, upload_id)


def any_status(_response: requests.Response) -> None:
    """Accept each status of the contract."""


def scope_missing(response: requests.Response) -> None:
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


def scope_sufficient(response: requests.Response) -> None:
    assert response.status_code != 403


def refused(response: requests.Response) -> None:
    assert response.status_code in (400, 404, 415)


def check(
    name: str,
    caller: Caller,
    examples: int,
    check_status: Callable[[requests.Response], None] = any_status,
) -> None:
    """Send requests for an operation: some to an upload that exists, others with other ids."""
    operation = OPERATIONS[name]
    ids = {"id": caller.upload_id, "n": 1, "k": 1, "reading": 1, "other": 1}
    known = {key: value for key, value in ids.items() if f"{{{key}}}" in name}
    modes = [operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    if known:
        modes.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(modes))
    def send(case: Any) -> None:
        headers = caller.headers | {"Prefer": "wait=0"}
        response = case.call(
            base_url=caller.server.http, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        case.validate_response(response, checks=CHECKS)
        if case.meta.generation.mode is GenerationMode.POSITIVE:
            check_status(response)

    send()


@pytest.mark.parametrize("name", NAMES)
def test_responses_of_the_operation_conform_to_the_contract(name: str, http_client: HttpClient) -> None:
    check(name, owner(http_client, name), EXAMPLES)


@pytest.mark.parametrize("name", PRIVATE)
def test_responses_to_a_key_that_may_only_read_conform_to_the_contract(name: str, read_key: Caller) -> None:
    check(name, read_key, EXAMPLES_OF_OTHERS, scope_sufficient if name in READABLE else scope_missing)


@pytest.mark.parametrize("name", OF_UPLOADS)
def test_responses_to_another_user_conform_to_the_contract(name: str, other_user: Caller) -> None:
    check(name, other_user, EXAMPLES_OF_OTHERS, refused)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_responses_of_the_operation_conform_to_the_contract(name: str, http_client: HttpClient) -> None:
    check(name, owner(http_client, name), EXAMPLES_SLOW)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIVATE)
def test_many_responses_to_others_conform_to_the_contract(
    name: str, read_key: Caller, other_user: Caller
) -> None:
    check(name, read_key, EXAMPLES_SLOW, scope_sufficient if name in READABLE else scope_missing)
    check(name, other_user, EXAMPLES_SLOW, refused if name in OF_UPLOADS else any_status)
