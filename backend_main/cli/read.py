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
        list[Path],
        typer.Argument(help="Images and PDFs to read, folders with them, or - for standard input."),
    ],
    format: Annotated[
        Format | None,
        typer.Option(help="Format of the output. Default: by the name of --output, else md."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write; for several files, a folder. Default: standard output.",
        ),
    ] = None,
    json_lines: Annotated[
        bool,
        typer.Option("--json-lines", help="Print the JSON of each file as one line, when the file is read."),
    ] = False,
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
    """Read images and PDFs, and print their text page by page, or write it to files.

    A file that cannot be read does not stop the others: its error is printed, and the exit code is 1.
    """
    from backend_main.reading import Options

    from .read_inputs import collect_inputs
    from .read_output import write_inputs

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
    if json_lines and (output is not None or format not in (None, Format.JSON)):
        raise typer.BadParameter("It has no --output and no other --format.", param_hint="--json-lines")
    output_format = "json-lines" if json_lines else format
    with collect_inputs(files) as inputs:
        is_batch = len(files) > 1 or any(file.is_dir() for file in files)
        if not write_inputs(
            inputs, output_format=output_format, output=output, options=options, is_batch=is_batch
        ):
            raise typer.Exit(1)
