"""Command `read`: OCR of files in this process, without a server or a data directory."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Format(enum.StrEnum):
    MD = "md"
    TXT = "txt"
    JSON = "json"
    HTML = "html"
    DOCX = "docx"
    HOCR = "hocr"
    ALTO = "alto"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class Furniture(enum.StrEnum):
    DROP = "drop"
    KEEP = "keep"


class Formulas(enum.StrEnum):
    TEXT = "text"
    VISION = "vision"


def read(
    files: Annotated[
        list[Path], typer.Argument(help="Images and PDFs to read.", exists=True, dir_okay=False)
    ],
    format: Annotated[
        Format | None,
        typer.Option(help="Format of the output. Default: by the name of --output, else md."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.")
    ] = None,
    engine: Annotated[str, typer.Option(help="OCR engine; `scanrill engines` lists all.")] = "rapid",
    languages: Annotated[
        str, typer.Option(help="Languages of the text, such as de,en. Default: those of the engine.")
    ] = "",
    pages: Annotated[str, typer.Option(help="Pages to read, such as 1-3,7,9-. Default: all.")] = "",
    profile: Annotated[
        str, typer.Option(help="Profile of the engine, such as fast. Default: the engine's first.")
    ] = "",
    furniture: Annotated[
        Furniture, typer.Option(help="Headers, footers and page numbers: drop or keep.")
    ] = Furniture.DROP,
    formulas: Annotated[
        Formulas,
        typer.Option(help="Pages that are mostly formulas: as text, or sent to the engine vision."),
    ] = Formulas.TEXT,
    barcodes: Annotated[
        bool, typer.Option("--barcodes", help="Read barcodes and QR codes too; the JSON has them as blocks.")
    ] = False,
) -> None:
    """Read images and PDFs, and print their text page by page, or write it to a file."""
    from backend_main.reading import Options

    from .read_output import write_files

    codes = tuple(word.strip() for word in languages.split(",") if word.strip())
    options = Options(
        engine=engine,
        languages=codes,
        pages=pages,
        profile=profile,
        furniture=furniture.value,
        formulas=formulas.value,
        barcodes=barcodes,
    )
    if not write_files(files, output_format=format, output=output, options=options):
        raise typer.Exit(1)
