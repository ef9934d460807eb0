"""The plan of a soak: user actions and faults, generated from a seed in advance; pure.

An equal seed, length, number of users, mode and speed-up give an equal plan. A `selector` is in [0, 1): it
selects among the uploads or processes that exist at that time, which the plan cannot know.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

# The mean interval between two actions of a user.
ACTION_INTERVAL_SECONDS = 15.0
# The share of users with two clients, and of `create` actions that another action follows at once.
SECOND_CLIENT = FOLLOW_UP = 0.25
FOLLOW_UP_SECONDS = 0.5
SELECT_NEWEST = 0.9999
STREAMS = ("pages", "pages", "delta", "full")
# Fatal faults happen only in the first third; then the memory trend of the surviving processes is measured.
FATAL_FAULTS_SHARE = 1 / 3

ACTION_WEIGHTS = {
    "create": 40,
    "resubmit": 3,
    "cancel": 9,
    "retry": 8,
    "delete": 14,
    "rename": 4,
    "correct": 4,
}
ACTION_WEIGHTS |= {"list": 5, "drop": 13}

DOCUMENT_WEIGHTS = {
    "scan": 40,
    "tiff": 24,
    "pdf": 16,
    "long": 3,
    "crashing once": 2,
    "crashing": 1,
    "failing": 2,
}
DOCUMENT_WEIGHTS |= {"broken": 5, "rejected": 7}
PAGE_COUNT_RANGES = {"tiff": (2, 6), "pdf": (1, 3), "long": (8, 20), "crashing once": (1, 2)}


@dataclass(frozen=True, slots=True)
class DocumentSpec:
    """A document. The server rejects `rejected` ones; `broken`, `crashing` and `failing` end in error."""

    kind: str
    name: str
    pages: int
    line_seconds: float


@dataclass(frozen=True, slots=True)
class UserAction:
    """A user's action, `at` seconds after the start."""

    at: float
    kind: str
    selector: float
    document: DocumentSpec | None = None
    pages: str | None = None
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, `at` seconds after the start; targets that do not recover are restored after `seconds`."""

    at: float
    kind: str
    selector: float
    seconds: float


@dataclass(frozen=True, slots=True)
class UserPlan:
    """The actions of a user. `streams` are its clients' stream modes, `transport` carries the requests."""

    name: str
    streams: tuple[str, ...]
    transport: str
    actions: tuple[UserAction, ...]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """The interval and duration of a fault; `fatal` faults also hit processes with a memory trend."""

    interval_seconds: float
    min_seconds: float = 0.0
    max_seconds: float = 0.0
    fatal: bool = False


READER_FAULTS = {"kill reader": FaultKind(9), "freeze reader": FaultKind(40, 0.5, 3)}
EMBEDDED_FAULTS = READER_FAULTS | {
    "kill server": FaultKind(15, 0, 2, fatal=True),
    "stop server": FaultKind(30, 0, 1, fatal=True),
    "hold database": FaultKind(45, 0.5, 3),
}
SCALED_FAULTS = READER_FAULTS | {
    "kill worker": FaultKind(35, 0, 4),
    "stop worker": FaultKind(60, 0, 2),
    # May exceed the lease: another worker then takes over the job.
    "freeze worker": FaultKind(90, 1, 22),
    "kill web process": FaultKind(40),
    "kill server": FaultKind(50, 0, 2, fatal=True),
    "stop server": FaultKind(60, 0, 1, fatal=True),
    "kill everything": FaultKind(60, 0, 2, fatal=True),
    "end connections": FaultKind(25),
    "restart database": FaultKind(150, 0, 1),
    "stop redis": FaultKind(60, 0.2, 3),
    "flush redis": FaultKind(45),
    "freeze redis": FaultKind(60, 0.5, 2),
    "drop subscriptions": FaultKind(45),
    "close bucket": FaultKind(60, 0.5, 3),
    "freeze bucket": FaultKind(60, 0.5, 2),
}
FAULTS_BY_MODE = {"embedded": EMBEDDED_FAULTS, "scaled": SCALED_FAULTS}


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions and faults of a soak."""

    seed: int
    seconds: float
    mode: str
    users: tuple[UserPlan, ...]
    faults: tuple[Fault, ...]

    @property
    def digest(self) -> str:
        """A short hash that is equal for equal plans."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def action_counts(self) -> Counter[str]:
        """Return the number of planned actions of each kind."""
        return Counter(action.kind for user in self.users for action in user.actions)


