"""Step 10 - when a child says what it has read: a page's first line at once, then ten times a second.

To be woken costs a host more than a line does (docs/decisions/0099), and nobody is shown more than ten texts
a second.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from ..types import Line, PageStarted
from .ipc import Lines, Reply

BATCH_SECONDS = 0.1


class ReplyBatcher:
    """Replies go out in their order; `lines` wait for each other, and not for longer than the time.

    Used by one thread. Another sends lines that nothing follows.
    """

    def __init__(self, send: Callable[[Reply], None], seconds: float = BATCH_SECONDS) -> None:
        self._send, self._seconds = send, seconds
        self._lines: list[Line] = []
        self._due = 0.0
        self._changed = threading.Condition()
        threading.Thread(target=self._flush_loop, daemon=True, name="gathering").start()

    def send(self, reply: Line | Reply) -> None:
        """Raises OSError when the host is gone."""
        with self._changed:
            if not isinstance(reply, Line):
                self._send_lines()
                self._send(reply)
                if isinstance(reply, PageStarted):
                    self._due = 0.0
                return
            self._lines.append(reply)
            if time.monotonic() >= self._due:
                self._send_lines()
            elif len(self._lines) == 1:
                self._changed.notify()

    def _flush_loop(self) -> NoReturn:
        with self._changed:
            while True:
                wait = self._due - time.monotonic() if self._lines else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                # A host that is gone is another thread's to notice.
                with contextlib.suppress(OSError):
                    self._send_lines()

    def _send_lines(self) -> None:
        if self._lines:
            lines, self._lines = tuple(self._lines), []
            self._due = time.monotonic() + self._seconds
            self._send(Lines(lines))
