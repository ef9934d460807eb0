"""The throttle of live text: when the next partial is due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

# A partial carries all the text so far, so partials must become rarer as it grows. After growth by an eighth,
# one is due 0.1 s after the last; by a sixteenth, after 1 s; by less, after the time that the last one takes
# at 12 KiB a second, but at least 1 s. Decision 35 has the cost.
PARTIAL_GROWTH, PARTIAL_MIN_SECONDS = 1.125, 0.1
PARTIAL_SMALL_GROWTH, PARTIAL_SECONDS = 1.0625, 1.0
PARTIAL_BYTES_PER_SECOND = 12 * 1024
# A delta's JSON takes 220 bytes around its text, so one delta carries several lines.
DELTA_CHARACTERS = 450


@dataclass(slots=True)
class Throttle:
    """Limits how often partials of one text are sent. Times are the loop's."""

    sent_characters: int = 0
    sent_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def due_at(self, characters: int) -> float:
        """Return when a partial of this many characters may be sent."""
        if characters >= self.sent_characters * PARTIAL_GROWTH:
            return self.sent_at + PARTIAL_MIN_SECONDS
        if characters >= self.sent_characters * PARTIAL_SMALL_GROWTH:
            return self.sent_at + PARTIAL_SECONDS
        return self.sent_at + max(PARTIAL_SECONDS, self.sent_characters / PARTIAL_BYTES_PER_SECOND)

    def sent(self, characters: int, at: float) -> None:
        """Record that a partial is sent."""
        self.sent_characters = characters
        self.sent_at = at

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class DeltaThrottle(Throttle):
    """Limits deltas: a page's first line at once, then after `DELTA_CHARACTERS` more, or after a second."""

    def due_at(self, characters: int) -> float:
        if not self.sent_characters or characters - self.sent_characters >= DELTA_CHARACTERS:
            return self.sent_at + PARTIAL_MIN_SECONDS
        return self.sent_at + PARTIAL_SECONDS
