"""Guards of the process that decodes files, and of its limits."""

from __future__ import annotations

from . import Mutant

CHILD = "backend_main/reading/child_process"
SANDBOX = "backend_main/sandbox"

MUTANTS = [
    Mutant(
        "h9",
        f"{SANDBOX}/confinement.py",
        'self._take("landlock", lambda: enter_domain(self._policy, programs))',
        "pass",
        "test_h9_confined_decoder.py",
    ),
    Mutant(
        "h9",
        f"{SANDBOX}/confinement.py",
        'self._take("seccomp", lambda: install_filter(self._policy))',
        "pass",
        "test_h9_confined_decoder.py",
    ),
    Mutant(
        "h9",
        f"{SANDBOX}/confinement.py",
        'self._take("limits", resource_limits.apply_limits)',
        "pass",
        "test_h9_confined_decoder.py",
    ),
    Mutant(
        "m5",
        f"{CHILD}/page_budget.py",
        "if self._waited_seconds > self._seconds:",
        "if reply is None and self._waited_seconds > self._seconds:",
        "test_m5_page_limits.py -k time_limit",
    ),
    Mutant(
        "m5",
        f"{CHILD}/page_budget.py",
        "if self._child.resident_bytes() > self._max_memory_bytes:",
        "if False:",
        "test_m5_page_limits.py -k between_lines",
    ),
    Mutant(
        "m5",
        f"{CHILD}/page_budget.py",
        "return previous_page < reply.number <= last_page and",
        "return",
        "test_m5_page_limits.py -k done_again",
    ),
    Mutant(
        "m5",
        f"{SANDBOX}/resource_limits.py",
        "    _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + max_bytes)\n",
        "",
        "test_m5_page_limits.py -k at_once",
    ),
    Mutant(
        "m6",
        f"{CHILD}/child_log.py",
        "kept = data[: MAX_BYTES_PER_PAGE - self._copied_bytes]",
        "kept = data",
        "test_m6_log_flood.py -k cut_off",
    ),
    Mutant(
        "m6",
        f"{CHILD}/child_log.py",
        "mark_controls(self._decoder.decode(kept))",
        "self._decoder.decode(kept)",
        "test_m6_log_flood.py -k control",
    ),
]
