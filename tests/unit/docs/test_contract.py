"""The contracts: they are valid, current and complete, and the transcripts and examples conform to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from backend_main import contract
from docs import contract as generator
from docs.contract import openapi
from docs.generate.rest_examples import EXAMPLES
from docs.generate.transcripts import filled

VECTORS = sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))
ASYNCAPI_SCHEMA = Path(__file__).parents[2] / "support" / "asyncapi" / "3.0.0.json"
OPENAPI: dict[str, Any] = json.loads(contract.document("openapi.json"))
ASYNCAPI: dict[str, Any] = json.loads(contract.document("asyncapi.json"))
MESSAGES = [name for name in ASYNCAPI["components"]["messages"] if not name.startswith("request.")]


def _validator(document: dict[str, Any], *schemas: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return the validator of any of the schemas of a document."""
    return jsonschema.Draft202012Validator({"anyOf": list(schemas), "components": document["components"]})


def _named(*names: str) -> list[dict[str, Any]]:
    return [{"$ref": f"#/components/schemas/{name}"} for name in names]


@pytest.mark.parametrize("name", generator.DOCUMENTS)
def test_contract_in_the_repository_is_what_the_generator_writes(name: str) -> None:
    assert generator.texts()[name].encode() == contract.document(name), "run `python -m docs.contract`"


def test_openapi_document_is_valid() -> None:
    validate(OPENAPI)


def test_asyncapi_document_is_valid() -> None:
    schema = json.loads(ASYNCAPI_SCHEMA.read_text())
    validator: Any = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(ASYNCAPI)] == []


def test_openapi_document_has_every_route() -> None:
    assert openapi.missing() == [], "add the route to docs/contract/operations.py"


def test_openapi_operations_have_ids_of_their_own() -> None:
    ids = [one["operationId"] for path in OPENAPI["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids)) > 40


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.response])
def test_rest_example_conforms_to_the_openapi_document(name: str) -> None:
    method, path = name.split(" ")
    found = OPENAPI["paths"][path][method.lower()]["responses"][str(EXAMPLES[name].status)]
    schema = found["content"]["application/json"]["schema"]
    _validator(OPENAPI, schema).validate(EXAMPLES[name].response)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_messages_of_the_transcript_conform_to_the_asyncapi_document(path: Path) -> None:
    messages = _validator(ASYNCAPI, *_named(*MESSAGES))
    steps = json.loads(path.read_text())["steps"]
    received = [step["message"] for step in steps if "message" in step]
    for step in steps:
        partials = step.get("partials", [])
        received += partials if isinstance(partials, list) else [partials]
    for message in received:
        messages.validate(_with_types(filled(message)))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_requests_of_the_transcript_conform_unless_they_get_an_error(path: Path) -> None:
    steps = json.loads(path.read_text())["steps"]
    for number, step in enumerate(steps):
        if "send" not in step:
            continue
        answers = [s for s in steps[number + 1 :] if s.get("to") == step["from"] and "message" in s]
        reply = answers[0]["message"] if answers else {}
        if not isinstance(reply.get("error"), dict):
            name = f"request.{step['send']['type']}"
            _validator(ASYNCAPI, *_named(name)).validate(filled(step["send"]))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "Upload.created"},
        {"type": "Upload.list", "list": [{}]},
        {"id": "a", "status": "processed", "type": "Upload.status", "raw_text": 1, "processed_text": ""},
    ],
)
def test_wrong_message_does_not_conform(message: dict[str, Any]) -> None:
    assert not _validator(ASYNCAPI, *_named(*MESSAGES)).is_valid(message)


def _with_types(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message whose placeholders of numbers are numbers."""
    return {key: 4 if value == "{number}" else value for key, value in message.items()}
