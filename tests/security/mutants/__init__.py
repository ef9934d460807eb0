"""Guards that are taken out of the code, one at a time: each removal must turn a test red.

    python -m tests.security.mutants            # all; some minutes
    python -m tests.security.mutants m2 s06     # those of some findings

A mutant is a change of one place in a copy of the checkout. `pytest` does not collect this package.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change that removes a guard.

    finding: letter and number of the finding, such as `m2`.
    file: the changed file, below the checkout.
    old: text that occurs in it.
    new: text in its place; its first occurrence is replaced.
    tests: arguments of pytest that select tests of which one must fail.
    """

    finding: str
    file: str
    old: str
    new: str
    tests: str
