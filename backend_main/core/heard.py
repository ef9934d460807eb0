"""Step 12 — what a hub remembers of what the bell said, for as long as it may matter."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from .bell import PageText

# Of so many uploads it is known that they ended, for what is said of them too late.
REMEMBERED_UPLOADS = 10_000


class Coming:
    """An attempt whose reader spoke before all events were here that come before its text."""

    def __init__(self) -> None:
        self.pages: list[PageText] = []

    def add(self, said: PageText) -> None:
        if self.pages and self.pages[-1].page.number == said.page.number:
            self.pages.pop()
        self.pages.append(said)


class Newest:
    """A number of each upload, the highest that was noted, of those noted last."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[UUID, int] = OrderedDict()

    def get(self, upload_id: UUID) -> int:
        return self._numbers.get(upload_id, -1)

    def note(self, upload_id: UUID, number: int) -> None:
        self._numbers[upload_id] = max(number, self.get(upload_id))
        self._numbers.move_to_end(upload_id)
        if len(self._numbers) > REMEMBERED_UPLOADS:
            self._numbers.popitem(last=False)
