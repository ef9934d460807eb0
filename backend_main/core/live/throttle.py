"""The throttle of live text: when the next partial is due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

# A partial carries all the text so far, so partials must get rarer as it grows: sent when it has grown by an
# eighth, but not more often than ten times a second; by a sixteenth, after a second; by less, after a second
# or when the last one is paid for. Decision 35 reckons what that costs.
PARTIAL_GROWTH, PARTIAL_MIN_SECONDS = 1.125, 0.1
PARTIAL_SMALL_GROWTH, PARTIAL_SECONDS = 1.0625, 1.0
PARTIAL_BYTES_PER_SECOND = 12 * 1024
# What stands around a delta's text is 220 bytes: lines go together, so that it costs less than they do.
DELTA_CHARACTERS = 450


@dataclass(slots=True)
class Throttle:
    """How often partials of one text go out. Times are the loop's."""

    sent_characters: int = 0
    sent_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def due_at(self, characters: int) -> float:
        """When a partial of this many characters may go out."""
        if characters >= self.sent_characters * PARTIAL_GROWTH:
            return self.sent_at + PARTIAL_MIN_SECONDS
        if characters >= self.sent_characters * PARTIAL_SMALL_GROWTH:
            return self.sent_at + PARTIAL_SECONDS
        return self.sent_at + max(PARTIAL_SECONDS, self.sent_characters / PARTIAL_BYTES_PER_SECOND)

    def sent(self, characters: int, at: float) -> None:
        self.sent_characters, self.sent_at = characters, at

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class DeltaThrottle(Throttle):
    """A page's first lines at once, then some hundred characters together, or what there is in a second."""

    def due_at(self, characters: int) -> float:
        if not self.sent_characters or characters - self.sent_characters >= DELTA_CHARACTERS:
            return self.sent_at + PARTIAL_MIN_SECONDS
        return self.sent_at + PARTIAL_SECONDS
