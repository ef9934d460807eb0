"""Short run of the fuzzing; `make fuzz` is the long one."""

from __future__ import annotations

import pytest

from .fuzz import fuzz
from .fuzz.targets import TARGETS

EXAMPLES = {"pdf": 20, "restore": 100}
DEFAULT_EXAMPLES = 300


@pytest.mark.parametrize("name", TARGETS)
def test_parser_of_changed_input_neither_fails_nor_is_slow(name: str) -> None:
    fuzz(TARGETS[name], EXAMPLES.get(name, DEFAULT_EXAMPLES))
