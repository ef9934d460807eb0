"""The server keeps its OpenAPI document: schemathesis sends valid and invalid requests for each operation.

No response may have an undocumented status, media type or JSON, or be an internal error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
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
EXAMPLES, EXAMPLES_SLOW = 4, 100
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


def check(name: str, http_client: HttpClient, examples: int) -> None:
    """Send requests for an operation: half to an upload that exists, half with other ids."""
    operation = OPERATIONS[name]
    path = http_client.read(scripted_png(lines=[name])) if "{id}" in name else ""
    ids = {"id": path.rpartition("/")[2], "n": 1, "k": 1, "reading": 1, "other": 1}
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
        headers = {"Authorization": f"Bearer {http_client.token}", "Prefer": "wait=0"}
        response = case.call(
            base_url=http_client.server.http, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        case.validate_response(response, checks=CHECKS)

    send()


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in STREAMS])
def test_responses_of_the_operation_conform_to_the_contract(name: str, http_client: HttpClient) -> None:
    check(name, http_client, EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in STREAMS])
def test_many_responses_of_the_operation_conform_to_the_contract(name: str, http_client: HttpClient) -> None:
    check(name, http_client, EXAMPLES_SLOW)
