"""Readings of an upload: the current one, and earlier ones beside it.

The current reading is the upload itself with its `Page` rows, so the queue, its fencing and live text know no
other. When another reading begins, the rows of the current one are copied to `Reading` and `ReadingPage`.
`Upload.reading_number` is the number of the current one. Numbers are never used again.

The functions here change rows of an upload that the caller has locked; `commands` and `reading_commands` call
them inside their transactions.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Field, Model

from ...reading.page_ranges import PageRanges
from ..conf import conf
from ..jobs import options as job_options
from ..jobs import results
from ..jobs.options import ReadOptions
from ..models import Job, Page, PageContent, Reading, ReadingPage, Status, Upload
from . import kept_corrections, rows, usage

READING_FIELDS = ("status", "error", "error_code", "engine", "languages", "read_options", "page_count")
"""Fields that an upload and an earlier reading have in common; the pages determine the others."""
GRADE_FIELDS = ("confidence", "uncertain_share")


def begin(upload: Upload, options: ReadOptions) -> None:
    """Make the upload pending, without the text of the pages to read; keep `attempt` and corrections.

    The present reading becomes an earlier one, unless this continues it: see `_is_continuation`.

    Raises:
        QuotaExceeded: The user has no bytes left for another reading beside it.
        StorageFull: The disk has no space for it.
    """
    bytes_before = upload.page_bytes or 0
    new_bytes = 0
    numbers: dict[str, Any] = {}
    if not _is_continuation(upload, options):
        if conf.max_readings_per_upload != 1:
            new_bytes = usage.reading_bytes(upload.pk)
            _archive(upload)
            _remove_oldest(upload.pk)
        number = upload.latest_reading_number + 1
        numbers = {"reading_number": number, "latest_reading_number": number}
    reread = PageRanges(options.reread_pages or "")
    finished = upload.pages.values_list("number", flat=True)
    _delete_pages(upload, [number for number in finished if number in reread])
    page_bytes = usage.stored_page_bytes(upload.pk)
    if new_bytes:
        rows.check_text_growth(upload.owner, page_bytes + new_bytes - bytes_before, "instance_id")
    kept = upload.pages.count()
    ended = {"status": Status.PENDING, "error": None, "error_code": None}
    fields = {**ended, "pages_done": kept, "page_bytes": page_bytes, **numbers}
    if not kept:
        fields["page_count"] = None
    rows.save(upload, **fields, **options.model_fields(), **results.text_fields(upload.pk))
    Job.objects.create(upload=upload, priority=job_options.job_priority(options))


def make_current(upload: Upload, reading: Reading) -> None:
    """Exchange the current reading for an earlier one. A reading without pages is not kept."""
    if upload.pages.exists():
        _archive(upload)
        upload.pages.all().delete()
    source = {"upload_id": upload.pk, "attempt": upload.attempt}
    _copy_pages(ReadingPage, "reading_id", reading.pk, Page, source)
    numbers = list(upload.pages.values_list("number", flat=True))
    kept_corrections.remove(upload.pk, numbers)
    fields = {name: getattr(reading, name) for name in READING_FIELDS}
    reading_number = reading.number
    reading.delete()
    rows.save(
        upload,
        **fields,
        reading_number=reading_number,
        pages_done=len(numbers),
        page_bytes=usage.stored_page_bytes(upload.pk),
        **results.text_fields(upload.pk),
    )


def remove_all(upload_id: UUID) -> None:
    """Remove the earlier readings and the kept corrections of an upload that is deleted."""
    Reading.objects.filter(upload_id=upload_id).delete()
    kept_corrections.remove(upload_id)


def remove_orphans() -> int:
    """Remove readings and corrections of uploads that an older program deleted; return their number."""
    uploads = Upload.objects.values("pk")
    removed = Reading.objects.exclude(upload_id__in=uploads).delete()[0]
    return removed + kept_corrections.remove_orphans()


def _archive(upload: Upload) -> None:
    """Copy the current reading to an earlier one."""
    row = Reading.objects.create(
        upload_id=upload.pk,
        number=upload.reading_number,
        **{name: getattr(upload, name) for name in (*READING_FIELDS, *GRADE_FIELDS)},
    )
    _copy_pages(Page, "upload_id", upload.pk, ReadingPage, {"reading_id": row.pk})


def _remove_oldest(upload_id: UUID) -> None:
    """Remove readings beyond `max_readings_per_upload`, which counts the current one.

    Those that were current longest ago go first: `_archive` gives each a higher id than all before.
    """
    if conf.max_readings_per_upload:
        earlier = Reading.objects.filter(upload_id=upload_id).order_by("-pk")
        excess = earlier.values_list("pk", flat=True)[conf.max_readings_per_upload - 1 :]
        Reading.objects.filter(pk__in=list(excess)).delete()


def _is_continuation(upload: Upload, options: ReadOptions) -> bool:
    """Return whether a reading with these options belongs to the present one.

    It does if there is nothing to keep, or if the options are the same and it reads named pages again, or an
    upload that did not end well.
    """
    if not upload.pages.exists():
        return True
    before = job_options.from_stored(upload.read_options)
    if _engine_options(upload, before) != _engine_options(upload, options):
        return False
    return options.reread_pages is not None or upload.status != Status.PROCESSED


def _engine_options(upload: Upload, options: ReadOptions) -> ReadOptions:
    """Return the options that make a difference to the text, with the engine that the upload has."""
    return msgspec.structs.replace(
        options,
        engine=options.engine or upload.engine,
        languages=job_options.language_codes(options),
        priority=None,
        reread_pages=None,
    )


def _delete_pages(upload: Upload, numbers: list[int]) -> None:
    kept_corrections.keep(upload.pk, numbers)
    upload.pages.filter(number__in=numbers).delete()


def _copy_pages(
    source: type[PageContent], key: str, value: Any, target: type[PageContent], columns: dict[str, Any]
) -> None:
    """Copy pages between their two tables, inside the database: a long document has many megabytes.

    Args:
        key: Column of `source` that has `value` in the rows to copy.
        columns: Columns of `target` that `source` does not have, with their values.
    """
    quote = connection.ops.quote_name
    shared = [quote(str(field.column)) for field in PageContent._meta.local_concrete_fields]
    names = ", ".join([*shared, *(quote(name) for name in columns)])
    values = [_database_value(target, name, given) for name, given in columns.items()]
    selected = ", ".join([*shared, *["%s"] * len(values)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(target._meta.db_table)} ({names}) "  # noqa: S608 - the names come from the models
            f"SELECT {selected} FROM {quote(source._meta.db_table)} WHERE {quote(key)} = %s",
            [*values, _database_value(source, key, value)],
        )


def _database_value(model: type[Model], name: str, value: Any) -> Any:
    field = model._meta.get_field(name.removesuffix("_id"))
    assert isinstance(field, Field)
    return field.get_db_prep_value(value, connection)
