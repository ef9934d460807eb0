"""Step 11 — reads the log of events: what came after a cursor, as the messages that sockets get.

The two texts are not in the log: they are filled in here, as they are now. Where an upload has been taken up
again since the event, its text is left empty: the events that brought a new one come later in the log.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min
from django.db.models.functions import Coalesce, Length

from .. import event_log
from ..auth import accounts
from ..jobs import options as job_options
from ..models import (
    Event,
    EventCounter,
    EventLog,
    Job,
    Status,
    Upload,
    User,
)
from ..protocol import messages, serializers
from ..pubsub.messages import ReadingStarted
from ..uploads import queries

BATCH_EVENTS = 100
# The texts of so many characters are in memory at once for each who reads; one event's always are.
BATCH_CHARACTERS = 1024 * 1024


@dataclass(slots=True)
class EncodedEvent:
    """An event as the sockets get it, in both forms; each is encoded once. `ends_reading` ends a reading."""

    seq: int
    upload_id: UUID
    origin: str
    ends_reading: bool
    text: str
    _with_cursor: str = field(default="", repr=False)

    def with_cursor(self, epoch: str) -> str:
        if not self._with_cursor:
            self._with_cursor = f'{self.text[:-1]},"cursor":"{cursor(epoch, self.seq)}"}}'
        return self._with_cursor


class OwnerState(NamedTuple):
    """The log's epoch and head; the uploads that are read, looked up after the head: attempt, pages done."""

    epoch: str
    latest_seq: int
    reading: dict[UUID, tuple[int, int]]


class Snapshot(NamedTuple):
    """All uploads as of the event `seq`."""

    seq: int
    message: messages.ListMessage


def cursor(epoch: str, seq: int) -> str:
    return f"{epoch}:{seq}"


def seq_of(cursor: str, epoch: str) -> int | None:
    """None for what is no cursor of this log."""
    name, _, digits = cursor.rpartition(":")
    return int(digits) if name == epoch and re.fullmatch(r"[0-9]{1,18}", digits) else None


class EventLogReader:
    """What the hub asks; every method uses the database."""

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
        """What readers said when they took the upload, and what has been read since; None: it was lost."""
        head = self.latest_seq(owner_id)
        row = Upload.objects.filter(pk=upload_id, owner_id=owner_id, status=Status.PROCESSING)
        upload = (
            row.filter(first_attempt__lte=attempt, attempt__gte=attempt)
            .only("page_count", "first_attempt", "read_options")
            .first()
        )
        if upload is None:
            return None
        # Before the pages: who finishes a job meanwhile has its pages among them.
        held = Job.objects.filter(upload_id=upload_id).exclude(claimed_by="")
        jobs = dict(held.values_list("first_page", "attempt"))
        texts = dict(upload.pages.order_by("number").values_list("number", "markdown"))
        wanted = job_options.pages_to_read(job_options.from_stored(upload.read_options))
        return ReadingStarted(
            owner_id, upload_id, attempt, head, texts, upload.page_count, upload.first_attempt, wanted, jobs
        )

    def has_all_since(self, owner_id: UUID, seq: int) -> bool:
        """Whether the log has every event after this one."""
        head = self.latest_seq(owner_id)
        if seq == head:
            return True
        oldest = Event.objects.filter(owner_id=owner_id).aggregate(seq=Min("seq"))["seq"]
        return seq < head and oldest is not None and oldest <= seq + 1

    def events_after(self, owner_id: UUID, seq: int, upload_id: UUID | None = None) -> list[EncodedEvent]:
        """The next events, in order; of other uploads than `upload_id`, if given, without their texts.

        They are as many as may be in memory at once; none: there is no later one.
        """
        rows = list(Event.objects.filter(owner_id=owner_id, seq__gt=seq).order_by("seq")[:BATCH_EVENTS])
        wanted = [row for row in rows if upload_id is None or row.upload_id == upload_id]
        fitting, until = _limit_batch([row for row in wanted if row.kind in messages.KINDS_WITH_TEXTS])
        texts = _texts(fitting)
        return [_entry(row, texts) for row in rows if until is None or row.seq < until]

    def snapshot(self, owner_id: UUID, upload_id: UUID | None) -> Snapshot:
        """The list of uploads and the event up to which it is true: no event commits meanwhile."""
        with transaction.atomic():
            EventCounter.objects.bulk_create([EventCounter(owner_id=owner_id)], ignore_conflicts=True)
            seq = EventCounter.objects.select_for_update().get(owner_id=owner_id).seq
            owner = User.objects.get(pk=owner_id)
            limit = queries.MAX_LIST_SIZE
            found = queries.uploads(owner=owner, limit=limit, only=upload_id)
        asked = messages.ListUploads(limit=limit if found.next else None)
        return Snapshot(seq, serializers.listing(found.uploads, found.next, asked))


def reset_epoch() -> str:
    return secrets.token_hex(4)


def _limit_batch(rows: list[Event]) -> tuple[set[UUID], int | None]:
    """The uploads whose texts fit into one batch, and the number of the first event that does not fit."""
    keys = {row.upload_id for row in rows}
    if len(rows) < 2:
        return keys, None  # the first always fits: nearly all that a hub asks for is one
    size: Any = Length("raw_text") + Length("plain_text") + Coalesce(Length(F("correction")), 0)
    sizes = dict(Upload.objects.filter(pk__in=keys).annotate(size=size).values_list("pk", "size"))
    fitting: set[UUID] = set()
    total = 0
    for row in rows:
        # Each event is a text of its own once it is encoded, also where two are of one upload.
        total += sizes.get(row.upload_id, 0)
        if total > BATCH_CHARACTERS and row is not rows[0]:
            return fitting, row.seq
        fitting.add(row.upload_id)
    return fitting, None


def _texts(keys: set[UUID]) -> dict[UUID, Upload]:
    fields = ("attempt", "raw_text", "plain_text", "correction")
    return Upload.objects.only(*fields).in_bulk(keys) if keys else {}


def _entry(row: Event, texts: dict[UUID, Upload]) -> EncodedEvent:
    text = row.message
    if row.kind in messages.KINDS_WITH_TEXTS:
        text = messages.encode(_with_current_texts(row, texts.get(row.upload_id)))
    return EncodedEvent(
        row.seq, row.upload_id, row.origin_connection, row.kind in messages.TERMINAL_KINDS, text
    )


def _with_current_texts(row: Event, upload: Upload | None) -> messages.DurableMessage:
    change = messages.decode_change(row.kind, row.message)
    if upload is None:
        return messages.with_texts(change, "", "")
    if upload.attempt != row.attempt:
        return messages.with_texts(change, "", upload.correction or "")
    return messages.with_texts(change, upload.raw_text, upload.processed_text)
