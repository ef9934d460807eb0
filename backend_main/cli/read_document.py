"""Document to export of a file that `scanrill read` has read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from backend_main.core.exports.document import ExportDocument, ExportPage
from backend_main.reading import Options, PageDone
from backend_main.reading.documents.image_headers import read_header

from .original_parts import FileParts


def read_document(file: Path, pages: Sequence[PageDone], options: Options) -> ExportDocument:
    """Return the document of a file with its pages."""
    finished = [_page(page) for page in pages]
    header = read_header(file, max_frames=1)
    return ExportDocument(
        filename=file.name,
        content_type=header.file_type.content_type if header else "",
        page_count=pages[0].page_count if pages else 0,
        page_numbers=tuple(page.number for page in pages),
        pages=lambda: iter(finished),
        open_original=lambda: nullcontext(file),
        parts=FileParts(file, options),
        is_selection=bool(options.pages),
        languages=options.languages,
        engine=options.engine,
    )


def _page(page: PageDone) -> ExportPage:
    return ExportPage(
        number=page.number,
        width=page.width,
        height=page.height,
        markdown=page.markdown,
        text=page.text,
        lines=page.lines,
        blocks=page.blocks,
        warnings=page.warnings,
    )
