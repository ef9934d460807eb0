"""All measures in their order, and which of them are in force.

Most hold for one thread and for what it starts, so they come before any library. The filter of system calls
and the limit of memory hold for all threads, so they come last: a runtime may do more to load its models.
"""

import sys
from collections.abc import Callable
from contextlib import suppress

from . import privileges, resource_limits
from .kernel import Unsupported
from .landlock import enter_domain
from .measures import MEASURES, MeasureReport
from .policy import Policy
from .program_runner import start_runner
from .seccomp import install_filter


class Confinement:
    """The confinement of this process."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._reasons: dict[str, str] = {}

    def begin(self) -> None:
        """Take the measures that must come before any thread."""
        self._take("no_new_privs", privileges.forbid_new_privileges)
        self._take("limits", resource_limits.apply_limits)
        if self._policy.programs and sys.platform == "linux":
            start_runner(self._confine_runner, self._policy.programs)
        self._give_up_rights(())

    def complete(self) -> list[MeasureReport]:
        """Take the last measures, once everything is loaded; return a report about each measure."""
        if self._policy.max_memory_bytes:
            self._take("limits", lambda: resource_limits.limit_memory(self._policy.max_memory_bytes))
        self._take("seccomp", lambda: install_filter(self._policy))
        return [
            MeasureReport(name, name not in self._reasons, self._reasons.get(name, "")) for name in MEASURES
        ]

    def missing(self) -> list[MeasureReport]:
        """Return the required measures that are not in force."""
        return [
            MeasureReport(name, False, self._reasons[name])
            for name in self._policy.required
            if name in self._reasons
        ]

    def _confine_runner(self) -> None:
        self._give_up_rights(self._policy.programs)
        self._take("seccomp", lambda: install_filter(self._policy, runs_programs=True))

    def _give_up_rights(self, programs: tuple[str, ...]) -> None:
        readable = [*self._policy.readable, *self._policy.listable]
        self._take("landlock", lambda: enter_domain(self._policy, programs))
        self._take("user", lambda: privileges.become_unused_user(readable))
        self._take("capabilities", privileges.drop_capabilities)
        with suppress(Unsupported):  # another system than Linux; `no_new_privs` reports it
            privileges.forbid_inspection()

    def _take(self, measure: str, take: Callable[[], None]) -> None:
        try:
            take()
        except Unsupported as error:
            self._reasons[measure] = str(error)
        except (OSError, ValueError) as error:
            self._reasons[measure] = f"the kernel refused ({error})"


_current: Confinement | None = None


def begin(policy: Policy) -> None:
    """Begin the confinement of this process, which must not have threads."""
    global _current
    _current = Confinement(policy)
    _current.begin()


def current() -> Confinement | None:
    """Return the confinement of this process; None if it has none."""
    return _current
