"""Error classes, and the tree of them in the docstring of `errors`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from backend_main.core import errors
from backend_main.core.errors import ScanrillError


class Row(NamedTuple):
    """Row of the tree in the docstring."""

    name: str
    depth: int
    numbers: set[int]
    text: str


def documented_rows() -> list[Row]:
    """Parse the tree in the docstring."""
    assert errors.__doc__
    pattern = re.compile(r"^(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?P<numbers>[ \d]*)(?P<text>.*)$")
    rows = []
    for line in errors.__doc__.strip().splitlines()[2:]:
        if match := pattern.match(line):
            depth = len(match["branch"]) // 4
            rows.append(Row(match["name"], depth, set(map(int, match["numbers"].split())), match["text"]))
    return rows


def error_classes(
    kind: type[ScanrillError] = ScanrillError, depth: int = 0
) -> Iterator[tuple[type[ScanrillError], int]]:
    yield kind, depth
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from error_classes(below, depth + 1)


def test_documented_tree_has_all_classes_in_order() -> None:
    assert [(row.name, row.depth) for row in documented_rows()] == [
        (kind.__name__, depth) for kind, depth in error_classes()
    ]


def test_documented_codes_are_those_of_the_classes() -> None:
    for row in documented_rows()[1:]:
        kind = getattr(errors, row.name)
        own = {kind.http_status, kind.close_code} - {ScanrillError.http_status, ScanrillError.close_code}
        assert row.numbers == own, row.name


def test_documented_tree_says_where_reconnecting_helps() -> None:
    for row in documented_rows():
        kind = getattr(errors, row.name)
        if row.numbers and max(row.numbers) > 4000 and kind.__name__ != "UploadNotFound":
            assert kind.is_final == ("reconnect" not in row.text), row.name


def test_error_codes_are_unique_and_close_codes_private() -> None:
    kinds = [kind for kind, _depth in error_classes() if "code" in vars(kind)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.close_code == 1011 or 4000 <= kind.close_code <= 4999 for kind in kinds)


def test_request_error_joins_all_fields_in_one_line() -> None:
    assert str(errors.RequestError({"a": "Wrong.", "b": "Missing."})) == "a: Wrong.; b: Missing."
