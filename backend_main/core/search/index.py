"""Entries of the search index. Each function belongs into the transaction that changes the text.

The database removes the entries of deleted pages and uploads. Maintenance adds those that are missing: of
uploads from before the index, and of an older program beside this one.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from ..db.retry import retry_transient
from ..models import Page, SearchEntry, Upload
from .tokens import token_texts

# The words of a `tsvector` end at 1 MiB. A dense page has 1,500 words.
MAX_WORDS = 16_000
MAX_WORDS_BYTES = 512 * 1024
BATCH_ROWS = 100
TEXT, NAME = "t", "n"
_OWNER_DIGITS = 8
_UPLOAD_TEXTS = ("upload__raw_text", "upload__plain_text", "upload__correction")
_UPLOAD_FIELDS = ("owner_id", "filename", "correction")


def scope_of(owner_id: UUID, letter: str) -> str:
    """Return the beginning of the tokens of a user: of texts or of file names."""
    return owner_digits(owner_id) + letter


def owner_digits(owner_id: UUID) -> str:
    """Return the digits of a user in tokens and in pairs of words."""
    return owner_id.hex[:_OWNER_DIGITS]


def index_page(page: Page, owner_id: UUID) -> None:
    """Write the entry of a page in place of an older one."""
    SearchEntry.objects.filter(page_id=page.pk).delete()
    _page_entry(page, owner_id).save(force_insert=True)


def index_upload(upload: Upload) -> None:
    """Write the entries of the file name and of the correction of an upload in place of older ones."""
    SearchEntry.objects.filter(upload_id=upload.pk, page_id=None).delete()
    SearchEntry.objects.bulk_create(_upload_entries(upload))


def index_missing(*, upload_id: UUID | None = None) -> int:
    """Index the pages and uploads without an entry, of one upload or of all; return their number.

    Uploads come newest first, each with its pages before its name, so `is_complete` needs one row. Each batch
    is a transaction, which leaves out what another process indexes meanwhile.
    """
    indexed = 0
    if upload_id is not None:
        return _index_pages(_pages_missing().filter(upload_id=upload_id)) + _index_uploads([upload_id])
    while uploads := _uploads_missing():
        for missing_id in uploads:
            indexed += _index_pages(_pages_missing().filter(upload_id=missing_id))
        indexed += _index_uploads(uploads)
    return indexed + _index_pages(_pages_missing())


@retry_transient
def is_complete(owner_id: UUID) -> bool:
    """Return whether all texts of the user are in the index. Maintenance adds those that are not."""
    oldest = (
        Upload.objects.filter(owner_id=owner_id).order_by("created_at", "pk").values_list("pk", flat=True)
    )
    upload_id = oldest.first()
    return upload_id is None or SearchEntry.objects.filter(upload_id=upload_id, page_id=None).exists()


@retry_transient
def clear() -> None:
    """Delete all entries, also of a damaged index. `index_missing` then adds them again."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DELETE FROM core_searchentry")
            return
        # Without the trigger, which would look for each word of each entry in the index.
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'core_searchentry_delete'")
        [trigger] = cursor.fetchone()
        cursor.execute("DROP TRIGGER core_searchentry_delete")
        cursor.execute("DELETE FROM core_searchentry")
        cursor.execute("INSERT INTO core_searchindex (core_searchindex) VALUES ('delete-all')")
        cursor.execute(trigger)


def _uploads_missing() -> list[UUID]:
    entries = SearchEntry.objects.filter(upload_id=OuterRef("pk"), page_id=None)
    newest_first = Upload.objects.filter(~Exists(entries)).order_by("-created_at", "-pk")
    return list(newest_first.values_list("pk", flat=True)[:BATCH_ROWS])


def _pages_missing() -> QuerySet[Page]:
    return Page.objects.filter(~Exists(SearchEntry.objects.filter(page_id=OuterRef("pk"))))


def _index_pages(missing: QuerySet[Page]) -> int:
    indexed = 0
    while batch := _index_page_batch(missing):
        indexed += batch
    return indexed


@retry_transient
def _index_page_batch(missing: QuerySet[Page]) -> int:
    with transaction.atomic():
        # Locked, so that none is deleted before its entry is there.
        rows = missing.select_for_update(of=("self",), no_key=True).select_related("upload")
        pages = rows.defer("markdown", "lines", "blocks", "words", *_UPLOAD_TEXTS).order_by("-pk")[
            :BATCH_ROWS
        ]
        entries = [_page_entry(page, page.upload.owner_id) for page in pages]
        SearchEntry.objects.bulk_create(entries, ignore_conflicts=True)
    return len(entries)


@retry_transient
def _index_uploads(ids: list[UUID]) -> int:
    with transaction.atomic():
        uploads = Upload.objects.filter(pk__in=ids).select_for_update(no_key=True)
        entries = [entry for upload in uploads.only(*_UPLOAD_FIELDS) for entry in _upload_entries(upload)]
        SearchEntry.objects.bulk_create(entries, ignore_conflicts=True)
    return len(ids)


def _page_entry(page: Page, owner_id: UUID) -> SearchEntry:
    return SearchEntry(
        owner_id=owner_id,
        upload_id=page.upload_id,
        page_id=page.pk,
        scope=scope_of(owner_id, TEXT),
        words=_words(page.processed_text),
    )


def _upload_entries(upload: Upload) -> list[SearchEntry]:
    texts = {NAME: upload.filename}
    if upload.correction is not None:
        texts[TEXT] = upload.correction
    return [
        SearchEntry(
            owner_id=upload.owner_id,
            upload_id=upload.pk,
            scope=scope_of(upload.owner_id, letter),
            words=_words(text),
        )
        for letter, text in texts.items()
    ]


def _words(text: str) -> str:
    """Return the folded words of a text, each after a space, as far as the index can hold them."""
    words = "".join(f" {word}" for word in token_texts(text)[:MAX_WORDS])
    if len(words) * 4 > MAX_WORDS_BYTES:  # a character takes at most four bytes
        encoded = words.encode()[: MAX_WORDS_BYTES + 1]
        return encoded[: encoded.rfind(b" ")].decode() if len(encoded) > MAX_WORDS_BYTES else words
    return words
