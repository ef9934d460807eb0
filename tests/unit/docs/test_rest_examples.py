"""Tests that the examples of the REST reference are valid messages."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec import Struct, UnsetType, convert
from msgspec.structs import fields

from docs.generate.markdown import type_hints
from docs.generate.rest_examples import EXAMPLES


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.kind])
def test_response_has_the_fields_of_its_type_and_no_others(name: str) -> None:
    example = EXAMPLES[name]
    assert example.kind is not None
    assert example.response is not None
    hints = type_hints(example.kind)
    required = {name for name, hint in hints.items() if UnsetType not in get_args(hint)}
    assert required <= example.response.keys() <= hints.keys()
    for key, value in example.response.items():
        convert(value, type=hints[key], strict=False)


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.nested])
def test_objects_in_a_response_have_all_fields_of_their_type(name: str) -> None:
    example = EXAMPLES[name]
    assert example.response is not None
    for key, kind in example.nested.items():
        for item in example.objects(key):
            convert(item, type=kind)
            assert list(item) == [name for name in _names(kind) if name in item or name in _required(kind)]


def _names(kind: type[Struct]) -> list[str]:
    """Return the keys of a struct in the order of its JSON."""
    config = kind.__struct_config__
    return [*([config.tag_field or "type"] if config.tag else []), *kind.__struct_fields__]


def _required(kind: type[Struct]) -> set[str]:
    """Return the fields that are in the JSON of every struct of a type."""
    if kind.__struct_config__.omit_defaults:
        return {field.name for field in fields(kind) if field.required}
    return {name for name, hint in type_hints(kind).items() if UnsetType not in get_args(hint)}
