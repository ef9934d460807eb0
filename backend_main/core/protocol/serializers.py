"""Conversion of database rows into messages of the protocol."""

from __future__ import annotations

import datetime as dt
from typing import Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from ...reading.grade import Grade
from ...reading.types import SCHEMA_VERSION, Line
from ..models import PageContent, Upload
from ..uploads import page_content
from . import field_types, messages, pages


def instance(
    upload: Upload,
    *,
    texts: bool = False,
    page_warnings: list[messages.UploadWarning] | UnsetType = UNSET,
) -> messages.Instance:
    """Convert an upload; with its two texts only if `texts` is true."""
    return messages.Instance(
        id=upload.id,
        owner=upload.owner.get_username(),
        filename=upload.filename,
        image_path=upload.image_path,
        image_hash=upload.image_hash,
        content_type=upload.content_type,
        bytes=upload.bytes,
        status=cast("field_types.Status", upload.status),
        error=upload.error,
        error_code=upload.error_code,
        page_count=upload.page_count,
        pages_done=upload.pages_done,
        engine=upload.engine,
        languages=upload.languages,
        metadata=upload.metadata,
        warnings=upload.warnings,
        created_at=upload.created_at.astimezone(dt.UTC),
        updated_at=upload.updated_at.astimezone(dt.UTC),
        reading=upload.reading_number,
        confidence=upload.confidence,
        uncertain_share=upload.uncertain_share,
        page_warnings=page_warnings,
        raw_text=upload.raw_text if texts else UNSET,
        processed_text=upload.processed_text if texts else UNSET,
    )


def created(upload: Upload, *, duplicate: bool | UnsetType = UNSET) -> messages.UploadMessage:
    """Make `Upload.created`; only the reply to `create` has `duplicate`."""
    return messages.UploadMessage(type="Upload.created", instance=instance(upload), duplicate=duplicate)


def updated(upload: Upload) -> messages.UploadMessage:
    return messages.UploadMessage(type="Upload.updated", instance=instance(upload, texts=True))


def deleted(upload: Upload) -> messages.UploadMessage:
    return messages.UploadMessage(type="Upload.deleted", instance=instance(upload))


def status(upload: Upload) -> messages.UploadMessage:
    """Make the reply to `retrieve`."""
    return messages.UploadMessage(type="Upload.status", instance=instance(upload, texts=True))


def status_change(upload: Upload) -> messages.UploadMessage:
    """Make the event of a reading that has begun or ended."""
    return messages.UploadMessage(type="Upload.status", instance=instance(upload))


def terminal(upload: Upload) -> messages.Processed | messages.Failed:
    """Make the last message of a reading."""
    if upload.status == "processed":
        return messages.Processed(
            id=upload.id, raw_text=upload.raw_text, processed_text=upload.processed_text
        )
    return failed(upload)


def failed(upload: Upload) -> messages.Failed:
    """Make the last message of an upload whose status is `error` or `cancelled`."""
    end_status = cast("Literal['error', 'cancelled']", upload.status)
    return messages.Failed(id=upload.id, status=end_status, error=upload.error or "")


def listing(
    items: list[bytes], next_cursor: str | None, request: messages.ListUploads, total: int | None = None
) -> messages.ListMessage:
    """Make the reply to `list` from encoded uploads.

    It has `next` if the request has `limit`; null on the last page. The uploads are encoded on the thread of
    the query: of a long list, the event loop would take a second.
    """
    encoded = cast("list[messages.Instance]", msgspec.Raw(b"[" + b",".join(items) + b"]"))
    return messages.ListMessage(
        list=encoded,
        next=UNSET if request.limit is None else next_cursor,
        total=UNSET if total is None else total,
    )


def page(page: PageContent, *, with_words: bool = False) -> pages.PageInstance:
    """Convert a page; its lines with their words only if `with_words` is true.

    Pages of earlier versions have no grade.
    """
    lines, blocks = page_content.page_structure(page, with_words=with_words)
    grade = None if page.grade is None else msgspec.convert(page.grade, Grade)
    return pages.PageInstance(
        schema_version=SCHEMA_VERSION,
        number=page.number,
        width=page.width,
        height=page.height,
        markdown=page.markdown,
        text=page.text,
        lines=[_line(line, with_words=with_words) for line in lines],
        blocks=blocks,
        warnings=msgspec.convert(page.page_warnings, list[pages.PageWarning]),
        confidence=None if grade is None else grade.mean_confidence,
        uncertain_share=None if grade is None else grade.uncertain_share,
        correction=page.correction,
        corrected_by=page.corrected_by or None,
        corrected_at=page.corrected_at and page.corrected_at.astimezone(dt.UTC),
    )


def _line(line: Line, *, with_words: bool) -> pages.PageLine:
    return pages.PageLine(
        page=line.page,
        text=line.text,
        markdown=line.markdown,
        box=line.box,
        confidence=line.confidence,
        role=line.role,
        span=line.span,
        words=line.words if with_words else UNSET,
    )
