"""Guards of the job queue."""

from __future__ import annotations

from . import Mutant

MUTANTS = [
    Mutant(
        "h10",
        "backend_main/core/jobs/long_pages.py",
        "            page.interrupt()\n",
        "            pass\n",
        "test_h10_long_pages.py -k youngest",
    ),
    Mutant(
        "h10",
        "backend_main/core/jobs/long_pages.py",
        "            if page.claim.owner_id in slow:\n",
        "            if False:\n",
        "test_h10_long_pages.py -k no_page_of_a_slow_owner",
    ),
    Mutant(
        "h10",
        "backend_main/core/jobs/slow_owners.py",
        "yield owners if is_full else frozenset()",
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
