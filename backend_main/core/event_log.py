"""Event log: one event per change of an upload, written in the transaction of the change.

    with event_log.transaction() as changes:
        …change rows…
        changes.append(UploadChange(…))

The events of a user have at most `max_event_bytes()`. Beyond it the oldest are deleted, and a client that
resumes from one of them receives the list of its uploads instead.

If the transaction fails, no event is written and no listener is called. The transaction assigns `seq` last,
and that locks the owner's counter until the commit. The `seq` of an owner therefore rises in the order of the
commits, in all processes. A transaction that changes several uploads locks them in the order of their ids
first.

After the commit, the committing thread calls each listener. A listener must be quick and must not raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db import connection
from django.db import transaction as database
from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import Now

from .conf import conf
from .db.functions import ByteLength
from .db.retry import retry_transient
from .models import Event, EventCounter, User
from .protocol import durable_messages, messages
from .pubsub.messages import LogAdvanced, Publisher, ReadingEnded
from .webhooks import outbox
from .webhooks.outbox import LoggedEvent


class ReplyTarget(Protocol):
    """Connection that requested a change, and receives the reply instead of the change's event."""

    @property
    def id(self) -> str: ...

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        """Send `reply` when event `seq` is due; called on the committing thread, before the commit."""
        ...

    def cancel_reply(self) -> None:
        """Drop the reply: the transaction failed."""
        ...


@dataclass(slots=True)
class UploadChange:
    """Change of one upload, and its event.

    Attributes:
        attempt: The upload's latest attempt.
        message: The event, as other connections receive it.
        requester: The connection that requested the change, if one did.
        reply: The reply for `requester`; None: `message`.
        seq: Number of the event; 0 until it is written.
    """

    owner_id: UUID
    upload_id: UUID
    attempt: int
    message: messages.DurableMessage
    requester: ReplyTarget | None = None
    reply: messages.Message | None = None
    seq: int = 0

    @property
    def kind(self) -> str:
        return durable_messages.kind(self.message)

    @property
    def ends_reading(self) -> bool:
        """Whether the change ends the reading of the upload."""
        return self.kind in durable_messages.TERMINAL_KINDS


Listener = Callable[[UploadChange], None]

# The other columns of a row, and its place in the indexes; 20,000 rows in SQLite take 286 bytes each.
EVENT_ROW_BYTES = 290
# Beyond the limit, a 64th of it is deleted too, so that not every event deletes one.
REMOVED_SHARE = 64
# A client that is offline for a moment resumes, however small the quota of its user is.
MIN_EVENT_BYTES = 64 * 1024

_listeners: list[Listener] = []


@contextmanager
def transaction(on_commit: Callable[[], None] | None = None) -> Iterator[list[UploadChange]]:
    """Open a database transaction and yield a list; the changes appended to it become events.

    Args:
        on_commit: Called after the commit, before the listeners.
    """
    changes: list[UploadChange] = []
    try:
        with database.atomic():
            yield changes
            _append(changes)
    except BaseException:
        for change in changes:
            if change.requester is not None:
                change.requester.cancel_reply()
        raise
    if on_commit is not None:
        on_commit()
    for change in changes:
        for listener in _listeners:
            listener(change)


def add_listener(listener: Listener) -> None:
    """Call `listener` with every change that this process commits."""
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    """Stop calling `listener`."""
    _listeners.remove(listener)


@retry_transient
def latest_seq(owner_id: UUID) -> int:
    """Return the number of the owner's latest event; 0 if there is none yet."""
    return EventCounter.objects.filter(owner_id=owner_id).values_list("seq", flat=True).first() or 0


@retry_transient
def remove_expired() -> int:
    """Delete events older than `conf.event_retention`; return their number.

    All events before an expired one are deleted too, so that the rest of an owner's log has no gap.
    """
    expired = Event.objects.filter(created_at__lt=Now() - conf.event_retention.timedelta).order_by()
    removed = 0
    for owner_id, seq in expired.values_list("owner_id").annotate(newest=Max("seq")):
        with database.atomic():
            _lock_counter(owner_id)
            removed += _remove_until(owner_id, seq)
    return removed


@retry_transient
def count_missing() -> int:
    """Count the events of owners that are not counted, such as those of an earlier version."""
    owners = list(EventCounter.objects.filter(event_bytes=None).values_list("owner_id", flat=True))
    for owner_id in owners:
        with database.atomic():
            _lock_counter(owner_id)
            size = _bytes_of(Event.objects.filter(owner_id=owner_id))
            EventCounter.objects.filter(owner_id=owner_id).update(event_bytes=size)
    return len(owners)


