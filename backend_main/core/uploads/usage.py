"""Bytes that the uploads of a user take: files, texts of pages, corrections and metadata.

Each upload has the sizes of its texts in `text_bytes` and `page_bytes`, which counts the pages of all its
readings. They change in the transaction that
changes the texts. NULL means not counted: maintenance counts these rows, such as those of earlier versions.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar
from uuid import UUID

import msgspec
from django.db.models import F, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from ..db.functions import ByteLength
from ..db.retry import retry_transient
from ..models import KeptCorrection, Page, PageContent, ReadingPage, Upload

COUNT_BATCH_UPLOADS = 100
C = TypeVar("C", bound=PageContent)


def stored_bytes(owner_id: UUID) -> int:
    """Return the bytes of all uploads of a user; one query of an index."""
    size = F("bytes") + Coalesce("text_bytes", 0) + Coalesce("page_bytes", 0)
    total: int = Upload.objects.filter(owner_id=owner_id).aggregate(total=Sum(size, default=0))["total"]
    return total


def text_bytes(upload: Upload) -> int:
    """Return the bytes of the upload's own texts and metadata, not of its pages."""
    texts = (upload.raw_text, upload.plain_text, upload.correction or "")
    return sum(map(utf8_bytes, texts)) + len(msgspec.json.encode(upload.metadata))


def page_bytes(page: Page) -> int:
    """Return the bytes of a page: its texts, lines, blocks and words."""
    texts = (page.markdown, page.text, page.correction or "")
    blocks = b"" if page.blocks is None else msgspec.json.encode(page.blocks)
    lines = len(msgspec.json.encode(page.lines)) + len(page.words or b"")
    return sum(map(utf8_bytes, texts)) + lines + len(blocks)


def stored_page_bytes(upload_id: UUID) -> int:
    """Count the bytes of an upload's pages, of all readings, and of its kept corrections."""
    return _stored_page_bytes([upload_id]).get(upload_id, 0)


def reading_bytes(upload_id: UUID) -> int:
    """Count the bytes of the pages of the current reading."""
    return _sums(Page.objects.filter(upload_id=upload_id), "upload_id").get(upload_id, 0)


def count_missing() -> int:
    """Count the texts of uploads that are not counted; return their number."""
    counted = 0
    while batch := _count_batch():
        counted += batch
    return counted


@retry_transient
def _count_batch() -> int:
    is_missing = Q(text_bytes=None) | Q(page_bytes=None)
    missing = Upload.objects.filter(is_missing).only("raw_text", "plain_text", "correction", "metadata")
    uploads = list(missing.order_by("pk")[:COUNT_BATCH_UPLOADS])
    sizes = _stored_page_bytes([upload.pk for upload in uploads])
    for upload in uploads:
        row = Upload.objects.filter(pk=upload.pk)
        # A transaction that has counted meanwhile is newer.
        row.filter(text_bytes=None).update(text_bytes=text_bytes(upload))
        row.filter(page_bytes=None).update(page_bytes=sizes.get(upload.pk, 0))
    return len(uploads)


def _stored_page_bytes(upload_ids: list[UUID]) -> dict[UUID, int]:
    total = Counter(_sums(Page.objects.filter(upload_id__in=upload_ids), "upload_id"))
    total += _sums(ReadingPage.objects.filter(reading__upload_id__in=upload_ids), "reading__upload_id")
    kept = KeptCorrection.objects.filter(upload_id__in=upload_ids)
    size = ByteLength("correction") + ByteLength("read_text")
    return total + Counter(dict(kept.values_list("upload_id").annotate(total=Sum(size)).order_by()))


def _sums(pages: QuerySet[C], key: str) -> Counter[UUID]:
    """Sum the bytes of pages for each value of `key`."""
    texts = ByteLength("markdown") + ByteLength("text") + Coalesce(ByteLength("correction"), 0)
    lines = ByteLength(Cast("lines", TextField())) + Coalesce(ByteLength("words"), 0)
    size = texts + lines + Coalesce(ByteLength(Cast("blocks", TextField())), 0)
    return Counter(dict(pages.values_list(key).annotate(total=Sum(size)).order_by()))


def utf8_bytes(text: str) -> int:
    """Return the length of a text in UTF-8, without a copy of ASCII."""
    return len(text) if text.isascii() else len(text.encode())
