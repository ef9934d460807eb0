"""Results that a reader writes: finished pages, and the end of a job or of an upload.

Every function is one transaction, fenced by the claim: it raises `LeaseLost` and writes nothing if the claim
is not current.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from ... import reading
from ...reading.grade import grade_of
from ...reading.page_structure.structured_page import bare_blocks
from .. import event_log
from ..db.retry import retry_transient
from ..db.settings import relaxed_durability
from ..event_log import UploadChange
from ..models import Job, Page, Status, Upload
from ..protocol import serializers
from ..search import index as search_index
from ..uploads import kept_corrections, page_texts, usage
from ..uploads.packed_words import pack_words
from .claim import UNCLAIMED, Claim, LeaseLost, claimed_job, lock_upload, require_rows, upload_being_read

MAX_FAILURES = 3
UNREADABLE_FILE = reading.UnreadableFile.code
READER_DIED = "reader_died"
INTERNAL_ERROR = "internal_error"


@retry_transient
@relaxed_durability()
def save_page(claim: Claim, page: reading.PageDone, *, seconds: float | None = None) -> None:
    """Store a finished page, which no later attempt reads again, and reset the job's failures.

    Args:
        seconds: Time that the reader took for the page.

    Raises:
        LeaseLost: The claim is not current.
    """
    with transaction.atomic():
        row = _new_page(claim, page, seconds)
        lock_upload(
            claim,
            page_count=page.page_count,
            pages_done=F("pages_done") + 1,
            page_bytes=F("page_bytes") + usage.page_bytes(row),
        )
        require_rows(claimed_job(claim).update(failures=0))
        if growth := kept_corrections.restore(row):
            upload_being_read(claim).update(page_bytes=F("page_bytes") + growth)
        row.save(force_insert=True)
        search_index.index_page(row, claim.owner_id)


@retry_transient
def finish(
    claim: Claim,
    page: reading.PageDone | None = None,
    on_commit: Callable[[], None] | None = None,
    *,
    seconds: float | None = None,
) -> bool:
    """Remove the job, and end the upload if this is its last job.

    The upload ends as processed, or with an error if no page was readable.

    Args:
        page: The last page of the job, stored in the same transaction; None: it is stored already.
        on_commit: Called after the commit, before any listener receives the event.
        seconds: Time that the reader took for the page.

    Returns:
        Whether the upload has other jobs.

    Raises:
        LeaseLost: The claim is not current.
    """
    with event_log.transaction(on_commit=on_commit) as changes:
        upload = _locked_upload(claim)
        require_rows(claimed_job(claim).delete()[0])
        if page:
            row = _new_page(claim, page, seconds)
            new_bytes = usage.page_bytes(row) + kept_corrections.restore(row)
            row.save(force_insert=True)
            search_index.index_page(row, upload.owner_id)
            if upload.page_bytes is not None:
                upload.page_bytes += new_bytes
            upload.page_count = page.page_count
            upload.pages_done += 1
        has_other_jobs = Job.objects.filter(upload_id=claim.upload_id).exists()
        if has_other_jobs:
            upload.save(update_fields=["page_count", "pages_done", "page_bytes", "updated_at"])
        else:
            changes += _end_upload(upload)
    return has_other_jobs


@retry_transient
def fail(claim: Claim, message: str, *, code: str = INTERNAL_ERROR) -> None:
    """End the upload with an error, and remove all its jobs.

    Args:
        code: Kind of the error, for `Upload.error_code`.

    Raises:
        LeaseLost: The claim is not current.
    """
    with event_log.transaction() as changes:
        upload = _locked_upload(claim)
        require_rows(claimed_job(claim).delete()[0])
        Job.objects.filter(upload_id=claim.upload_id).delete()
        changes += _end_upload(upload, message, code)


@retry_transient
def count_failure(claim: Claim, message: str, *, code: str = INTERNAL_ERROR) -> None:
    """Count a failure without progress: open the job again, or end the upload after `MAX_FAILURES`.

    Writes nothing if the claim is not current.

    Raises:
        LeaseLost: The claim was lost while the upload was being ended.
    """
    if claimed_job(claim).filter(failures__gte=MAX_FAILURES - 1).exists():
        fail(claim, message, code=code)
    else:
        claimed_job(claim).update(failures=F("failures") + 1, **UNCLAIMED)


@retry_transient
def count_timeout(claim: Claim, message: str) -> None:
    """Open the job of a page that took too long once more, as the owner's last; then end the upload.

    Such a page takes a reader for the longest time that there is, so it gets no third attempt.

    Raises:
        LeaseLost: The claim was lost while the upload was being ended.
    """
    if claimed_job(claim).filter(failures__gte=MAX_FAILURES - 1).exists():
        fail(claim, message, code=reading.EngineTimeout.code)
    else:
        claimed_job(claim).update(failures=MAX_FAILURES - 1, created_at=Now(), **UNCLAIMED)


def text_fields(upload_id: UUID) -> dict[str, Any]:
    """Return the fields of an upload that its finished pages determine: texts, warnings and grade."""
    return page_texts.upload_fields(_finished_pages(upload_id))


def _strip_nul(value: Any) -> Any:
    """Remove NUL characters: PostgreSQL cannot store them, and the text of a PDF may contain them."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_strip_nul(each) for each in value]
        case dict():
            return {key: _strip_nul(each) for key, each in value.items()}
    return value


