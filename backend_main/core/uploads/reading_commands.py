"""Commands that change readings and pages of an upload on behalf of their owner.

Each function is one transaction, which also writes the event of the change, as in `commands`.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from .. import event_log
from ..db.retry import retry_transient
from ..errors import PageNotFound, PageNotReady, ReadingNotFound, StatusConflict
from ..jobs import results
from ..models import Page, Reading, Upload, User
from ..protocol import serializers
from ..search import index as search_index
from . import queries, quotas, readings, rows, usage

CURRENT_READING_MESSAGE = "This is the current reading. Make another one current first."


@retry_transient
def make_current(*, owner: User, upload_id: UUID, number: int) -> Upload:
    """Make an earlier reading the current one; the present one becomes an earlier one.

    The current reading stays as it is.

    Raises:
        UploadNotFound: The user has no upload with this id.
        ReadingNotFound: The upload has no reading with this number.
        StatusConflict: The upload waits or is being read.
    """
    with event_log.transaction() as changes:
        upload = rows.lock(owner, upload_id)
        if number == upload.reading_number:
            return upload
        reading = _reading(upload, number)
        if upload.status in quotas.OPEN_STATUSES:
            raise StatusConflict(f"This upload is {upload.status}. Wait until it ends, or cancel it.")
        readings.make_current(upload, reading)
        search_index.index_missing(upload_id=upload_id)
        changes.append(rows.change_of(upload, serializers.updated(upload), None))
    return upload


@retry_transient
def delete_reading(*, owner: User, upload_id: UUID, number: int) -> None:
    """Delete an earlier reading with its pages.

    Raises:
        UploadNotFound: The user has no upload with this id.
        ReadingNotFound: The upload has no reading with this number.
        StatusConflict: It is the current reading.
    """
    with event_log.transaction():
        upload = rows.lock(owner, upload_id)
        if number == upload.reading_number:
            raise StatusConflict(CURRENT_READING_MESSAGE)
        _reading(upload, number).delete()
        Upload.objects.filter(pk=upload_id).update(page_bytes=usage.stored_page_bytes(upload_id))


@retry_transient
def correct_page(
    *,
    owner: User,
    upload_id: UUID,
    number: int,
    correction: str | None,
    check: Callable[[Page], None] | None = None,
) -> Page:
    """Set the text of a finished page, or remove the correction if it is None.

    A later reading of the page keeps the correction: see `kept_corrections`.

    Args:
        check: Raises an error if the locked page is not the one that the correction is meant for.

    Raises:
        UploadNotFound: The user has no upload with this id.
        PageNotFound: The upload has no such page, or it was not to be read.
        StatusConflict: The page is not read yet.
        QuotaExceeded: The user has no bytes left for the correction.
        StorageFull: The disk has no space for it.
    """
    with event_log.transaction() as changes:
        upload = rows.lock(owner, upload_id)
        page = Page.objects.filter(upload_id=upload_id, number=number).first()
        if page is None:
            if isinstance(queries.page_error(upload, number), PageNotReady):
                raise StatusConflict("This page is not read yet. Correct it when it is finished.")
            raise PageNotFound
        if check is not None:
            check(page)
        growth = usage.utf8_bytes(correction or "") - usage.utf8_bytes(page.correction or "")
        rows.check_text_growth(owner, growth, "correction")
        is_corrected = correction is not None
        page.correction = correction
        page.corrected_by = owner.get_username() if is_corrected else ""
        page.corrected_at = timezone.now() if is_corrected else None
        page.save(update_fields=["correction", "corrected_by", "corrected_at"])
        search_index.index_page(page, owner.pk)
        fields = {} if upload.page_bytes is None else {"page_bytes": upload.page_bytes + growth}
        if upload.status not in quotas.OPEN_STATUSES:  # otherwise the end of the reading joins the texts
            fields |= results.text_fields(upload_id)
        rows.save(upload, **fields)
        changes.append(rows.change_of(upload, serializers.updated(upload), None))
    return page


def _reading(upload: Upload, number: int) -> Reading:
    reading = Reading.objects.filter(upload_id=upload.pk, number=number).first()
    if reading is None:
        raise ReadingNotFound
    return reading
