"""Command `settings`: a table of all settings."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table

from .messages import print_message


def settings() -> None:
    """List all settings: environment variable, value, default and meaning."""
    from backend_main.core import conf

    table = Table("variable", "value", "default", "meaning", box=None, pad_edge=False)
    for row in conf.describe(conf.conf):
        table.add_row(row.variable, row.value, "" if row.value == row.default else row.default, row.help)
    # A terminal gets lines cut to its width; a program gets whole lines.
    Console(width=None if sys.stdout.isatty() else 240, markup=False).print(table)
    for name in conf.unknown_variables(os.environ):
        print_message(f"Unknown setting {name}.")
