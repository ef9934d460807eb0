"""Batches of lines in the child: the first line of a page goes at once, later ones every 0.1 s.

Waking the parent costs more than processing a line (docs/decisions/0099), and no client receives more than
ten updates a second.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

from ..types import Line, LinesRead, PageStarted
from .ipc import Reply

BATCH_SECONDS = 0.1


class ReplyBatcher:
    """Sender of replies in their order. It delays lines by at most `seconds`, to send them together.

    One thread calls `send`. A second thread sends lines that no reply follows.
    """

    def __init__(self, send: Callable[[Reply], None], seconds: float = BATCH_SECONDS) -> None:
        self._send = send
        self._seconds = seconds
        self._lines: list[Line] = []
        self._next_flush_at = 0.0
        self._changed = threading.Condition()
        threading.Thread(target=self._flush_loop, daemon=True, name="flush lines").start()

    def send(self, reply: Line | Reply) -> None:
        """Send a reply, or add a line to the batch. Raises OSError if the parent has exited."""
        with self._changed:
            if not isinstance(reply, Line):
                self._flush()
                self._send(reply)
                if isinstance(reply, PageStarted):
                    self._next_flush_at = 0.0
                return
            # The words of a line come with its finished page.
            self._lines.append(msgspec.structs.replace(reply, words=()))
            if time.monotonic() >= self._next_flush_at:
                self._flush()
            elif len(self._lines) == 1:
                self._changed.notify()

    def _flush_loop(self) -> NoReturn:
        with self._changed:
            while True:
                wait = self._next_flush_at - time.monotonic() if self._lines else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                # The thread that reads requests notices when the parent has exited.
                with contextlib.suppress(OSError):
                    self._flush()

    def _flush(self) -> None:
        if self._lines:
            lines = tuple(self._lines)
            self._lines = []
            self._next_flush_at = time.monotonic() + self._seconds
            self._send(LinesRead(lines))
