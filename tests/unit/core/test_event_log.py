"""The log of events: what is written, in which order, and what is told."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from msgspec import UNSET

from backend_main import reading
from backend_main.core import event_log
from backend_main.core.conf import conf
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.live.replay import EventLogReader
from backend_main.core.models import (
    Event,
    EventCounter,
    Upload,
    User,
)
from backend_main.core.protocol import messages, serializers
from backend_main.core.uploads import commands, queries
from tests.support.database import new_upload, new_user
from tests.support.fake_reply_target import FakeReplyTarget

pytestmark = pytest.mark.django_db
log = EventLogReader()
GIF = b"GIF89a" + b"\x01\x00\x01\x00\x00\x00\x00"


def log_of(owner: User) -> list[tuple[int, str]]:
    return list(Event.objects.filter(owner=owner).order_by("seq").values_list("seq", "kind"))


def rename(upload: Upload, name: str = "new.png", origin: FakeReplyTarget | None = None) -> Upload:
    return commands.update(owner=upload.owner, upload_id=upload.pk, filename=name, origin=origin)


# ── written ──


def test_every_change_is_a_row_with_the_next_number_of_its_owner() -> None:
    ada, bob = new_user(), new_user()
    first, second, other = (
        new_upload(ada),
        new_upload(ada, GIF),
        new_upload(bob),
    )
    rename(first)
    commands.cancel(owner=ada, upload_id=second.pk)
    commands.retry(owner=ada, upload_id=second.pk)
    commands.delete(owner=ada, upload_id=first.pk)
    kinds = ["created", "created", "updated", "cancelled", "updated", "deleted"]
    assert log_of(ada) == list(enumerate(kinds, 1))
    assert log_of(bob) == [(1, "created")]
    cy = new_user()
    heads = {
        owner_id: account.latest_seq for owner_id, account in log.accounts([ada.pk, bob.pk, cy.pk]).items()
    }
    assert heads == {ada.pk: 6, bob.pk: 1, cy.pk: 0}
    assert other.owner == bob


def test_a_row_has_no_text_and_is_the_message_otherwise(upload_changes: list[UploadChange]) -> None:
    upload = new_upload(new_user())
    Upload.objects.filter(pk=upload.pk).update(raw_text="RAW", plain_text="READING")
    rename(upload)
    row = Event.objects.get(owner=upload.owner, kind="updated")
    assert "RAW" not in row.message
    assert "READING" not in row.message
    assert row.upload_id == upload.pk
    change = messages.decode_change("updated", row.message)
    assert messages.with_texts(change, "RAW", "READING") == upload_changes[-1].message


def test_what_fails_leaves_no_row_no_number_and_tells_nobody(upload_changes: list[UploadChange]) -> None:
    upload, asking = new_upload(new_user()), FakeReplyTarget()
    upload_changes.clear()
    change = UploadChange(upload.owner_id, upload.pk, 0, serializers.updated(upload), asking)
    unwritable = UploadChange(upload.owner_id, upload.pk, -1, serializers.updated(upload), asking)
    with pytest.raises(IntegrityError), transaction.atomic(), event_log.transaction() as going_on:
        going_on += [change, unwritable]
    assert log_of(upload.owner) == [(1, "created")]
    assert event_log.latest_seq(upload.owner_id) == 1
    assert upload_changes == []
    assert (asking.scheduled_reply, asking.was_cancelled) == (None, True)


def test_who_asked_expects_its_reply_before_the_row_is_there_for_others() -> None:
    upload = new_upload(new_user())
    there = []

    class Looking(FakeReplyTarget):
        def reply_at_event(self, seq: int, reply: messages.Message) -> None:
            there.append(connection.in_atomic_block)
            super().reply_at_event(seq, reply)

    asking = Looking()
    rename(upload, origin=asking)
    assert there == [True]
    assert asking.scheduled_reply is not None
    seq, reply = asking.scheduled_reply
    assert (seq, reply) == (2, serializers.updated(Upload.objects.get()))
    assert Event.objects.get(seq=2).origin_connection == "reply-target"


# ── filled in ──


def texts_of(owner: User, kind: str) -> list[tuple[str, str]]:
    """Of the events of a kind, as they would be sent now."""
    rows = Event.objects.filter(owner=owner, kind=kind).values_list("seq", flat=True)
    entries = {entry.seq: entry.text for entry in log.events_after(owner.pk, 0)}
    changes = [messages.decode_change(kind, entries[seq]) for seq in rows]
    shown = [getattr(change, "instance", change) for change in changes]
    return [(each.raw_text, each.processed_text) for each in shown]


def read(upload: Upload, text: str) -> None:
    """To its end, as one page."""
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    assert claim.upload_id == upload.pk
    results.save_page(claim, reading.PageDone(1, 1, 10, 10, text, text, [], []))
    results.finish(claim)


def test_an_event_is_sent_with_the_texts_of_its_attempt() -> None:
    upload = new_upload(new_user())
    read(upload, "first")
    rename(upload)
    assert texts_of(upload.owner, "processed") == [("first", "first")]
    assert texts_of(upload.owner, "updated") == [("first", "first")]
    commands.update(owner=upload.owner, upload_id=upload.pk, correction="corrected")
    assert texts_of(upload.owner, "processed") == [("first", "corrected")]


def test_the_text_of_an_older_attempt_is_left_empty() -> None:
    upload = new_upload(new_user())
    read(upload, "first")
    rename(upload)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    assert texts_of(upload.owner, "processed") == [("", "")]
    read(upload, "second")
    assert texts_of(upload.owner, "processed") == [("", ""), ("second", "second")]
    assert texts_of(upload.owner, "updated") == [("", ""), ("", "")]


def test_of_a_deleted_upload_there_is_no_text_any_more() -> None:
    upload = new_upload(new_user())
    read(upload, "text")
    commands.delete(owner=upload.owner, upload_id=upload.pk)
    assert texts_of(upload.owner, "processed") == [("", "")]


def test_a_batch_has_the_texts_that_fit_and_always_one(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = new_upload(new_user())
    read(upload, "x" * 1000)
    for number in range(5):
        rename(upload, f"{number}.png")
    for most, batches in ((10**6, [7]), (5_000, [3, 2, 2]), (1, [2, 1, 1, 1, 1, 1])):
        monkeypatch.setattr("backend_main.core.live.replay.BATCH_CHARACTERS", most)
        sizes, seq = [], 0
        while entries := log.events_after(upload.owner_id, seq):
            sizes.append(len(entries))
            assert [entry.seq for entry in entries] == list(range(seq + 1, seq + 1 + len(entries)))
            seq = entries[-1].seq
        assert sizes == batches


def test_other_uploads_events_come_without_their_texts() -> None:
    upload = new_upload(new_user())
    read(upload, "x" * 1000)
    other = new_upload(upload.owner, GIF)
    texts = [entry.text for entry in log.events_after(upload.owner_id, 0, other.pk)]
    assert len(texts) == 3
    assert all("xxx" not in text for text in texts)


# ── kept, and removed ──


def test_the_log_covers_what_it_has_a_gapless_rest_of() -> None:
    upload = new_upload(new_user())
    assert [log.has_all_since(new_user().pk, seq) for seq in (0, 1)] == [True, False]
    for _ in range(4):
        rename(upload)
    assert [log.has_all_since(upload.owner_id, seq) for seq in range(7)] == [True] * 6 + [False]
    Event.objects.filter(owner=upload.owner, seq__lte=3).delete()
    assert [log.has_all_since(upload.owner_id, seq) for seq in range(7)] == [False] * 3 + [True] * 3 + [False]
    Event.objects.all().delete()
    assert [log.has_all_since(upload.owner_id, seq) for seq in range(7)] == [False] * 5 + [True, False]


def test_old_events_are_removed_from_the_beginning_and_the_numbers_go_on() -> None:
    upload, young = new_upload(new_user()), new_upload(new_user())
    for _ in range(4):
        rename(upload)
    too_old = Now() - conf.event_retention.timedelta - dt.timedelta(seconds=1)
    # Clocks of several machines: one that stands before an old one is younger.
    Event.objects.filter(owner=upload.owner, seq__in=(1, 3)).update(created_at=too_old)
    assert event_log.remove_expired() == 3
    assert [seq for seq, _ in log_of(upload.owner)] == [4, 5]
    assert len(log_of(young.owner)) == 1
    assert event_log.remove_expired() == 0
    rename(upload)
    assert [seq for seq, _ in log_of(upload.owner)] == [4, 5, 6]


def test_a_user_s_log_goes_with_the_user() -> None:
    owner = new_upload(new_user()).owner
    owner.delete()
    assert not Event.objects.exists()
    assert not EventCounter.objects.exists()


# ── order ──


@pytest.mark.django_db(transaction=True)
def test_numbers_are_in_the_order_of_the_commits() -> None:
    """Whoever sees a number sees every smaller one: eight threads write, one looks all the time."""
    owner = new_user()
    changed = [new_upload(owner, bytes([71, 73, 70, 56, 57, 97, 1 + n, 0, 1, 0, 0, 0, 0])) for n in range(8)]
    done, failures = threading.Event(), []

    def write(upload: Upload) -> None:
        for number in range(10):
            rename(upload, f"{number}.png")

    def look() -> None:
        while not done.is_set():
            seen = [seq for seq, _ in log_of(owner)]
            if seen != list(range(1, len(seen) + 1)):
                failures.append(seen)

    looking = threading.Thread(target=closing(look))
    writing = [threading.Thread(target=closing(write), args=[upload]) for upload in changed]
    for thread in [looking, *writing]:
        thread.start()
    for thread in writing:
        thread.join()
    done.set()
    looking.join()
    assert failures == []
    assert len(log_of(owner)) == 88


@pytest.mark.django_db(transaction=True)
def test_no_event_commits_while_a_snapshot_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    upload, uploads_of = new_upload(new_user()), queries.uploads
    writing = threading.Thread(target=closing(rename), args=[upload])

    def meanwhile(**of: Any) -> queries.Listing:
        writing.start()
        writing.join(0.5)  # it waits, for us
        return uploads_of(**of)

    monkeypatch.setattr(queries, "uploads", meanwhile)
    seq, message = log.snapshot(upload.owner_id, None)
    writing.join()
    assert (seq, [instance.filename for instance in message.list]) == (1, [upload.filename])
    assert log_of(upload.owner) == [(1, "created"), (2, "updated")]


def test_a_snapshot_is_of_one_user_and_if_asked_of_one_upload() -> None:
    upload, _foreign, nobody = new_upload(new_user()), new_upload(new_user()), new_user()
    other = new_upload(upload.owner, GIF)
    assert [i.id for i in log.snapshot(upload.owner_id, None).message.list] == [other.pk, upload.pk]
    assert [i.id for i in log.snapshot(upload.owner_id, upload.pk).message.list] == [upload.pk]
    assert log.snapshot(nobody.pk, None) == (0, messages.ListMessage(list=[]))
    assert log.snapshot(nobody.pk, upload.pk).message.list == []


def test_of_very_many_uploads_a_snapshot_has_the_newest_and_says_where_the_others_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = new_upload(new_user())
    other = new_upload(upload.owner, GIF)
    assert log.snapshot(upload.owner_id, None).message.next is UNSET
    monkeypatch.setattr(queries, "MAX_LIST_SIZE", 1)
    message = log.snapshot(upload.owner_id, None).message
    assert [instance.id for instance in message.list] == [other.pk]
    assert isinstance(message.next, str)
    rest = queries.uploads(owner=upload.owner, limit=1, cursor=message.next)
    assert [found.pk for found in rest.uploads] == [upload.pk]


def test_what_is_being_read_is_told_to_who_comes() -> None:
    upload = new_upload(new_user())
    waiting = new_upload(upload.owner, GIF)
    assert log.owner_state(upload.owner_id).reading == {}
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    results.save_page(claim, reading.PageDone(1, 3, 10, 10, "one", "one", [], []))
    standing = log.owner_state(upload.owner_id)
    assert (standing.latest_seq, standing.reading) == (2, {upload.pk: (1, 1)})
    assert standing.epoch == log.epoch()
    taken = log.reading_state(upload.owner_id, upload.pk, 1)
    assert taken is not None
    assert (taken.seq, taken.pages, taken.page_count) == (2, {1: "one"}, 3)
    for owner_id, upload_id, attempt in (
        (upload.owner_id, upload.pk, 2),
        (upload.owner_id, waiting.pk, 0),
        (new_user().pk, upload.pk, 1),
    ):
        assert log.reading_state(owner_id, upload_id, attempt) is None


def closing(work: Callable[..., None]) -> Callable[..., None]:
    def run(*args: object) -> None:
        try:
            work(*args)
        finally:
            connection.close()

    return run
