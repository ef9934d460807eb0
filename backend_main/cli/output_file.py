"""Output of a command: standard output, or a file that is complete or absent."""

from __future__ import annotations

import os
import sys
import tempfile
from codecs import iterdecode
from collections.abc import Iterable
from pathlib import Path

import typer

from backend_main.control_characters import remove_controls
from backend_main.core.errors import CommandError


def write_output(chunks: Iterable[bytes], output: Path | None, *, is_text: bool) -> None:
    """Write chunks to a file, or to standard output without one.

    Args:
        chunks: The content.
        output: The file; one that exists is replaced at the end.
        is_text: Whether a terminal can show it.

    Raises:
        CommandError: The file cannot be written.
    """
    if output is None:
        if sys.stdout.isatty():
            if not is_text:
                raise typer.BadParameter("A terminal cannot show it. Name a file.", param_hint="--output")
            # A person's correction is stored as it was sent, and the terminal may be an administrator's.
            chunks = (remove_controls(text).encode() for text in iterdecode(chunks, "utf-8", "replace"))
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    try:
        _write_file(chunks, output)
    except OSError as error:
        raise CommandError(f"Cannot write {output}: {error.strerror}.") from None


def _write_file(chunks: Iterable[bytes], output: Path) -> None:
    """Write a file beside the target, then rename it: a failure leaves the target as it was."""
    handle, name = tempfile.mkstemp(prefix=f".{output.name[:100]}.", dir=output.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
        _set_usual_mode(Path(name))
        os.replace(name, output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _set_usual_mode(path: Path) -> None:
    """Give a file the mode of a new file; `mkstemp` lets only the owner read it."""
    umask = os.umask(0o077)
    os.umask(umask)
    path.chmod(0o666 & ~umask)
