"""Limit of the memory that messages of all WebSockets take while they arrive, wait and are handled.

One message may be as large as an upload in base64, so a limit for each connection bounds nothing: a thousand
connections of one user can each begin one. Beyond the limit, the user with most bytes loses a message that is
not finished. Other users lose none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

# A connection with less than this is not counted: it takes more memory itself.
MIN_COUNTED_BYTES = 4 * 1024


class MessageHolder(Protocol):
    """A connection with messages in memory."""

    def drop_unfinished_message(self) -> None:
        """Free the unfinished message, update the count, and close the connection."""
        ...


@dataclass(slots=True)
class _Held:
    owner: Hashable
    unfinished: int
    total: int


class MessageMemory:
    """Bytes of messages in memory, by connection. Used on the event loop only."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held: dict[MessageHolder, _Held] = {}
        self.total = 0

    def update(self, holder: MessageHolder, owner: Hashable, *, unfinished: int, finished: int) -> None:
        """Set a connection's bytes. Drop unfinished messages until all fit into the limit.

        Args:
            holder: The connection.
            owner: Its user.
            unfinished: Bytes of the message that is arriving.
            finished: Bytes of the messages that wait or are being handled.
        """
        before = self._held.pop(holder, None)
        self.total -= before.total if before else 0
        held = _Held(owner, unfinished, unfinished + finished)
        if held.total < MIN_COUNTED_BYTES:
            return
        self._held[holder] = held
        self.total += held.total
        while self.total > self._max_bytes and (victim := self._find_victim()) is not None:
            victim.drop_unfinished_message()

    def _find_victim(self) -> MessageHolder | None:
        """Return the connection with the largest unfinished message of the user with most bytes."""
        by_owner: defaultdict[Hashable, int] = defaultdict(int)
        for held in self._held.values():
            by_owner[held.owner] += held.total
        unfinished = [holder for holder, held in self._held.items() if held.unfinished]
        return max(
            unfinished,
            key=lambda holder: (by_owner[self._held[holder].owner], self._held[holder].unfinished),
            default=None,
        )
