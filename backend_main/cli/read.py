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
    engine: Annotated[
        str, typer.Option(help="The engine that reads; `scanrill engines` lists them.")
    ] = "rapid",
    languages: Annotated[str, typer.Option(help="Languages of the text, as in de,en.")] = "",
    pages: Annotated[str, typer.Option(help="Pages to read, as in 1-3,7,9-.")] = "",
    profile: Annotated[str, typer.Option(help="One of the engine's profiles.")] = "",
) -> None:
    """Print the text of images and PDFs, as it is read."""
    from backend_main.reading import Options

    from .read_output import write_files

    chosen = tuple(word.strip() for word in languages.split(",") if word.strip())
    options = Options(engine=engine, languages=chosen, pages=pages, profile=profile)
    if not write_files(files, form=format, options=options):
        raise typer.Exit(1)
