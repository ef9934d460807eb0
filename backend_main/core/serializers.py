"""A row of the database → what clients see of it."""

from __future__ import annotations

import datetime as dt
from typing import Literal, cast

from msgspec import UNSET, UnsetType

from . import protocol
from .models import Page, Upload


def instance(upload: Upload, *, texts: bool = False) -> protocol.Instance:
    """The upload as JSON fields; the two texts only where the protocol wants them."""
    return protocol.Instance(
        id=upload.id,
        owner=upload.owner.get_username(),
        filename=upload.filename,
        image_path=upload.image_path,
        image_hash=upload.image_hash,
        content_type=upload.content_type,
        bytes=upload.bytes,
        status=cast("protocol.Status", upload.status),
        error=upload.error,
        page_count=upload.page_count,
        pages_done=upload.pages_done,
        engine=upload.engine,
        languages=upload.languages,
        metadata=upload.metadata,
        warnings=upload.warnings,
        created_at=upload.created_at.astimezone(dt.UTC),
        updated_at=upload.updated_at.astimezone(dt.UTC),
        raw_text=upload.raw_text if texts else UNSET,
        processed_text=upload.processed_text if texts else UNSET,
    )


def created(upload: Upload, *, duplicate: bool | UnsetType = UNSET) -> protocol.UploadMessage:
    """`duplicate` stands in the reply to a `create` alone."""
    return protocol.UploadMessage(type="Upload.created", instance=instance(upload), duplicate=duplicate)


def updated(upload: Upload) -> protocol.UploadMessage:
    return protocol.UploadMessage(type="Upload.updated", instance=instance(upload, texts=True))


def deleted(upload: Upload) -> protocol.UploadMessage:
    return protocol.UploadMessage(type="Upload.deleted", instance=instance(upload))


def status(upload: Upload) -> protocol.UploadMessage:
    """The reply to `retrieve`."""
    return protocol.UploadMessage(type="Upload.status", instance=instance(upload, texts=True))


def terminal(upload: Upload) -> protocol.Processed | protocol.Failed:
    """The last message of a reading."""
    if upload.status == "processed":
        return protocol.Processed(
            id=upload.id, raw_text=upload.raw_text, processed_text=upload.processed_text
        )
    return failed(upload)


def failed(upload: Upload) -> protocol.Failed:
    """Of an upload that ended in `error`, or was cancelled."""
    ended = cast("Literal['error', 'cancelled']", upload.status)
    return protocol.Failed(id=upload.id, status=ended, error=upload.error or "")


def listing(
    uploads: list[Upload], next_cursor: str | None, asked: protocol.ListUploads
) -> protocol.ListMessage:
    """`next` is there for those who sent `limit`, null on the last page."""
    shown = [instance(upload) for upload in uploads]
    return protocol.ListMessage(list=shown, next=UNSET if asked.limit is None else next_cursor)


def page(page: Page) -> protocol.PageInstance:
    return protocol.PageInstance(
        number=page.number,
        width=page.width,
        height=page.height,
        markdown=page.markdown,
        text=page.text,
        lines=page.lines,
        warnings=page.warnings,
    )
