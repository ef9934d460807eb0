"""Step 9 — what a reader tells of the page that it reads: its start and its first line at once, then the text
so far, at most ten times a second, and in the end whatever was not told yet.

A text is put together when it is told: a line costs what it is long, however long its page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from .protocol import LinePlace
from .slot import Draft

TELL_SECONDS = 0.1


class Timer(Protocol):
    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


def in_a_thread(seconds: float, act: Callable[[], None]) -> Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer


class Telling:
    """One page. `say` is called by the thread that reads it, or by a timer's, and never by both at once."""

    def __init__(
        self,
        say: Callable[[Draft], None],
        clock: Callable[[], float] = time.monotonic,
        later: Later = in_a_thread,
    ) -> None:
        self._say, self._clock, self._later = say, clock, later
        self._lock = threading.Lock()
        self._page: Draft | None = None  # as it was told last
        self._untold: list[str] = []
        self._line: LinePlace | None = None
        self._timer: Timer | None = None
        self._due = 0.0

    def begin(self, page: Draft) -> None:
        with self._lock:
            self._page = page
            self._say(page)

    def add(self, markdown: str, line: LinePlace | None) -> None:
        """A line. What comes before the next telling is due waits for it."""
        with self._lock:
            self._untold.append(markdown)
            self._line = line
            wait = self._due - self._clock()
            if wait <= 0:
                self._tell()
            elif self._timer is None:
                self._timer = self._later(wait, self._tell_what_waits)

    def again(self) -> None:
        """From any thread, for those who come late: what was told last, unless the page is done."""
        with self._lock:
            if self._page is not None:
                self._say(self._page)

    def end(self, page: Draft) -> None:
        """The page is done; that is all of it, and nothing else is told any more."""
        with self._lock:
            self._forget()
            self._say(page)
            self._page = None

    def close(self) -> None:
        """However the reading ended: a line that was read has been told."""
        with self._lock:
            if self._untold:
                self._tell()
            self._page = None

    # ── under the lock ──

    def _tell_what_waits(self) -> None:
        with self._lock:
            self._timer = None
            if self._untold:
                self._tell()

    def _tell(self) -> None:
        assert self._page is not None, "a page begins before its lines"
        self._page = replace(self._page, text="".join([self._page.text, *self._untold]), line=self._line)
        self._forget()
        self._due = self._clock() + TELL_SECONDS
        self._say(self._page)

    def _forget(self) -> None:
        self._untold.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
