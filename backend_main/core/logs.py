"""No token in any log line, whoever writes it."""

from __future__ import annotations

import logging
import re

# A query's token, a bearer header, and anything that has the three parts of a JWT.
_SECRETS = re.compile(r"(?i)(token=)[^&\s\"']+|(bearer\s+)[\w.~+/=-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*")


def redact(text: str) -> str:
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or ''}[redacted]", text)


class RedactingFormatter(logging.Formatter):
    """Works on the finished line, so that arguments, tracebacks and nested messages are covered alike."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
