"""The event log as connections get it: the events after a cursor, encoded.

The log does not contain the two texts; they are added here, in their present state. The text stays empty if
the upload has been read again since the event: later events in the log bring the new one.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Min
from django.db.models.functions import Coalesce, Length

from .. import event_log
from ..auth import accounts
from ..db.settings import read_snapshot
from ..jobs import options as job_options
from ..jobs.claim import claimed_jobs
from ..models import (
    Event,
    EventLog,
    Status,
    Upload,
    User,
)
from ..protocol import durable_messages, messages, serializers
from ..protocol.durable_messages import KINDS_WITH_TEXTS, LAST_KINDS
from ..pubsub.messages import ReadingStarted
from ..uploads import listing

BATCH_EVENTS = 100
# The texts that one reader keeps in memory at once; one event's texts may exceed it.
BATCH_CHARACTERS = 1024 * 1024


@dataclass(slots=True)
class EncodedEvent:
    """An event as connections get it, with and without cursor; each form is encoded once."""

    seq: int
    upload_id: UUID
    origin_connection: str
    ends_reading: bool
    text: str
    _with_cursor: str | None = field(default=None, repr=False)

    def with_cursor(self, epoch: str) -> str:
        if self._with_cursor is None:
            self._with_cursor = f'{self.text[:-1]},"cursor":"{cursor(epoch, self.seq)}"}}'
        return self._with_cursor


class OwnerState(NamedTuple):
    """The log's epoch and head, and the uploads in progress.

    `reading` has attempt and number of finished pages by upload; it is read after the head.
    """

    epoch: str
    latest_seq: int
    reading: dict[UUID, tuple[int, int]]


class Snapshot(NamedTuple):
    """All uploads as of the event `seq`, as an encoded `Upload.list`; with `next` if they exceed a list."""

    seq: int
    text: str


def cursor(epoch: str, seq: int) -> str:
    return f"{epoch}:{seq}"


def seq_of(cursor: str, epoch: str) -> int | None:
    """Return the `seq` of a cursor; None if it is not a cursor of this log."""
    name, _, digits = cursor.rpartition(":")
    return int(digits) if name == epoch and re.fullmatch(r"[0-9]{1,18}", digits) else None


class EventLogReader:
    """Reads what the hub needs. Every method uses the database."""

    def epoch(self) -> str:
        row, _ = EventLog.objects.get_or_create(id=1, defaults={"epoch": reset_epoch()})
        return row.epoch

    def latest_seq(self, owner_id: UUID) -> int:
        return event_log.latest_seq(owner_id)

    def accounts(self, owner_ids: list[UUID]) -> dict[UUID, accounts.AccountState]:
        return accounts.load_accounts(owner_ids)

    def owner_state(self, owner_id: UUID) -> OwnerState:
        head = self.latest_seq(owner_id)
        reading = Upload.objects.filter(owner_id=owner_id, status=Status.PROCESSING)
        rows = reading.values_list("pk", "attempt", "pages_done")
        return OwnerState(self.epoch(), head, {key: (attempt, done) for key, attempt, done in rows})

    def reading_state(self, owner_id: UUID, upload_id: UUID, attempt: int) -> ReadingStarted | None:
        """Return the state of a reading, as its start message with all finished pages; None if it is over."""
        head = self.latest_seq(owner_id)
        row = Upload.objects.filter(pk=upload_id, owner_id=owner_id, status=Status.PROCESSING)
        upload = (
            row.filter(first_attempt__lte=attempt, attempt__gte=attempt)
            .only("page_count", "first_attempt", "read_options")
            .first()
        )
        if upload is None:
            return None
        # Before the pages: the pages of a job that finishes in between are then included.
        jobs = dict(claimed_jobs().filter(upload_id=upload_id).values_list("first_page", "attempt"))
        texts = dict(upload.pages.order_by("number").values_list("number", "markdown"))
        page_ranges = job_options.pages_to_read(job_options.from_stored(upload.read_options))
        return ReadingStarted(
            owner_id,
            upload_id,
            attempt,
            head,
            pages=texts,
            page_count=upload.page_count,
            first_attempt=upload.first_attempt,
            page_ranges=page_ranges,
            jobs=jobs,
        )

    def has_all_since(self, owner_id: UUID, seq: int) -> bool:
        """Whether the log has every event after `seq`."""
        head = self.latest_seq(owner_id)
        if seq == head:
            return True
        oldest = Event.objects.filter(owner_id=owner_id).aggregate(seq=Min("seq"))["seq"]
        return seq < head and oldest is not None and oldest <= seq + 1

    def events_after(self, owner_id: UUID, seq: int, upload_id: UUID | None = None) -> list[EncodedEvent]:
        """Return the next events in order, as many as the batch limits allow; none after the last.

        With `upload_id`, events of other uploads come without their texts.
        """
        rows = list(Event.objects.filter(owner_id=owner_id, seq__gt=seq).order_by("seq")[:BATCH_EVENTS])
        wanted = [row for row in rows if upload_id is None or row.upload_id == upload_id]
        fitting, until = _limit_batch([row for row in wanted if row.kind in KINDS_WITH_TEXTS])
        text_fields = ("attempt", "raw_text", "plain_text", "correction")
        texts = Upload.objects.only(*text_fields).in_bulk(fitting) if fitting else {}
        return [_encode_event(row, texts) for row in rows if until is None or row.seq < until]

    def snapshot(self, owner_id: UUID, upload_id: UUID | None) -> Snapshot:
        """Return the list of uploads as of the last event. Other transactions write meanwhile."""
        with read_snapshot():
            seq = self.latest_seq(owner_id)
            owner = User.objects.get(pk=owner_id)
            limit = listing.MAX_LIST_SIZE
            found = listing.uploads(owner=owner, limit=limit, only=upload_id)
        request = messages.ListUploads(limit=limit if found.next else None)
        return Snapshot(seq, messages.encode(serializers.listing(found.items, found.next, request)))


def reset_epoch() -> str:
    return secrets.token_hex(4)


def _limit_batch(rows: list[Event]) -> tuple[set[UUID], int | None]:
    """Return the uploads whose texts fit into a batch, and the `seq` of the first event that does not."""
    keys = {row.upload_id for row in rows}
    if len(rows) < 2:
        return keys, None  # the first always fits, and nearly every batch has one
    size: Any = Length("raw_text") + Length("plain_text") + Coalesce(Length(F("correction")), 0)
    sizes = dict(Upload.objects.filter(pk__in=keys).annotate(size=size).values_list("pk", "size"))
    fitting: set[UUID] = set()
    total = 0
    for row in rows:
        # Each encoded event has its own copy of the text, also where two are of one upload.
        total += sizes.get(row.upload_id, 0)
        if total > BATCH_CHARACTERS and row is not rows[0]:
            return fitting, row.seq
        fitting.add(row.upload_id)
    return fitting, None


def _encode_event(row: Event, texts: dict[UUID, Upload]) -> EncodedEvent:
    """Encode an event with the present texts of its upload; no raw text after another reading."""
    text = row.message
    if row.kind in KINDS_WITH_TEXTS:
        change = durable_messages.decode_change(row.kind, row.message)
        upload = texts.get(row.upload_id)
        if upload is None:
            change = durable_messages.with_texts(change, "", "")
        elif upload.attempt != row.attempt:
            change = durable_messages.with_texts(change, "", upload.correction or "")
        else:
            change = durable_messages.with_texts(change, upload.raw_text, upload.processed_text)
        text = messages.encode(change)
    return EncodedEvent(row.seq, row.upload_id, row.origin_connection, row.kind in LAST_KINDS, text)
