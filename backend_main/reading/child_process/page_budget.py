"""Limits of a page that the parent enforces, however many replies the child sends.

The time of a page is the time that the parent waits, with the waits that a reply ends. Only the caller's time
between two replies does not count; the kernel limits the child's processor time in it.
"""

import time

from ..errors import EngineCrashed, EngineTimeout
from ..types import LinesRead, Options, PageDone, PageStarted
from .child import ChildProcess
from .ipc import MAX_FRAME_BYTES, Reply

POLL_SECONDS = 0.1
MAX_PAGE_REPLY_BYTES = MAX_FRAME_BYTES


class PageBudget:
    """Limits of one page after the other, or of the start of a child.

    Args:
        child: the process.
        seconds: time limit of waiting.
        message: message of the error when the time is over.
        max_memory_bytes: memory limit of the process.
    """

    def __init__(self, child: ChildProcess, seconds: float, message: str, max_memory_bytes: int) -> None:
        self._child = child
        self._seconds = seconds
        self._message = message
        self._max_memory_bytes = max_memory_bytes
        self._memory_checked_at = 0.0
        self.start_page()

    def start_page(self) -> None:
        """Begin the next page."""
        self._waited_seconds = 0.0
        self._bytes_before = self._child.received_bytes
        self._child.start_page(self._seconds)

    def receive(self) -> Reply | None:
        """Wait a moment for a reply, and check the limits, also if one has come.

        Raises:
            EngineTimeout: the time is over.
            EngineCrashed: the process uses too much memory, or its replies are too long.
            ChildExited: it has exited.
        """
        started_at = time.monotonic()
        reply = self._child.receive(POLL_SECONDS)
        now = time.monotonic()
        self._waited_seconds += now - started_at
        if self._waited_seconds > self._seconds:
            raise EngineTimeout(self._message)
        if self._child.received_bytes - self._bytes_before > MAX_PAGE_REPLY_BYTES:
            raise EngineCrashed("The OCR process sent too much text for a page.")
        if now - self._memory_checked_at >= POLL_SECONDS:
            self._memory_checked_at = now
            if self._child.resident_bytes() > self._max_memory_bytes:
                raise EngineCrashed("The reading engine used too much memory.")
        return reply


def is_expected(reply: Reply, previous_page: int, options: Options) -> bool:
    """Return whether a reply may come in a read, after the end of a page (0: before the first).

    Without this check, a child could send pages for ever.
    """
    if isinstance(reply, PageStarted | PageDone):
        last_page = min(options.last_page or options.max_pages, options.max_pages)
        return previous_page < reply.number <= last_page and reply.page_count <= options.max_pages
    return isinstance(reply, LinesRead)
