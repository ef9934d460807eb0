"""The mutants fit the code: each changes one place that exists. `make mutants` runs them."""

from __future__ import annotations

from .mutants.__main__ import MUTANTS, ROOT


def test_mutants_change_one_place_each() -> None:
    counts = {mutant: (ROOT / mutant.file).read_text().count(mutant.old) for mutant in MUTANTS}
    assert [mutant for mutant, count in counts.items() if count != 1] == []