def max_event_bytes() -> int:
    """Return the largest size of one user's events; 0: unlimited. A byte quota of the user limits it too."""
    limits = [limit for limit in (conf.max_event_bytes_per_user, conf.max_bytes_per_user) if limit]
    return max(MIN_EVENT_BYTES, min(limits)) if limits else 0


def _append(changes: list[UploadChange]) -> None:
    # Sorted, so that all transactions lock the counters of several owners in one order.
    for change in sorted(changes, key=lambda change: change.owner_id):
        message = messages.encode(durable_messages.without_texts(change.message))
        change.seq, event_bytes = _next_seq(change.owner_id, EVENT_ROW_BYTES + len(message.encode()))
        _insert(change, message)
        if (limit := max_event_bytes()) and event_bytes > limit:
            _remove_oldest(change.owner_id, event_bytes - limit + limit // REMOVED_SHARE, change.seq)
        if change.requester is not None:
            reply = change.reply or change.message
            assert isinstance(reply, messages.Message)
            change.requester.reply_at_event(change.seq, reply)
    outbox.add_deliveries(
        LoggedEvent(change.owner_id, change.upload_id, change.seq, change.kind, change.message)
        for change in changes
    )


def _insert(change: UploadChange, message: str) -> None:
    """Insert the event of a change. The ORM would take a fifth of the time of a small change."""
    values = {
        "owner": change.owner_id,
        "seq": change.seq,
        "upload_id": change.upload_id,
        "attempt": change.attempt,
        "kind": change.kind,
        "message": message,
        "origin_connection": change.requester.id if change.requester is not None else "",
    }
    fields = [field for field in Event._meta.concrete_fields if field.name in values]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(Event._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({places})",  # noqa: S608 - the names come from the model
            [field.get_db_prep_save(values[field.name], connection) for field in fields],
        )


def _remove_oldest(owner_id: UUID, excess_bytes: int, newest_seq: int) -> None:
    """Delete the oldest events of at least `excess_bytes`, but not the newest; the counter is locked."""
    found = Event.objects.filter(owner_id=owner_id, seq__lt=newest_seq).order_by("seq")
    freed, last = 0, None
    for seq, size in found.values_list("seq", ByteLength("message")).iterator(chunk_size=200):
        freed, last = freed + size + EVENT_ROW_BYTES, seq
        if freed >= excess_bytes:
            break
    if last is not None:
        _remove_until(owner_id, last)


def _remove_until(owner_id: UUID, seq: int) -> int:
    """Delete the events up to `seq`, whose counter is locked; return their number."""
    events = Event.objects.filter(owner_id=owner_id, seq__lte=seq)
    size = _bytes_of(events)
    removed = events.delete()[0]
    EventCounter.objects.filter(owner_id=owner_id).update(event_bytes=F("event_bytes") - size)
    return removed


def _bytes_of(events: QuerySet[Event]) -> int:
    found = events.order_by().aggregate(size=Sum(ByteLength("message"), default=0), rows=Count("pk"))
    return int(found["size"] + found["rows"] * EVENT_ROW_BYTES)


def _lock_counter(owner_id: UUID) -> None:
    list(EventCounter.objects.filter(owner_id=owner_id).select_for_update().values_list("pk"))


def publish_change(publisher: Publisher, change: UploadChange) -> None:
    """Publish a committed change to the subscribers of its owner."""
    publisher.publish(LogAdvanced(change.owner_id, change.seq))
    if change.ends_reading:
        publisher.publish(ReadingEnded(change.owner_id, change.upload_id, change.seq))


def _next_seq(owner_id: UUID, new_bytes: int) -> tuple[int, int]:
    """Increment the owner's counter; concurrent transactions of the owner wait here.

    Returns:
        The new number, and the bytes of the owner's events with the new one; 0 if they are not counted.
    """
    table = connection.ops.quote_name(EventCounter._meta.db_table)
    owner = User._meta.pk.get_db_prep_value(owner_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (owner_id, seq, event_bytes) VALUES (%s, 1, %s) "  # noqa: S608 - the name comes from the model
            f"ON CONFLICT (owner_id) DO UPDATE SET seq = {table}.seq + 1, "
            f"event_bytes = {table}.event_bytes + excluded.event_bytes RETURNING seq, event_bytes",
            [owner, new_bytes],
        )
        seq, event_bytes = cursor.fetchone()
    return int(seq), int(event_bytes or 0)
