"""Step 11 — the log of what happened to uploads: written in the transaction of the change, told after it.

    with events.transaction() as happened:
        …change rows…
        happened.append(Change(…))

Nothing is written or told when the transaction fails. An event's number comes last in its transaction and
locks the owner's counter until the commit, so an owner's numbers are in the order of the commits, whoever
commits, in this process or another. Who changes several uploads locks them in the order of their ids first.

A listener is called on the thread that committed, in no certain order; it must be quick and must not raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db import connection
from django.db import transaction as database
from django.db.models import Max
from django.db.models.functions import Now

from .conf import conf
from .db.retry import retry_transient
from .models import Event, EventCounter, User
from .protocol import messages
from .pubsub.messages import LogAdvanced, Publisher, ReadingEnded


class ReplyTarget(Protocol):
    """Who asked for a change over a socket, and is to have a reply at the place of the change's event."""

    @property
    def id(self) -> str: ...

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        """The event `seq` is going to be committed; called before it is, from the thread that does it."""
        ...

    def cancel_reply(self) -> None:
        """It was not committed after all."""
        ...


@dataclass(slots=True)
class UploadChange:
    """One message about one upload. `origin` gets `reply`, or else the message itself, as the reply.

    `attempt` is the upload's. `seq` is there once the change is written.
    """

    owner_id: UUID
    upload_id: UUID
    attempt: int
    message: messages.DurableMessage
    origin: ReplyTarget | None = None
    reply: messages.Message | None = None
    seq: int = 0

    @property
    def kind(self) -> str:
        return messages.kind(self.message)

    @property
    def ends_reading(self) -> bool:
        """Whether it ends the reading of the upload."""
        return self.kind in messages.TERMINAL_KINDS


Listener = Callable[[UploadChange], None]

_listeners: list[Listener] = []


@contextmanager
def transaction(on_commit: Callable[[], None] | None = None) -> Iterator[list[UploadChange]]:
    """A database transaction; the changes appended to what it yields are its events.

    `on_commit` is called once it is committed, before the events are told.
    """
    happened: list[UploadChange] = []
    try:
        with database.atomic():
            yield happened
            _append(happened)
    except BaseException:
        for change in happened:
            if change.origin is not None:
                change.origin.cancel_reply()
        raise
    if on_commit is not None:
        on_commit()
    for change in happened:
        for listener in _listeners:
            listener(change)


def add_listener(listener: Listener) -> None:
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    _listeners.remove(listener)


@retry_transient
def latest_seq(owner_id: UUID) -> int:
    """The number of the owner's newest event; 0 where there was none yet."""
    return next(iter(EventCounter.objects.filter(owner_id=owner_id).values_list("seq", flat=True)), 0)


@retry_transient
def remove_expired() -> int:
    """Events older than `conf.event_retention`, and what stands before them; how many there were.

    Of each owner a beginning of the log goes, so that what is left has no gap.
    """
    expired = Event.objects.filter(created_at__lt=Now() - conf.event_retention.timedelta).order_by()
    removed = 0
    for owner_id, seq in expired.values_list("owner_id").annotate(newest=Max("seq")):
        removed += Event.objects.filter(owner_id=owner_id, seq__lte=seq).delete()[0]
    return removed


def _append(happened: list[UploadChange]) -> None:
    """Counters are locked in one order too."""
    for change in sorted(happened, key=lambda change: change.owner_id):
        change.seq = _next_seq(change.owner_id)
        Event.objects.create(
            owner_id=change.owner_id,
            seq=change.seq,
            upload_id=change.upload_id,
            attempt=change.attempt,
            kind=change.kind,
            message=messages.encode(messages.without_texts(change.message)),
            origin_connection=change.origin.id if change.origin is not None else "",
        )
        if change.origin is not None:
            reply = change.reply or change.message
            assert isinstance(reply, messages.Message)
            change.origin.reply_at_event(change.seq, reply)


def publish_change(publisher: Publisher, change: UploadChange) -> None:
    """Tell subscribers of a committed change."""
    publisher.publish(LogAdvanced(change.owner_id, change.seq))
    if change.ends_reading:
        publisher.publish(ReadingEnded(change.owner_id, change.upload_id, change.seq))


def _next_seq(owner_id: UUID) -> int:
    """One statement, and no lock before it: two transactions of one owner queue up here and nowhere else."""
    table = connection.ops.quote_name(EventCounter._meta.db_table)
    owner = User._meta.pk.get_db_prep_value(owner_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (owner_id, seq) VALUES (%s, 1) "  # noqa: S608 - the name is the model's
            f"ON CONFLICT (owner_id) DO UPDATE SET seq = {table}.seq + 1 RETURNING seq",
            [owner],
        )
        [seq] = cursor.fetchone()
    return int(seq)
