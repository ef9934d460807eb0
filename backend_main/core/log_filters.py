"""Log formatter that redacts tokens, and log filter for requests that a shutdown cancels."""

from __future__ import annotations

import asyncio
import logging
import re

# The whole query of a WebSocket URL, since a client may percent-encode the name and value of its token; a
# token in any other text; the code of a sign-in link; a bearer header; any text in the form of a JWT.
_SECRETS = re.compile(
    r"(?i)(/ws/[^\s?\"']*\?)[^\s\"']+|(token=|[?&#]code=)[^&\s\"']+|(bearer\s+)[\w.~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*"
)


def redact(text: str) -> str:
    """Replace tokens and sign-in codes by `[redacted]`."""
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or match[3] or ''}[redacted]", text)


class RedactingFormatter(logging.Formatter):
    """Formatter that redacts the finished line, so it covers arguments, tracebacks and nested messages."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class ShutdownCancellationFilter(logging.Filter):
    """Filter that drops tracebacks of requests which uvicorn cancels at the end of its shutdown timeout.

    uvicorn logs their number in one line, and then each as an exception of the application.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        is_cancelled = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (is_cancelled and record.name == "uvicorn.error")
