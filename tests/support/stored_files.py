"""The files below a directory in which a server may write and delete meanwhile."""

from __future__ import annotations

import os
from pathlib import Path


def paths_in(directory: Path) -> list[Path]:
    """Return all files and directories below the directory.

    `os.walk` skips a directory that disappears meanwhile; `Path.rglob` raises `FileNotFoundError`.
    """
    return [
        Path(folder, name)
        for folder, folders, files in os.walk(directory)
        for name in sorted((*folders, *files))
    ]


def files_in(directory: Path) -> list[Path]:
    """Return all files below the directory, without directories."""
    return [path for path in paths_in(directory) if path.is_file()]
