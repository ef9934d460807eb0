"""Step 9 — what a reader tells of the page that it reads: its start, its lines as they come from the engine's
process, the whole of it in the end; and again, for those who come late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from .protocol import LinePlace
from .slot import Draft


class Telling:
    """One page, told by the thread that reads it. `say` is never called by two threads at once."""

    def __init__(self, say: Callable[[Draft], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._page: Draft | None = None  # as it was told last

    def begin(self, page: Draft) -> None:
        self._tell(page)

    def add(self, markdown: str, line: LinePlace | None) -> None:
        assert self._page is not None, "a page begins before its lines"
        self._tell(replace(self._page, text=self._page.text + markdown, line=line))

    def again(self) -> None:
        """From any thread: what was told last, unless the page is done."""
        with self._lock:
            if self._page is not None:
                self._say(self._page)

    def end(self, page: Draft) -> None:
        """The page is done; that is all of it, and nothing else is told any more."""
        with self._lock:
            self._page = None
            self._say(page)

    def close(self) -> None:
        """However the reading ended."""
        with self._lock:
            self._page = None

    def _tell(self, page: Draft) -> None:
        with self._lock:
            self._page = page
            self._say(page)
