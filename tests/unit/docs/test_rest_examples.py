"""Tests that the examples of the REST reference are valid messages."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec import UnsetType, convert

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
        for item in example.response[key]:
            convert(item, type=kind)
            config = kind.__struct_config__
            keys = [key for key in item if config.tag is None or key != config.tag_field]
            if config.omit_defaults:
                assert set(keys) <= set(kind.__struct_fields__)
            else:
                assert keys == list(kind.__struct_fields__)
