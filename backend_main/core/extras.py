"""Command that installs an extra, for messages about a missing one."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def install_command(extra: str) -> str:
    """Return the command for this installation: a checkout has no package to name to pip."""
    if (CHECKOUT / "Makefile").is_file():
        return f"make install EXTRAS={extra}"
    return f"pip install 'scanrill[{extra}]'"
