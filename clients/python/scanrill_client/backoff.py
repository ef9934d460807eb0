"""Exponential backoff with jitter; pure."""

from __future__ import annotations

import random as _random
from collections.abc import Callable

INITIAL_SECONDS = 0.5
MAX_SECONDS = 30.0


class Backoff:
    """Delays that double up to a maximum; each is drawn between half of that value and all of it.

    The jitter spreads the reconnects of many clients after a restart of the server.

    Args:
        initial_seconds: Upper bound of the first delay.
        max_seconds: Upper bound of every delay.
        random: Function that returns numbers in [0, 1).
    """

    def __init__(
        self,
        initial_seconds: float = INITIAL_SECONDS,
        max_seconds: float = MAX_SECONDS,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._initial_seconds = initial_seconds
        self._max_seconds = max_seconds
        self._random = random
        self.attempts = 0

    def next_seconds(self) -> float:
        """Return the delay before the next attempt, and count the attempt."""
        # The exponent is bounded: 2.0 ** attempts would overflow in the end.
        ceiling = min(self._max_seconds, self._initial_seconds * 2.0 ** min(self.attempts, 32))
        self.attempts += 1
        return ceiling * (0.5 + self._random() / 2)

    def reset(self) -> None:
        """Start again with the initial delay."""
        self.attempts = 0
