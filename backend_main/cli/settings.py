"""Command `settings`: a table of all settings."""

from __future__ import annotations

import os

from .messages import print_message
from .table import print_table


def settings() -> None:
    """List all settings: environment variable, value, default and meaning."""
    from backend_main.core import conf

    rows = [
        (row.variable, row.value, "" if row.value == row.default else row.default, row.help)
        for row in conf.describe(conf.conf)
    ]
    print_table(("variable", "value", "default", "meaning"), rows)
    for name in conf.unknown_variables(os.environ):
        print_message(f"Unknown setting {name}.")
