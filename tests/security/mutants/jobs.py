"""Guards of the job queue."""

from __future__ import annotations

from . import Mutant

MUTANTS = [
    Mutant(
        "h10",
        "backend_main/core/jobs/slow_owners.py",
        "yield frozenset(self._until) if is_full else frozenset()",
        "yield frozenset()",
        "test_h10_slow_owners.py -k leave",
    ),
    Mutant(
        "h10",
        "backend_main/core/tasks.py",
        "            self._slow_owners.add(claim.owner_id)\n",
        "            pass\n",
        "test_h10_slow_owners.py -k reader_leaves",
    ),
]
