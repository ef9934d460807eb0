"""Inputs of `scanrill read`: files, the files of folders, and standard input."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from backend_main.reading.documents.image_headers import MalformedHeader, UnsupportedFormat, read_header

STANDARD_INPUT = Path("-")


class Input(NamedTuple):
    """A file to read."""

    path: Path
    label: str
    """The name in messages and in JSON: the path as the user wrote it, or "-"."""
    relative_path: Path
    """The place of its result in the output folder; the extension of the format is added."""


@contextmanager
def collect_inputs(arguments: Sequence[Path]) -> Iterator[list[Input]]:
    """Yield the inputs that the arguments name, in their order; standard input is a temporary file.

    A file that does not exist stays in the list: the reading names its error.
    """
    with tempfile.TemporaryDirectory(prefix="scanrill-") as folder:
        inputs: list[Input] = []
        for argument in dict.fromkeys(arguments):
            if argument == STANDARD_INPUT:
                inputs.append(_copy_standard_input(Path(folder)))
            elif argument.is_dir():
                inputs += _files_of_folder(argument)
            else:
                inputs.append(Input(argument, str(argument), Path(argument.name)))
        yield inputs


def _copy_standard_input(folder: Path) -> Input:
    path = folder / "standard-input"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return Input(path, str(STANDARD_INPUT), Path(path.name))


def _files_of_folder(folder: Path) -> Iterator[Input]:
    """Yield the images and PDFs of a folder and its subfolders, by name. Symbolic links are not followed."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink() and is_supported(path):
                yield Input(path, str(path), path.relative_to(folder))


def is_supported(path: Path) -> bool:
    """Return whether a file has the type of an image or a PDF, even a damaged one."""
    try:
        return read_header(path, max_frames=1) is not None
    except MalformedHeader:
        return True
    except (UnsupportedFormat, OSError):
        return False
