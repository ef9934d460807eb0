"""What is to happen in a soak, drawn from a seed before anything happens; pure.

The same seed, length, number of users and mode give the same plan. `which` is in [0, 1): of what there is at
that time, as nobody can know before what will be there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

# From one act of a user to the next, on average.
ACTION_INTERVAL_SECONDS = 15.0
# One user in four has two clients, and one `create` in four is followed by another act at once.
SECOND_CLIENT = FOLLOW_UP = 0.25
FOLLOW_UP_SECONDS = 0.5
SELECT_NEWEST = 0.9999
STREAMS = ("pages", "pages", "delta", "full")
# The rest of a soak is for what was killed to come back; and the memory of those that live on is judged.
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

DOCUMENT_WEIGHTS = {"scan": 40, "tiff": 24, "pdf": 16, "long": 3, "stumbling": 2, "crashing": 1, "failing": 2}
DOCUMENT_WEIGHTS |= {"broken": 5, "refused": 7}
PAGE_COUNT_RANGES = {"tiff": (2, 6), "pdf": (1, 3), "long": (8, 20), "stumbling": (1, 2)}


@dataclass(frozen=True, slots=True)
class DocumentSpec:
    """A document. `refused` ones do not come in; `broken`, `crashing` and `failing` ones end in an error."""

    kind: str
    name: str
    pages: int
    line_seconds: float


@dataclass(frozen=True, slots=True)
class UserAction:
    """What a user does so many seconds after the beginning."""

    at: float
    kind: str
    selector: float
    document: DocumentSpec | None = None
    pages: str | None = None
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """An accident; what comes to harm comes back after `seconds`, where it does not by itself."""

    at: float
    kind: str
    selector: float
    seconds: float


@dataclass(frozen=True, slots=True)
class UserPlan:
    """`streams` are how live text comes to each of this user's clients, `over` how requests go."""

    name: str
    streams: tuple[str, ...]
    transport: str
    actions: tuple[UserAction, ...]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """It happens every so many seconds, and lasts so long; `fatal`: to those too whose memory is judged."""

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
    # Longer than its lease: what it read is another's when it comes to itself.
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
    seed: int
    seconds: float
    mode: str
    users: tuple[UserPlan, ...]
    faults: tuple[Fault, ...]

    @property
    def digest(self) -> str:
        """Of two plans that are the same, the same."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def action_counts(self) -> Counter[str]:
        """How often each act is planned."""
        return Counter(act.kind for user in self.users for act in user.actions)


def draw(seed: int, *, seconds: float, users: int, mode: str, speedup: float = 1.0) -> Plan:
    """The plan; `speedup` is how many times as often as otherwise all happens, and as quickly is over."""
    chance = Random(f"{seed} {seconds} {users} {mode} {speedup}")
    people = tuple(
        _user(chance, number, seconds, ACTION_INTERVAL_SECONDS / speedup) for number in range(users)
    )
    faults = sorted(_faults(chance, seconds, FAULTS_BY_MODE[mode], speedup), key=lambda fault: fault.at)
    return Plan(seed, seconds, mode, people, tuple(faults))


def _user(chance: Random, number: int, seconds: float, act_seconds: float) -> UserPlan:
    name = f"user-{number}"
    clients = 2 if chance.random() < SECOND_CLIENT else 1
    streams = tuple(chance.choice(STREAMS) for _ in range(clients))
    times = _times(chance, act_seconds, seconds)
    acts = [act for i, at in enumerate(times) for act in _actions(chance, at, f"{name}-{i}")]
    acts.sort(key=lambda act: act.at)
    return UserPlan(name, streams, chance.choice(["rest", "socket"]), tuple(acts))


def _times(chance: Random, every: float, seconds: float) -> Iterator[float]:
    """By chance, and on average every so many seconds."""
    at = chance.expovariate(1 / every)
    while at < seconds:
        yield at
        at += chance.expovariate(1 / every)


def _actions(chance: Random, at: float, name: str) -> Iterator[UserAction]:
    """One, and now and then another right behind it: to what is new, while it is read."""
    yield (first := _action(chance, at, name))
    if first.kind == "create" and chance.random() < FOLLOW_UP:
        do = chance.choice(["cancel", "cancel", "delete", "drop"])
        yield UserAction(at + chance.uniform(0, FOLLOW_UP_SECONDS), do, SELECT_NEWEST)


def _action(chance: Random, at: float, name: str) -> UserAction:
    do, which = _weighted_choice(chance, ACTION_WEIGHTS), chance.random()
    if do == "create":
        paper = _document(chance, name)
        return UserAction(at, do, which, paper, _page_range(chance, paper.pages), chance.random() < 0.2)
    if do == "retry":
        return UserAction(at, do, which, pages="1" if chance.random() < 0.3 else None)
    return UserAction(at, do, which)


def _document(chance: Random, name: str) -> DocumentSpec:
    kind = _weighted_choice(chance, DOCUMENT_WEIGHTS)
    return DocumentSpec(
        kind, name, chance.randint(*PAGE_COUNT_RANGES.get(kind, (1, 1))), chance.uniform(0.005, 0.04)
    )


def _page_range(chance: Random, pages: int) -> str | None:
    """Some of the pages, of one document in five that has several."""
    if pages == 1 or chance.random() > 0.2:
        return None
    first = chance.randint(1, pages)
    return f"{first}-{chance.randint(first, pages)}"


def _weighted_choice(chance: Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def _faults(chance: Random, seconds: float, kinds: dict[str, FaultKind], speedup: float) -> Iterator[Fault]:
    for do, kind in kinds.items():
        until = seconds * (FATAL_FAULTS_SHARE if kind.fatal else 1)
        for at in _times(chance, kind.interval_seconds / speedup, until):
            yield Fault(at, do, chance.random(), chance.uniform(kind.min_seconds, kind.max_seconds) / speedup)
