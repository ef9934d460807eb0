"""The tree of errors is the one that its module shows, and nothing in it has no place there."""

from __future__ import annotations

import inspect
import re

import pytest
import scanrill_client
from scanrill_client import Cancelled, Finished, ReadingFailed, ScanrillError, errors


def depth(kind: type) -> int:
    return kind.__mro__.index(ScanrillError)


PRINTED = re.findall(r"^([│├└─ ]*)([A-Z]\w+)(?:  |$)", errors.__doc__ or "", re.MULTILINE)


def test_the_module_prints_its_tree() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    defined = {kind.__name__ for kind in kinds if issubclass(kind, ScanrillError)}
    assert {name for _, name in PRINTED} == defined
    assert defined <= set(scanrill_client.__all__)


def test_each_error_stands_below_its_base() -> None:
    above: dict[int, str] = {}
    for marks, name in PRINTED:
        level = len(marks) // 4
        kind = getattr(errors, name)
        assert depth(kind) == level
        if level:
            assert kind.__base__.__name__ == above[level - 1]
        above[level] = name


@pytest.mark.parametrize(("status", "kind"), [("error", ReadingFailed), ("cancelled", Cancelled)])
def test_an_end_without_a_text_raises_the_sentence_of_the_server(status: str, kind: type) -> None:
    ended = Finished(id="u", status=status, error="The page is too large.")
    with pytest.raises(kind, match="The page is too large") as raised:
        ended.result()
    assert raised.value.upload_id == "u"
