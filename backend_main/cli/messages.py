"""Messages of commands on standard error."""

from __future__ import annotations

import sys

from backend_main.control_characters import mark_controls


def print_message(message: str) -> None:
    """Print one line. Names of files and errors in it cannot control the terminal."""
    print(message_line(message), file=sys.stderr)


def message_line(message: str) -> str:
    """Return a message as one line, with the name of the program."""
    one_line = message.replace("\n", " ")
    return mark_controls(f"scanrill: {one_line}")
