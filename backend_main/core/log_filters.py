"""No token in any log line, whoever writes it; and nothing of what is no defect as if it were one."""

from __future__ import annotations

import asyncio
import logging
import re

# The whole query of a WebSocket, as a client may write its token's name and value in percents; a token in any
# other text; the code of a sign-in link; a bearer header; and whatever has the three parts of a JWT.
_SECRETS = re.compile(
    r"(?i)(/ws/[^\s?\"']*\?)[^\s\"']+|(token=|[?&#]code=)[^&\s\"']+|(bearer\s+)[\w.~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*"
)


def redact(text: str) -> str:
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or match[3] or ''}[redacted]", text)


class RedactingFormatter(logging.Formatter):
    """Works on the finished line, so that arguments, tracebacks and nested messages are covered alike."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class ShutdownCancellationFilter(logging.Filter):
    """Leaves out what a server cut off as its time to end was over: uvicorn says how many that were, and then
    logs each as an exception of the application."""

    def filter(self, record: logging.LogRecord) -> bool:
        cut_off = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (cut_off and record.name == "uvicorn.error")
