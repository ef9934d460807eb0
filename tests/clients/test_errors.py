"""Tree of errors: the docstring of the module shows it as the classes define it."""

from __future__ import annotations

import inspect
import re

import pytest
import scanrill_client
from scanrill_client import Cancelled, Finished, ReadingFailed, ScanrillError, errors


def depth(kind: type) -> int:
    return kind.__mro__.index(ScanrillError)


PRINTED = re.findall(r"^([│├└─ ]*)([A-Z]\w+)(?:  |$)", errors.__doc__ or "", re.MULTILINE)


def test_error_tree_in_the_docstring_lists_all_exported_errors() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    defined = {kind.__name__ for kind in kinds if issubclass(kind, ScanrillError)}
    assert {name for _, name in PRINTED} == defined
    assert defined <= set(scanrill_client.__all__)


def test_error_tree_in_the_docstring_shows_the_base_of_each_error() -> None:
    base_at: dict[int, str] = {}
    for prefix, name in PRINTED:
        level = len(prefix) // 4
        kind = getattr(errors, name)
        assert depth(kind) == level
        if level:
            assert kind.__bases__[0].__name__ == base_at[level - 1]
        base_at[level] = name


@pytest.mark.parametrize(("status", "kind"), [("error", ReadingFailed), ("cancelled", Cancelled)])
def test_finished_result_without_text_raises_the_server_message(status: str, kind: type) -> None:
    ended = Finished(id="u", status=status, error="The page is too large.")
    with pytest.raises(kind, match="The page is too large") as raised:
        ended.result()
    assert raised.value.upload_id == "u"
