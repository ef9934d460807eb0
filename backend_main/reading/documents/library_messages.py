"""Redirection of what C libraries print: to the log, instead of the terminal of a person who reads a file."""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator

from .source_file import memory_file

STDERR_FILENO = 2
MAX_MESSAGE_BYTES = 1000
# pypdfium2 says how to compile pdfium for XFA forms, Pillow why a TIFF is malformed. Messages of ours say it.
for _name in ("pypdfium2._helpers.document", "PIL.TiffImagePlugin"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
_log = logging.getLogger("scanrill.reading")
_lock = threading.Lock()
"""Held while standard error is redirected, because it belongs to the whole process."""


@contextlib.contextmanager
def native_messages(library: str) -> Iterator[list[str]]:
    """Collect in a list what a library writes to the descriptor of standard error, and log it."""
    found: list[str] = []
    with _lock, open(memory_file(b""), "rb") as messages:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            sys.stderr.flush()
        try:
            original = os.dup(STDERR_FILENO)
        except OSError:  # closed, as in a service without a terminal
            yield found
            return
        os.dup2(messages.fileno(), STDERR_FILENO)
        try:
            yield found
        finally:
            os.dup2(original, STDERR_FILENO)
            os.close(original)
            messages.seek(0)
            if text := messages.read(MAX_MESSAGE_BYTES).decode("utf-8", "replace").strip():
                found.append(text)
                _log.debug("%s: %s", library, text)
