"""Bytes that the uploads of a user take: files, texts of pages, corrections and metadata.

Each upload has the sizes of its texts in `text_bytes` and `page_bytes`. They change in the transaction that
changes the texts. NULL means not counted: maintenance counts these rows, such as those of earlier versions.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.db.models import F, Q, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from ..db.functions import ByteLength
from ..db.retry import retry_transient
from ..models import Page, Upload

COUNT_BATCH_UPLOADS = 100


def stored_bytes(owner_id: UUID) -> int:
    """Return the bytes of all uploads of a user; one query of an index."""
    size = F("bytes") + Coalesce("text_bytes", 0) + Coalesce("page_bytes", 0)
    total: int = Upload.objects.filter(owner_id=owner_id).aggregate(total=Sum(size, default=0))["total"]
    return total


def text_bytes(upload: Upload) -> int:
    """Return the bytes of the upload's own texts and metadata, not of its pages."""
    texts = (upload.raw_text, upload.plain_text, upload.correction or "")
    return sum(map(_utf8_bytes, texts)) + len(msgspec.json.encode(upload.metadata))


def page_bytes(page: Page) -> int:
    """Return the bytes of a page: its texts, lines, blocks and words."""
    texts = _utf8_bytes(page.markdown) + _utf8_bytes(page.text)
    blocks = b"" if page.blocks is None else msgspec.json.encode(page.blocks)
    return texts + len(msgspec.json.encode(page.lines)) + len(blocks) + len(page.words or b"")


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
    pages = Page.objects.filter(upload__in=uploads)
    texts = ByteLength("markdown") + ByteLength("text") + ByteLength(Cast("lines", TextField()))
    blocks = Coalesce(ByteLength(Cast("blocks", TextField())), 0)
    size = texts + blocks + Coalesce(ByteLength("words"), 0)
    sizes = dict(pages.values_list("upload_id").annotate(total=Sum(size)).order_by())
    for upload in uploads:
        row = Upload.objects.filter(pk=upload.pk)
        # A transaction that has counted meanwhile is newer.
        row.filter(text_bytes=None).update(text_bytes=text_bytes(upload))
        row.filter(page_bytes=None).update(page_bytes=sizes.get(upload.pk, 0))
    return len(uploads)


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
