"""Formats of exports, and the request for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from ...reading.page_ranges import PageRanges
from ..errors import RequestError
from .alto import write_alto
from .document import ExportDocument, ExportOptions
from .hocr import write_hocr
from .html import write_html
from .page_json import write_json
from .searchable_pdf import write_pdf
from .text import write_markdown, write_text

Writer = Callable[[ExportDocument], Iterator[bytes]]
MAX_TABLE = 1_000_000


class ExportFormat(NamedTuple):
    """Format of an export."""

    media_type: str
    extension: str
    """Extension of the file, with the dot."""
    write: Writer
    """Yields the file; empty bytes while there is nothing to send yet."""
    has_lines: bool
    """Whether the writer reads the lines and words of the pages."""

    @property
    def is_text(self) -> bool:
        """Whether a terminal can show the file."""
        return not self.media_type.startswith(("application/vnd", "application/zip", "application/pdf"))


def _imported_when_used(module: str, name: str) -> Writer:
    """Return a writer whose module is imported by its first call: its libraries take 10 MB of memory."""

    def write(document: ExportDocument) -> Iterator[bytes]:
        yield from getattr(import_module(f".{module}", __package__), name)(document)

    return write


_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    "md": ExportFormat("text/markdown; charset=utf-8", ".md", write_markdown, has_lines=False),
    "txt": ExportFormat("text/plain; charset=utf-8", ".txt", write_text, has_lines=False),
    "json": ExportFormat("application/json", ".json", write_json, has_lines=True),
    "html": ExportFormat("text/html; charset=utf-8", ".html", write_html, has_lines=False),
    "docx": ExportFormat(_DOCX, ".docx", _imported_when_used("docx_document", "write_docx"), has_lines=False),
    "hocr": ExportFormat("application/xhtml+xml", ".hocr", write_hocr, has_lines=True),
    "alto": ExportFormat("application/xml", ".xml", write_alto, has_lines=True),
    "pdf": ExportFormat("application/pdf", ".pdf", write_pdf, has_lines=True),
    "csv": ExportFormat(
        "application/zip", "-tables.zip", _imported_when_used("tables", "write_csv"), has_lines=False
    ),
    "xlsx": ExportFormat(_XLSX, ".xlsx", _imported_when_used("tables", "write_xlsx"), has_lines=False),
}
_ONE_TABLE = FORMATS["csv"]._replace(media_type="text/csv; charset=utf-8", extension=".csv")
_CHOICES = {
    "furniture": ("keep", "drop"),
    "images": ("none", "link", "embed"),
    "page_breaks": ("true", "false"),
}
PARAMETERS = ("format", "pages", "table", *_CHOICES)


class ExportRequest(NamedTuple):
    """Format, options and pages of an export."""

    format: ExportFormat
    options: ExportOptions
    pages: PageRanges


def parse_request(parameters: Mapping[str, str]) -> ExportRequest:
    """Return the request for an export from the parameters of a query or of a command.

    Raises:
        RequestError: On the parameter that is unknown, missing or invalid.
    """
    unknown = next((name for name in parameters if name not in PARAMETERS), None)
    if unknown is not None:
        raise RequestError({unknown: f"Unknown parameter. Use one of {', '.join(PARAMETERS)}."})
    export_format = _format(parameters.get("format", "md"))
    options = ExportOptions(
        furniture=_choice("furniture", parameters, default=None),
        images=_choice("images", parameters, default="none"),
        has_page_breaks=_choice("page_breaks", parameters, default="false") == "true",
        table=_table(parameters.get("table"), export_format),
    )
    try:
        pages = PageRanges(parameters.get("pages"))
    except ValueError as error:
        raise RequestError({"pages": str(error)}) from None
    if options.table is not None:
        export_format = _ONE_TABLE
    return ExportRequest(export_format, options, pages)


def format_of_name(name: str) -> str | None:
    """Return the format of a file by its extension; None for an unknown one."""
    extensions = {".htm": "html", ".xhtml": "hocr", ".markdown": "md", ".zip": "csv"}
    extensions |= {export_format.extension: key for key, export_format in FORMATS.items()}
    return extensions.get("." + name.rpartition(".")[2].lower()) if "." in name else None


def _format(name: str) -> ExportFormat:
    found = FORMATS.get(name)
    if found is None:
        raise RequestError({"format": f"Choose one of {', '.join(FORMATS)}."})
    return found


def _choice(name: str, parameters: Mapping[str, str], *, default: str | None) -> Any:
    value = parameters.get(name, default)
    if value is not default and value not in _CHOICES[name]:
        raise RequestError({name: f"Choose one of {', '.join(_CHOICES[name])}."})
    return value


def _table(value: str | None, export_format: ExportFormat) -> int | None:
    if value is None:
        return None
    if export_format is not FORMATS["csv"]:
        raise RequestError({"table": "Only the format csv has this parameter."})
    is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(MAX_TABLE))
    if not is_number or not int(value):
        raise RequestError({"table": "A whole number from 1 is expected."})
    return int(value)
