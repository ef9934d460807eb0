"""Redaction of tokens in logs, and the filter of requests that a shutdown cancels."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from backend_main.core.log_filters import RedactingFormatter, ShutdownCancellationFilter, redact

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        (f"GET /ws/core/upload/?token={JWT} HTTP/1.1", "GET /ws/core/upload/?[redacted] HTTP/1.1"),
        ("/ws/?%74oken=opaque&a=b", "/ws/?[redacted]"),
        ("/api/?token=opaque&a=b", "/api/?token=[redacted]&a=b"),
        ("/api/?a=b&TOKEN=opaque", "/api/?a=b&TOKEN=[redacted]"),
        ("/api/?refresh_token=opaque", "/api/?refresh_token=[redacted]"),
        ("GET /?code=opaque HTTP/1.1", "GET /?code=[redacted] HTTP/1.1"),
        ("http://127.0.0.1:8000/#code=opaque-_x", "http://127.0.0.1:8000/#code=[redacted]"),
        ("closed with code=4401", "closed with code=4401"),
        ('"/ws/?token=opaque" 101', '"/ws/?[redacted]" 101'),
        (f"Authorization: Bearer {JWT}", "Authorization: Bearer [redacted]"),
        ("authorization: bearer abc.def~+/=-_ghi", "authorization: bearer [redacted]"),
        (f"a bare {JWT} in a sentence", "a bare [redacted] in a sentence"),
        (f"two {JWT} and {JWT}", "two [redacted] and [redacted]"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[redacted]"),
        ("nothing to hide: 3 tokens = 5 words", "nothing to hide: 3 tokens = 5 words"),
    ],
)
def test_redact_removes_tokens_and_codes(line: str, safe: str) -> None:
    assert redact(line) == safe


def test_redacting_formatter_covers_arguments_and_tracebacks() -> None:
    formatter = RedactingFormatter("%(message)s")
    try:
        raise ValueError(f"bad token {JWT}")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "at %s", (f"/?token={JWT}",), info)
    text = formatter.format(record)
    assert JWT not in text
    assert "at /?token=[redacted]" in text
    assert "ValueError: bad token [redacted]" in text


def test_logging_settings_every_handler_redacts() -> None:
    from django.conf import settings

    handlers = settings.LOGGING["handlers"].values()
    formatters = {settings.LOGGING["formatters"][handler["formatter"]]["()"] for handler in handlers}
    assert formatters == {"backend_main.core.log_filters.RedactingFormatter"}
    assert all(not logger["handlers"] for logger in settings.LOGGING["loggers"].values())


@pytest.mark.parametrize(
    ("name", "error", "is_shown"),
    [
        ("uvicorn.error", asyncio.CancelledError("timeout graceful shutdown exceeded"), False),
        ("uvicorn.error", ValueError(), True),
        ("backend_main.core.live.hub", asyncio.CancelledError(), True),
        ("uvicorn.error", None, True),
        ("asyncio", False, True),
    ],
    ids=str,
)
def test_shutdown_filter_drops_cancellations_of_uvicorn_only(
    name: str, error: BaseException | bool | None, is_shown: bool
) -> None:
    info: Any = (type(error), error, None) if isinstance(error, BaseException) else error
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, "Exception in ASGI application", (), info)
    assert ShutdownCancellationFilter().filter(record) == is_shown


def test_logging_settings_every_handler_filters_cancellations() -> None:
    from django.conf import settings

    assert all(
        handler["filters"] == ["shutdown_cancellations"] for handler in settings.LOGGING["handlers"].values()
    )