def _locked_upload(claim: Claim) -> Upload:
    """Return the upload, locked until the transaction ends, without the texts that its end replaces."""
    rows = upload_being_read(claim).select_for_update(of=("self",)).select_related("owner")
    upload = rows.defer("raw_text", "plain_text").first()
    if upload is None:
        raise LeaseLost
    return upload


def _new_page(claim: Claim, page: reading.PageDone, seconds: float | None) -> Page:
    return Page(
        upload_id=claim.upload_id,
        attempt=claim.attempt,
        number=page.number,
        width=page.width,
        height=page.height,
        markdown=_strip_nul(page.markdown),
        text=_strip_nul(page.text),
        lines=_strip_nul([_stored_line(line) for line in page.lines]),
        blocks=_strip_nul([msgspec.to_builtins(block) for block in bare_blocks(page)]),
        words=pack_words(page.lines),
        warnings=_strip_nul([msgspec.to_builtins(warning) for warning in page.warnings]),
        grade=msgspec.to_builtins(grade_of(page.lines)),
        seconds=None if seconds is None else round(seconds, 3),
    )


def _stored_line(line: reading.Line) -> dict[str, Any]:
    """Return a line as JSON, without its words, which are packed."""
    fields: dict[str, Any] = msgspec.to_builtins(line)
    del fields["words"]
    if line.span is None:
        del fields["span"]
    return fields


def _finished_pages(upload_id: UUID) -> list[Page]:
    pages = Page.objects.filter(upload_id=upload_id).order_by("number")
    return list(pages.defer(*page_texts.DEFERRED_FIELDS))


def _end_upload(upload: Upload, error: str | None = None, code: str = INTERNAL_ERROR) -> list[UploadChange]:
    """Save the end of a locked upload with the text of its finished pages; return its two events.

    Without `error`, the upload still ends with an error if it has pages and none of them could be decoded.
    """
    pages = _finished_pages(upload.pk)
    if error is None and pages and not any(page.width for page in pages):
        error = f"No page of the file could be read. {page_texts.messages_of(pages)[0]}"
        code = UNREADABLE_FILE
    upload.status = Status.PROCESSED if error is None else Status.ERROR
    upload.error = error
    upload.error_code = None if error is None else code
    texts = page_texts.upload_fields(pages)
    for name, value in texts.items():
        setattr(upload, name, value)
    upload.text_bytes = usage.text_bytes(upload)
    fields = ["page_count", "pages_done", "page_bytes", "text_bytes", "updated_at", "status", "error"]
    upload.save(update_fields=[*fields, "error_code", *texts])
    return [
        UploadChange(upload.owner_id, upload.pk, upload.attempt, message)
        for message in (serializers.status_change(upload), serializers.terminal(upload))
    ]
