"""Document to export of an upload in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

import msgspec

from ...reading.grade import Grade
from ...reading.page_ranges import no_such_pages_message
from ...reading.types import Block, Line, PageWarning
from .. import storage
from ..db.retry import retry_transient
from ..errors import RequestError, StatusConflict, UploadNotFound, UploadNotReady
from ..models import Page, Status, Upload, User
from ..uploads import page_content, queries
from .correction import corrected, page_corrections
from .document import ExportDocument, ExportPage, OriginalParts
from .formats import ExportRequest
from .furniture import with_furniture

CHUNK_PAGES = 10
"""Pages in memory at once. A page has at most some 10,000 words, so they take a few MB."""


def stored_document(
    *, owner: User, upload_id: UUID, request: ExportRequest, original_parts: Callable[[str], OriginalParts]
) -> ExportDocument:
    """Return the document of a user's upload.

    Args:
        owner: The user.
        upload_id: Id of the upload.
        request: Format, options and pages.
        original_parts: Returns access to the original by its key in the storage.

    Raises:
        UploadNotFound: The user has no upload with this id.
        UploadNotReady: The upload is still being read.
        StatusConflict: The upload has no finished page.
        RequestError: On `pages` if none of them is finished.
    """
    upload = queries.upload(owner=owner, upload_id=upload_id)
    if upload.status in (Status.PENDING, Status.PROCESSING):
        raise UploadNotReady(_unfinished_message(upload))
    finished = _page_ids(upload)
    if not finished:
        raise StatusConflict("The upload has no finished page. Read it again, then export it.")
    numbers = tuple(number for number in finished if number in request.pages)
    if not numbers:
        message = no_such_pages_message(str(request.pages), upload.page_count or max(finished))
        raise RequestError({"pages": message})
    pages = _StoredPages(upload, [finished[number] for number in numbers], request)
    return ExportDocument(
        filename=upload.filename,
        content_type=upload.content_type,
        page_count=upload.page_count or len(finished),
        page_numbers=numbers,
        pages=pages.iterate,
        open_original=lambda: storage.local_copy(upload.image_path),
        parts=original_parts(upload.image_path),
        options=request.options,
        is_selection=len(numbers) < len(finished),
        languages=tuple(upload.languages),
        engine=upload.engine,
        correction=upload.correction,
        figure_address=lambda page, number: f"/api/uploads/{upload.pk}/pages/{page}/figures/{number}",
    )


class _StoredPages:
    """Finished pages of an upload, read in chunks."""

    def __init__(self, upload: Upload, ids: Sequence[int], request: ExportRequest) -> None:
        self._upload = upload
        self._ids = ids
        self._options = request.options
        # Most formats need the Markdown alone, and the lines are most of a page.
        self._has_lines = request.format.has_lines
        self._has_blocks = self._has_lines or self._options.furniture or self._options.images != "none"
        self._corrections: Mapping[int, str] | None = None

    def iterate(self) -> Iterator[ExportPage]:
        if self._corrections is None:
            self._corrections = _corrections(self._upload)
        for at in range(0, len(self._ids), CHUNK_PAGES):
            chunk = self._ids[at : at + CHUNK_PAGES]
            rows = _rows(chunk)
            for page_id in chunk:
                if page_id not in rows:
                    raise _changed_error(self._upload)
                page = with_furniture(self._page(rows[page_id]), self._options.furniture)
                correction = self._corrections.get(page.number)
                yield page if correction is None else corrected(page, correction)

    def _page(self, row: Page) -> ExportPage:
        lines: Sequence[Line] = ()
        blocks: Sequence[Block] = ()
        if self._has_blocks:
            lines, blocks = page_content.page_structure(row, with_words=self._has_lines)
        grade = None if row.grade is None else msgspec.convert(row.grade, Grade)
        return ExportPage(
            number=row.number,
            width=row.width,
            height=row.height,
            markdown=row.markdown,
            text=row.text,
            lines=lines,
            blocks=blocks,
            warnings=msgspec.convert(row.page_warnings, list[PageWarning]),
            confidence=grade.mean_confidence if grade else None,
            uncertain_share=grade.uncertain_share if grade else None,
            corrected_by=row.corrected_by or None,
            corrected_at=row.corrected_at and row.corrected_at.astimezone(dt.UTC),
        )


@retry_transient
def _page_ids(upload: Upload) -> dict[int, int]:
    """Return the ids of the finished pages by number, in order. Another reading has pages with other ids."""
    return dict(Page.objects.filter(upload=upload).order_by("number").values_list("number", "pk"))


@retry_transient
def _rows(ids: Sequence[int]) -> dict[int, Page]:
    return Page.objects.in_bulk(ids)


@retry_transient
def _changed_error(upload: Upload) -> RequestError:
    """Return the error for a page that was deleted, or read again, after the export began."""
    if not Upload.objects.filter(pk=upload.pk).exists():
        return UploadNotFound()
    return StatusConflict("The upload changed while it was exported. Export it again.")


@retry_transient
def _corrections(upload: Upload) -> dict[int, str]:
    """Return the corrected texts by page. A correction of the whole document changes those of pages."""
    pages = Page.objects.filter(upload=upload).order_by("number")
    corrections = pages.exclude(correction=None).values_list("number", "correction")
    own = {number: text for number, text in corrections if text is not None}
    if upload.correction is None:
        return own
    texts = dict(pages.values_list("number", "text")) | own
    whole = page_corrections(list(texts.values()), upload.plain_text, upload.correction)
    changed = {number: text for number, text in zip(texts, whole, strict=True) if text is not None}
    return own | changed


def _unfinished_message(upload: Upload) -> str:
    done = f"{upload.pages_done} of {upload.page_count}" if upload.page_count else "No"
    return f"The upload is still being read. {done} pages are finished. Export it when it is processed."
