"""Log formatter that redacts tokens, and log filters for lines of uvicorn.

A line contains text of strangers, and the formatter runs on the event loop. Its time must therefore grow
with the length of the line only: each pattern matches a whole run of characters, so no part of a run is
searched twice.
"""

from __future__ import annotations

import asyncio
import logging
import re

from ..control_characters import mark_controls

# A client decides how long the line of its request is, and how many there are.
MAX_LINE_CHARACTERS = 2 * 1024
MAX_TRACEBACK_CHARACTERS = 32 * 1024
# A token in the query of any text, the code of a sign-in link, a bearer or basic header.
_NAMED_SECRET = re.compile(
    r"(?i)(token=|api_key=|[?&#]code=)[^&\s\"']+|(bearer\s+|basic\s+(?=[\w+/=-]{20}))[\w.~+/=-]+"
)
# The path of a request with an API key, in whichever form; and an API key anywhere, up to its public prefix.
_PATH_KEY = re.compile(r"(/k/)[^/\s?#\"']+")
_API_KEY = re.compile(r"(?i)(scr(?:_|%5f)[0-9a-f]{8}(?:_|%5f))[0-9a-f]+")
_URL = re.compile(r"[^\s\"']+")
_WEBSOCKET_PATH = re.compile(r"(?i)/ws/")
# A JWT: base64url of `{"`, and two dots between its three parts (RFC 7515, 3.1).
_JWT_START, JWT_DOTS = "eyJ", 2
_DOTTED_RUN = re.compile(r"[\w.-]+")


def redact(text: str) -> str:
    """Replace tokens, API keys and sign-in codes by `[redacted]`."""
    if _WEBSOCKET_PATH.search(text):
        text = _URL.sub(_without_websocket_query, text)
    text = _NAMED_SECRET.sub(lambda match: f"{match[1] or match[2]}[redacted]", text)
    text = _API_KEY.sub(r"\1[redacted]", _PATH_KEY.sub(r"\1[redacted]", text))
    return _DOTTED_RUN.sub(_without_jwt, text) if _JWT_START in text else text


class RedactingFormatter(logging.Formatter):
    """Formatter that redacts the finished record, so it covers arguments, tracebacks and nested messages.

    Control characters are marked too: an administrator reads the log in a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        has_traceback = bool(record.exc_info or record.exc_text or record.stack_info)
        limit = MAX_TRACEBACK_CHARACTERS if has_traceback else MAX_LINE_CHARACTERS
        return redact(mark_controls(_cut(super().format(record), limit)))


def _cut(text: str, limit: int) -> str:
    """Cut the middle out of a long record, between words: a part of a token would not be recognized."""
    if len(text) <= limit:
        return text
    half = limit // 2
    words = text[:half].split(" ")[:-1]
    beginning, end = " ".join(words), text[-half:].partition(" ")[2]
    return f"{beginning} [{len(text) - len(beginning) - len(end)} characters cut] {end}"


def _without_websocket_query(match: re.Match[str]) -> str:
    """Remove the whole query: a client may percent-encode the name and the value of its token."""
    url = match[0]
    path = _WEBSOCKET_PATH.search(url)
    query = url.find("?", path.end()) + 1 if path else 0
    return f"{url[:query]}[redacted]" if 0 < query < len(url) else url


def _without_jwt(match: re.Match[str]) -> str:
    """Remove a JWT, and all that follows it in the run."""
    run = match[0]
    start = run.find(_JWT_START)
    is_jwt = start >= 0 and run.count(".", start) >= JWT_DOTS
    return f"{run[:start]}[redacted]" if is_jwt else run


class ShutdownCancellationFilter(logging.Filter):
    """Filter that drops tracebacks of requests which uvicorn cancels at the end of its shutdown timeout.

    uvicorn logs their number in one line, and then each as an exception of the application.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        # asyncio logs with `exc_info=False`, against the type of the field.
        is_cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (is_cancelled and record.name == "uvicorn.error")


class MalformedRequestFilter(logging.Filter):
    """Filter that drops a line for each malformed request: a client could fill the disk with them.

    `backend.connection_limits` writes one line a minute instead.
    """

    MESSAGES = ("Invalid HTTP request received.", "Unsupported upgrade request.")

    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg not in self.MESSAGES
