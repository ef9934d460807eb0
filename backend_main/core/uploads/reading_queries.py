"""Queries for the readings of an upload, always through the owner.

The current reading is made of the upload and its `Page` rows, an earlier one of `Reading` and `ReadingPage`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import cast
from uuid import UUID

import msgspec
from django.db.models import Count, Max, QuerySet, Sum
from msgspec import UNSET

from ...reading.grade import Grade
from ..db.retry import retry_transient
from ..errors import PageNotFound, ReadingNotFound
from ..jobs import options as job_options
from ..models import PageContent, Reading, Upload, User
from ..protocol import field_types, readings
from . import page_texts, queries
from .word_differences import WordDifferences, compare_words

MAX_COMPARISON_COST = 2_000_000_000
"""Largest sum of the costs of the pages of a comparison: about 0.7 s. Pages beyond it are not compared."""


@retry_transient
def reading_list(*, owner: User, upload_id: UUID) -> readings.ReadingList:
    """Return the readings of an upload, the newest first.

    Raises:
        UploadNotFound: The user has no upload with this id.
    """
    upload = queries.upload(owner=owner, upload_id=upload_id)
    rows: list[Upload | Reading] = [upload, *Reading.objects.filter(upload_id=upload_id)]
    found = sorted((_info(upload, row) for row in rows), key=lambda info: -info.number)
    return readings.ReadingList(readings=found)


@retry_transient
def reading(*, owner: User, upload_id: UUID, number: int) -> readings.Reading:
    """Return a reading with its texts.

    Raises:
        UploadNotFound: The user has no upload with this id.
        ReadingNotFound: The upload has no reading with this number.
    """
    upload, row = _find(owner, upload_id, number)
    pages = list(pages_of(row).defer(*page_texts.DEFERRED_FIELDS))
    return readings.Reading(
        **msgspec.structs.asdict(_info(upload, row)),
        warnings=page_texts.messages_of(pages),
        raw_text=page_texts.raw_text(pages),
        processed_text=page_texts.processed_text(pages),
    )


@retry_transient
def page(*, owner: User, upload_id: UUID, number: int, page_number: int) -> PageContent:
    """Return a finished page of a reading.

    Raises:
        UploadNotFound: The user has no upload with this id.
        ReadingNotFound: The upload has no reading with this number.
        PageNotFound: The reading has no such page.
        PageNotReady: The page is not read yet.
    """
    upload, row = _find(owner, upload_id, number)
    found = pages_of(row).filter(number=page_number).first()
    if found is None:
        raise queries.page_error(upload, page_number) if row is upload else PageNotFound
    return found


@retry_transient
def compare(
    *, owner: User, upload_id: UUID, first: int, second: int, page_number: int | None = None
) -> readings.ReadingComparison:
    """Compare two readings by the words of their pages, as they were read, without corrections.

    Args:
        page_number: The page whose differing words are listed; None: only the numbers of all pages.

    Raises:
        UploadNotFound: The user has no upload with this id.
        ReadingNotFound: The upload has no reading with one of these numbers.
        PageNotFound: Neither reading has the page.
    """
    upload, first_row = _find(owner, upload_id, first)
    _, second_row = _find(owner, upload_id, second)
    pages = list(_compare_pages(first_row, second_row, page_number))
    if page_number is not None and not pages:
        raise PageNotFound
    return readings.ReadingComparison(
        first=_info(upload, first_row), second=_info(upload, second_row), pages=pages
    )


def pages_of(row: Upload | Reading) -> QuerySet[PageContent]:
    """Return the finished pages of a reading, in order."""
    return cast("QuerySet[PageContent]", row.pages.order_by("number"))


def _find(owner: User, upload_id: UUID, number: int) -> tuple[Upload, Upload | Reading]:
    """Return the upload, and the row of its reading: the upload itself for the current one."""
    upload = queries.upload(owner=owner, upload_id=upload_id)
    if number == upload.reading_number:
        return upload, upload
    row = Reading.objects.filter(upload_id=upload_id, number=number).first()
    if row is None:
        raise ReadingNotFound
    return upload, row


def _info(upload: Upload, row: Upload | Reading) -> readings.ReadingInfo:
    options = job_options.from_stored(row.read_options)
    pages = (
        pages_of(row)
        .order_by()
        .aggregate(done=Count("pk"), seconds=Sum("seconds"), read_at=Max("created_at"))
    )
    return readings.ReadingInfo(
        number=row.number if isinstance(row, Reading) else row.reading_number,
        is_current=row is upload,
        status=cast("field_types.Status", row.status),
        error=row.error,
        engine=row.engine,
        languages=row.languages,
        profile=options.profile,
        pages=options.pages,
        page_count=row.page_count,
        pages_done=pages["done"],
        confidence=row.confidence,
        uncertain_share=row.uncertain_share,
        seconds=None if pages["seconds"] is None else round(pages["seconds"], 3),
        read_at=pages["read_at"] and pages["read_at"].astimezone(dt.UTC),
    )


def _compare_pages(
    first: Upload | Reading, second: Upload | Reading, page_number: int | None
) -> Iterator[readings.PageComparison]:
    ones, others = _texts(first, page_number), _texts(second, page_number)
    left = MAX_COMPARISON_COST
    for number in sorted(ones.keys() | others.keys()):
        one, other = ones.get(number), others.get(number)
        found = compare_words(one.text if one else "", other.text if other else "", left)
        if found.differences is not None:
            left -= found.cost
        yield _page_comparison(number, one, other, found, has_changes=page_number is not None)


def _texts(row: Upload | Reading, page_number: int | None) -> dict[int, PageContent]:
    pages = pages_of(row).only("number", "text", "grade", "seconds")
    if page_number is not None:
        pages = pages.filter(number=page_number)
    return {page.number: page for page in pages}


def _page_comparison(
    number: int,
    first: PageContent | None,
    second: PageContent | None,
    found: WordDifferences,
    *,
    has_changes: bool,
) -> readings.PageComparison:
    return readings.PageComparison(
        number=number,
        first_words=found.first_words if first else None,
        second_words=found.second_words if second else None,
        differing_words=found.differing_words,
        first_confidence=_confidence(first),
        second_confidence=_confidence(second),
        first_seconds=first.seconds if first else None,
        second_seconds=second.seconds if second else None,
        changes=_changes(first, second, found) if has_changes else UNSET,
    )


def _changes(
    first: PageContent | None, second: PageContent | None, found: WordDifferences
) -> list[readings.WordChange]:
    one, other = first.text if first else "", second.text if second else ""
    return [
        readings.WordChange(
            kind=each.kind,
            first=one[slice(*each.first)],
            second=other[slice(*each.second)],
            first_span=each.first,
            second_span=each.second,
        )
        for each in found.differences or []
    ]


def _confidence(page: PageContent | None) -> float | None:
    if page is None or page.grade is None:
        return None
    return msgspec.convert(page.grade, Grade).mean_confidence
