"""Signal handlers for the start of a command, before there is anything to shut down."""

from __future__ import annotations

import os
import signal


def exit_on_signals() -> None:
    """Exit with code 0 at SIGTERM or SIGINT, until the command sets its own handlers.

    Otherwise a supervisor that stops the command during its start would record a failure.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)


def _exit(*_signal: object) -> None:
    os._exit(0)
