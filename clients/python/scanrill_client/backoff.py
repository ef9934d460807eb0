"""How long to wait before the next attempt: longer each time, and never the same for all clients at once."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_SECONDS = 0.5
MOST_SECONDS = 30.0


class Backoff:
    """Doubles up to a ceiling; each wait is drawn between half of it and all of it.

    After a restart of the server a thousand clients come back over a span of time and not in one instant.
    `draw` gives numbers in [0, 1).
    """

    def __init__(
        self,
        first_seconds: float = FIRST_SECONDS,
        most_seconds: float = MOST_SECONDS,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._most, self._draw = first_seconds, most_seconds, draw
        self.attempts = 0

    def next_seconds(self) -> float:
        # Past 2**32 the ceiling is long reached, and a float would overflow in the end.
        ceiling = min(self._most, self._first * 2.0 ** min(self.attempts, 32))
        self.attempts += 1
        return ceiling * (0.5 + self._draw() / 2)

    def reset(self) -> None:
        self.attempts = 0
