"""Step 12 — what a hub remembers of what the bell said, for as long as it may matter."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from ..pubsub.messages import PageTextUpdate

# Of so many uploads it is known that they ended, for what is said of them too late.
REMEMBERED_UPLOADS = 10_000


class PendingReading:
    """An attempt whose reader spoke before all events were here that come before its text."""

    def __init__(self) -> None:
        self.pages: list[PageTextUpdate] = []

    def add(self, said: PageTextUpdate) -> None:
        if self.pages and self.pages[-1].snapshot.number == said.snapshot.number:
            self.pages.pop()
        self.pages.append(said)


class LatestSeqCache:
    """A number of each upload, the highest that was noted, of those noted last."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[UUID, int] = OrderedDict()

    def get(self, upload_id: UUID) -> int:
        return self._numbers.get(upload_id, -1)

    def record(self, upload_id: UUID, number: int) -> None:
        self._numbers[upload_id] = max(number, self.get(upload_id))
        self._numbers.move_to_end(upload_id)
        if len(self._numbers) > REMEMBERED_UPLOADS:
            self._numbers.popitem(last=False)
