"""Command `export`: finished uploads as files. It works beside a running server."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from backend_main.core.errors import CommandError, PageImageError, RequestError

from .data_dir import DataDir, set_up
from .output_file import write_output

if TYPE_CHECKING:
    from backend_main.core.exports.document import ExportDocument
    from backend_main.core.exports.formats import ExportRequest


def export(
    uploads: Annotated[list[UUID], typer.Argument(help="Ids of uploads; several become a ZIP archive.")],
    format: Annotated[
        str | None,
        typer.Option(
            help="md, txt, json, html, docx, hocr, alto, csv, xlsx or pdf. Default: by the output's name."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.")
    ] = None,
    pages: Annotated[str | None, typer.Option(help="Pages, such as 1-3,7,9-. Default: all.")] = None,
    furniture: Annotated[
        str | None,
        typer.Option(help="Headers, footers and page numbers: drop or keep. Default: as they were read."),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(help="Pictures of figures in md, html and docx: none, link or embed. Default: none."),
    ] = None,
    page_breaks: Annotated[
        bool, typer.Option("--page-breaks", help="Mark the beginning of each page in md and txt.")
    ] = False,
    table: Annotated[int | None, typer.Option(help="Number of the only table of a csv.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write finished uploads as Markdown, Word, HTML, hOCR, ALTO, tables and other formats."""
    from backend_main.core.exports.formats import format_of_name

    of_name = format_of_name(output.name) if output is not None and len(uploads) == 1 else None
    parameters = {
        "format": format or of_name or "md",
        "pages": pages,
        "furniture": furniture,
        "images": images,
        "page_breaks": "true" if page_breaks else None,
        "table": None if table is None else str(table),
    }
    request = _request({name: value for name, value in parameters.items() if value is not None})
    set_up(data_dir)
    _write(list(dict.fromkeys(uploads)), request, output)


def _request(parameters: dict[str, str]) -> ExportRequest:
    from backend_main.core.exports.formats import parse_request

    try:
        return parse_request(parameters)
    except RequestError as error:
        (name, message), *_ = error.fields.items()
        raise typer.BadParameter(message, param_hint=f"--{name.replace('_', '-')}") from None


def _write(upload_ids: list[UUID], request: ExportRequest, output: Path | None) -> None:
    from backend_main.core.exports.archive import write_archive

    open_document = functools.partial(_document, request)
    if len(upload_ids) > 1:
        write_output(write_archive(upload_ids, open_document, request.format), output, is_text=False)
        return
    try:
        chunks = request.format.write(open_document(upload_ids[0]))
        write_output(chunks, output, is_text=request.format.is_text)
    except (RequestError, PageImageError) as error:
        raise CommandError(" ".join(error.fields.values())) from None


def _document(request: ExportRequest, upload_id: UUID) -> ExportDocument:
    from backend_main.core import storage
    from backend_main.core.conf import conf
    from backend_main.core.exports.stored import stored_document
    from backend_main.core.models import Upload
    from backend_main.reading import Options

    from .original_parts import ConfinedParts

    upload = Upload.objects.select_related("owner").filter(pk=upload_id).first()
    if upload is None:
        raise RequestError({"instance_id": f"There is no upload {upload_id}."})
    limits = Options(max_pixels=conf.max_pixels, max_pages=conf.max_pages)
    return stored_document(
        owner=upload.owner,
        upload_id=upload_id,
        request=request,
        original_parts=lambda key: ConfinedParts(lambda: storage.local_copy(key), limits),
    )
