"""What a reader writes: pages, and the end of a job or an upload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F

from ... import reading
from ...reading.output.markdown import join_pages
from .. import event_log
from ..db.retry import retry_transient
from ..db.settings import relaxed_durability
from ..event_log import UploadChange
from ..models import (
    Job,
    Page,
    Status,
    Upload,
)
from ..protocol import serializers
from .claim import Claim, LeaseLost, claimed_job, lock_upload, require_rows, upload_being_read

MAX_FAILURES = 3


@retry_transient
@relaxed_durability()
def save_page(claim: Claim, page: reading.PageDone) -> None:
    """A finished page, which no later attempt reads again. Raises `LeaseLost`."""
    with transaction.atomic():
        lock_upload(claim, page_count=page.page_count, pages_done=F("pages_done") + 1)
        require_rows(claimed_job(claim).update(failures=0))
        _insert_page(claim, page)


@retry_transient
def finish(
    claim: Claim, page: reading.PageDone | None = None, on_commit: Callable[[], None] | None = None
) -> bool:
    """The job is done, with its last page where that was just read; whether the upload has others.

    With its last job the upload ends: processed, or an error where no page was readable. `on_commit` is called
    once that is committed, before anybody is told the event. Raises `LeaseLost`.
    """
    with event_log.transaction(on_commit=on_commit) as changes:
        upload = _locked(claim)
        require_rows(claimed_job(claim).delete()[0])
        if page:
            _insert_page(claim, page)
            upload.page_count, upload.pages_done = page.page_count, upload.pages_done + 1
        others = Job.objects.filter(upload_id=claim.upload_id).exists()
        if others:
            _save(upload)
        else:
            changes.append(_end(upload))
    return others


@retry_transient
def fail(claim: Claim, sentence: str) -> None:
    """The upload ends with an error, whatever else of it is being read."""
    with event_log.transaction() as changes:
        upload = _locked(claim)
        require_rows(claimed_job(claim).delete()[0])
        Job.objects.filter(upload_id=claim.upload_id).delete()
        changes.append(_end(upload, sentence))


@retry_transient
def count_failure(claim: Claim, sentence: str) -> None:
    """The job waits again, unless it has brought down a reader too often without one more page.

    Nothing happens where the claim does not stand any more. Raises `LeaseLost`.
    """
    if claimed_job(claim).filter(failures__gte=MAX_FAILURES - 1).exists():
        fail(claim, sentence)
    else:
        claimed_job(claim).update(failures=F("failures") + 1, claimed_by="", lease_until=None)


def texts_so_far(upload_id: UUID) -> dict[str, Any]:
    """What an upload that ends now has of its finished pages, as fields of it."""
    return _texts_of(_pages_of(upload_id))


def _strip_nul(value: Any) -> Any:
    """Without NUL characters, which no text of PostgreSQL may hold; a PDF's own text may."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_strip_nul(each) for each in value]
        case dict():
            return {key: _strip_nul(each) for key, each in value.items()}
    return value


def _locked(claim: Claim) -> Upload:
    """The same for who writes to it later: the upload, without what is of no use at its end."""
    fields = ("owner_id", "attempt", "page_count", "pages_done", "correction")
    upload = upload_being_read(claim).select_for_update().only(*fields).first()
    if upload is None:
        raise LeaseLost
    return upload


def _insert_page(claim: Claim, page: reading.PageDone) -> None:
    Page.objects.create(
        upload_id=claim.upload_id,
        attempt=claim.attempt,
        number=page.number,
        width=page.width,
        height=page.height,
        markdown=_strip_nul(page.markdown),
        text=_strip_nul(page.text),
        lines=_strip_nul([msgspec.to_builtins(line) for line in page.lines]),
        warnings=_strip_nul(page.warnings),
    )


def _pages_of(upload_id: UUID) -> list[Page]:
    """Finished ones, without their lines."""
    return list(Page.objects.filter(upload_id=upload_id).order_by("number").defer("lines"))


def _texts_of(pages: list[Page]) -> dict[str, Any]:
    return {
        "raw_text": join_pages(page.markdown for page in pages),
        "plain_text": join_pages(page.text for page in pages),
        "warnings": list(dict.fromkeys(warning for page in pages for warning in page.warnings)),
    }


def _unreadable(pages: list[Page]) -> str | None:
    """A sentence where there are pages and none of them could be decoded."""
    if not pages or any(page.width for page in pages):
        return None
    return f"No page of the file could be read. {pages[0].warnings[0]}"


def _end(upload: Upload, error: str | None = None) -> UploadChange:
    """The end of a locked upload, with the text of the pages that were read: its terminal event.

    It is one with an error where there is one, or no page was readable.
    """
    pages = _pages_of(upload.pk)
    error = error or _unreadable(pages)
    upload.status, upload.error = Status.PROCESSED if error is None else Status.ERROR, error
    texts = _texts_of(pages)
    for name, text in texts.items():
        setattr(upload, name, text)
    _save(upload, "status", "error", *texts)
    return UploadChange(upload.owner_id, upload.pk, upload.attempt, serializers.terminal(upload))


def _save(upload: Upload, *fields: str) -> None:
    upload.save(update_fields=["page_count", "pages_done", "updated_at", *fields])
