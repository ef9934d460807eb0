"""`scanrill settings`: every setting with its value, default and help."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table


def settings() -> None:
    """List every setting, the environment variable that sets it, and its value."""
    from backend_main.core import conf

    table = Table("variable", "value", "default", "what it is", box=None, pad_edge=False)
    for row in conf.describe(conf.conf):
        table.add_row(row.variable, row.value, "" if row.value == row.default else row.default, row.help)
    # Cut to the width of a terminal, but whole where a program reads it.
    Console(width=None if sys.stdout.isatty() else 240, markup=False).print(table)
    for name in conf.unknown_variables(os.environ):
        print(f"scanrill: {name} is set, but is no setting of scanrill.", file=sys.stderr)
