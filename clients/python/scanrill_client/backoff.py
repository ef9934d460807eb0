"""How long to wait before the next attempt: longer each time, and never the same for all clients at once."""

from __future__ import annotations

import random
from collections.abc import Callable

INITIAL_SECONDS = 0.5
MAX_SECONDS = 30.0


class Backoff:
    """Doubles up to a ceiling; each wait is drawn between half of it and all of it.

    After a restart of the server a thousand clients come back over a span of time and not in one instant.
    `random` gives numbers in [0, 1).
    """

    def __init__(
        self,
        initial_seconds: float = INITIAL_SECONDS,
        max_seconds: float = MAX_SECONDS,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._most, self._draw = initial_seconds, max_seconds, random
        self.attempts = 0

    def next_seconds(self) -> float:
        # Past 2**32 the ceiling is long reached, and a float would overflow in the end.
        ceiling = min(self._most, self._first * 2.0 ** min(self.attempts, 32))
        self.attempts += 1
        return ceiling * (0.5 + self._draw() / 2)

    def reset(self) -> None:
        self.attempts = 0