def draw(seed: int, *, seconds: float, users: int, mode: str, speedup: float = 1.0) -> Plan:
    """Generate the plan; `speedup` divides all intervals and durations."""
    rng = Random(f"{seed} {seconds} {users} {mode} {speedup}")
    user_plans = tuple(
        _user(rng, number, seconds, ACTION_INTERVAL_SECONDS / speedup) for number in range(users)
    )
    faults = sorted(_faults(rng, seconds, FAULTS_BY_MODE[mode], speedup), key=lambda fault: fault.at)
    return Plan(seed, seconds, mode, user_plans, tuple(faults))


def _user(rng: Random, number: int, seconds: float, interval_seconds: float) -> UserPlan:
    name = f"user-{number}"
    clients = 2 if rng.random() < SECOND_CLIENT else 1
    streams = tuple(rng.choice(STREAMS) for _ in range(clients))
    times = _times(rng, interval_seconds, seconds)
    actions = [action for i, at in enumerate(times) for action in _actions(rng, at, f"{name}-{i}")]
    actions.sort(key=lambda action: action.at)
    return UserPlan(name, streams, rng.choice(["rest", "socket"]), tuple(actions))


def _times(rng: Random, interval_seconds: float, seconds: float) -> Iterator[float]:
    """Yield random times with a mean distance of `interval_seconds`."""
    at = rng.expovariate(1 / interval_seconds)
    while at < seconds:
        yield at
        at += rng.expovariate(1 / interval_seconds)


def _actions(rng: Random, at: float, name: str) -> Iterator[UserAction]:
    """Yield an action, and sometimes a follow-up on the newest upload while it is read."""
    yield (first := _action(rng, at, name))
    if first.kind == "create" and rng.random() < FOLLOW_UP:
        kind = rng.choice(["cancel", "cancel", "delete", "drop"])
        yield UserAction(at + rng.uniform(0, FOLLOW_UP_SECONDS), kind, SELECT_NEWEST)


def _action(rng: Random, at: float, name: str) -> UserAction:
    kind, selector = _weighted_choice(rng, ACTION_WEIGHTS), rng.random()
    if kind == "create":
        document = _document(rng, name)
        return UserAction(at, kind, selector, document, _page_range(rng, document.pages), rng.random() < 0.2)
    if kind == "retry":
        return UserAction(at, kind, selector, pages="1" if rng.random() < 0.3 else None)
    return UserAction(at, kind, selector)


def _document(rng: Random, name: str) -> DocumentSpec:
    kind = _weighted_choice(rng, DOCUMENT_WEIGHTS)
    return DocumentSpec(
        kind, name, rng.randint(*PAGE_COUNT_RANGES.get(kind, (1, 1))), rng.uniform(0.005, 0.04)
    )


def _page_range(rng: Random, pages: int) -> str | None:
    """Return a page range for one document in five with several pages, or None."""
    if pages == 1 or rng.random() > 0.2:
        return None
    first = rng.randint(1, pages)
    return f"{first}-{rng.randint(first, pages)}"


def _weighted_choice(rng: Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _faults(rng: Random, seconds: float, kinds: dict[str, FaultKind], speedup: float) -> Iterator[Fault]:
    for name, kind in kinds.items():
        until = seconds * (FATAL_FAULTS_SHARE if kind.fatal else 1)
        for at in _times(rng, kind.interval_seconds / speedup, until):
            yield Fault(at, name, rng.random(), rng.uniform(kind.min_seconds, kind.max_seconds) / speedup)
