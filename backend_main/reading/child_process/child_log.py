"""Output of a child process, copied to the log of its parent within a limit for each page.

Libraries print about damaged files, and a file can make them print without end: 20 pages of a TIFF of 197 KiB
made libtiff write 23 MB.
"""

import codecs
import logging
import os
import select
import threading

from ...control_characters import mark_controls

MAX_BYTES_PER_PAGE = 16_384
"""More than two tracebacks."""
READ_BYTES = 1 << 16
MAX_READS_AT_PAGE_END = 32
"""Twice the largest pipe of an unprivileged process, 1 MiB: see /proc/sys/fs/pipe-max-size."""
STDERR_FILENO = 2
_log = logging.getLogger("scanrill.reading")


class ChildLog:
    """Copier of what a child prints. A thread reads it until no process can write to it any more.

    Args:
        fd: descriptor of the reading end of the pipe. This object closes it.
    """

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._is_open = True
        self._lock = threading.Lock()
        self._copied_bytes = 0
        self._dropped_bytes = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._thread = threading.Thread(target=self._copy_all, daemon=True, name="child log")
        self._thread.start()

    def start_page(self) -> None:
        """Begin a page: its output has a limit of its own. Log how much of the page before was dropped.

        Output that still lies in the pipe belongs to the page before.
        """
        with self._lock:
            for _ in range(MAX_READS_AT_PAGE_END):
                if not self._copy_available():
                    break
            dropped = self._dropped_bytes
            self._copied_bytes = self._dropped_bytes = 0
        if dropped:
            _log.warning(
                "The OCR process printed %d bytes more than the %d of a page that are logged.",
                dropped,
                MAX_BYTES_PER_PAGE,
            )

    def close(self, timeout_seconds: float) -> None:
        """Wait for the rest of the output of a child that has exited, and log how much was dropped."""
        self._thread.join(timeout_seconds)
        self.start_page()

    def _copy_all(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        try:
            while self._is_open:
                poll.poll()
                with self._lock:
                    self._copy_available()
        finally:
            os.close(self._fd)

    def _copy_available(self) -> bool:
        """Copy what one read returns. Return whether there was output."""
        if not self._is_open:  # the thread closes the descriptor, whose number is then another file's
            return False
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return False
        self._copy(data)
        self._is_open = bool(data)
        return self._is_open

    def _copy(self, data: bytes) -> None:
        kept = data[: MAX_BYTES_PER_PAGE - self._copied_bytes]
        self._copied_bytes += len(kept)
        self._dropped_bytes += len(data) - len(kept)
        text = mark_controls(self._decoder.decode(kept)).encode()
        while text:
            text = text[os.write(STDERR_FILENO, text) :]
