"""Progress of the page that a reader reads: states of its text as lines arrive, and the finished page.

A subscriber that joins late receives the last state once more, by `republish`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from ..protocol.messages import LinePosition
from ..pubsub.messages import PageState


class PageProgress:
    """Progress of one page. Calls `publish` with each state, never from two threads at once."""

    def __init__(self, publish: Callable[[PageState], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._page: PageState | None = None  # the last state; None before the start and after the end

    def start(self, page: PageState) -> None:
        """Publish the page without text."""
        self._publish_page(page)

    def append(self, markdown: str, line: LinePosition | None) -> None:
        """Publish the page with more text; `line` is the position of its newest line."""
        assert self._page is not None, "a page starts before its lines"
        self._publish_page(replace(self._page, text=self._page.text + markdown, line=line))

    def republish(self) -> None:
        """Publish the last state once more, unless the page is finished; from any thread."""
        with self._lock:
            if self._page is not None:
                self._publish(self._page)

    def finish(self, page: PageState) -> None:
        """Publish the finished page, and nothing after it."""
        with self._lock:
            self._page = None
            self._publish(page)

    def close(self) -> None:
        """Publish nothing more, however the reading ended."""
        with self._lock:
            self._page = None

    def _publish_page(self, page: PageState) -> None:
        with self._lock:
            self._page = page
            self._publish(page)
