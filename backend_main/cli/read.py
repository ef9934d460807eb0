"""`scanrill read`: files in, text out, in this process; needs no data directory and no server."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Format(enum.StrEnum):
    MD = "md"
    TXT = "txt"
    JSON = "json"


def read(
    files: Annotated[list[Path], typer.Argument(help="Images and PDFs.", exists=True, dir_okay=False)],
    format: Annotated[
        Format, typer.Option(help="Markdown, reading text, or pages with lines and boxes.")
    ] = Format.MD,
    engine: Annotated[str, typer.Option(help="The engine that reads.")] = "rapid",
) -> None:
    """Print the text of images and PDFs, as it is read."""
    from .output import write_files

    if not write_files(files, form=format, engine_name=engine):
        raise typer.Exit(1)
