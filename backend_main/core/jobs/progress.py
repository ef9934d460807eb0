"""Step 9 — what a reader tells of the page that it reads: its start, its lines as they come from the engine's
process, the whole of it in the end; and again, for those who come late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from ..protocol.messages import LinePosition
from ..pubsub.messages import PageSnapshot


class PageProgress:
    """One page, told by the thread that reads it. `say` is never called by two threads at once."""

    def __init__(self, publish: Callable[[PageSnapshot], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._page: PageSnapshot | None = None  # as it was told last

    def start(self, page: PageSnapshot) -> None:
        self._publish_page(page)

    def append(self, markdown: str, line: LinePosition | None) -> None:
        assert self._page is not None, "a page begins before its lines"
        self._publish_page(replace(self._page, text=self._page.text + markdown, line=line))

    def republish(self) -> None:
        """From any thread: what was told last, unless the page is done."""
        with self._lock:
            if self._page is not None:
                self._publish(self._page)

    def finish(self, page: PageSnapshot) -> None:
        """The page is done; that is all of it, and nothing else is told any more."""
        with self._lock:
            self._page = None
            self._publish(page)

    def close(self) -> None:
        """However the reading ended."""
        with self._lock:
            self._page = None

    def _publish_page(self, page: PageSnapshot) -> None:
        with self._lock:
            self._page = page
            self._publish(page)
