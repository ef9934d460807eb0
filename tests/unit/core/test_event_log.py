"""Tests of the event log: rows, order, texts, retention and snapshots."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

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
from backend_main.core.protocol import durable_messages, messages, serializers
from backend_main.core.uploads import commands, listing
from tests.support.database import new_upload, new_user
from tests.support.fake_reply_target import FakeReplyTarget

pytestmark = pytest.mark.django_db
log = EventLogReader()
GIF = b"GIF89a" + b"\x01\x00\x01\x00\x00\x00\x00"


def log_of(owner: User) -> list[tuple[int, str]]:
    return list(Event.objects.filter(owner=owner).order_by("seq").values_list("seq", "kind"))


def rename(upload: Upload, name: str = "new.png", requester: FakeReplyTarget | None = None) -> Upload:
    return commands.update(owner=upload.owner, upload_id=upload.pk, filename=name, requester=requester)


# ── writing ──


def test_transaction_numbers_the_events_of_each_owner() -> None:
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
    kinds = ["created", "created", "updated", "ended", "cancelled", "updated", "deleted"]
    assert log_of(ada) == list(enumerate(kinds, 1))
    assert log_of(bob) == [(1, "created")]
    cy = new_user()
    heads = {
        owner_id: account.latest_seq for owner_id, account in log.accounts([ada.pk, bob.pk, cy.pk]).items()
    }
    assert heads == {ada.pk: 7, bob.pk: 1, cy.pk: 0}
    assert other.owner == bob


def test_event_row_is_the_message_without_texts(upload_changes: list[UploadChange]) -> None:
    upload = new_upload(new_user())
    Upload.objects.filter(pk=upload.pk).update(raw_text="RAW", plain_text="READING")
    rename(upload)
    row = Event.objects.get(owner=upload.owner, kind="updated")
    assert "RAW" not in row.message
    assert "READING" not in row.message
    assert row.upload_id == upload.pk
    change = durable_messages.decode_change("updated", row.message)
    assert durable_messages.with_texts(change, "RAW", "READING") == upload_changes[-1].message


def test_failed_transaction_writes_no_event_and_cancels_the_reply(upload_changes: list[UploadChange]) -> None:
    upload, origin = new_upload(new_user()), FakeReplyTarget()
    upload_changes.clear()
    change = UploadChange(upload.owner_id, upload.pk, 0, serializers.updated(upload), origin)
    unwritable = UploadChange(upload.owner_id, upload.pk, -1, serializers.updated(upload), origin)
    with pytest.raises(IntegrityError), transaction.atomic(), event_log.transaction() as uncommitted:
        uncommitted += [change, unwritable]
    assert log_of(upload.owner) == [(1, "created")]
    assert event_log.latest_seq(upload.owner_id) == 1
    assert upload_changes == []
    assert (origin.scheduled_reply, origin.was_cancelled) == (None, True)


def test_reply_at_event_is_called_before_the_commit() -> None:
    upload = new_upload(new_user())
    in_transaction = []

    class TransactionCheck(FakeReplyTarget):
        def reply_at_event(self, seq: int, reply: messages.Message) -> None:
            in_transaction.append(connection.in_atomic_block)
            super().reply_at_event(seq, reply)

    origin = TransactionCheck()
    rename(upload, requester=origin)
    assert in_transaction == [True]
    assert origin.scheduled_reply is not None
    seq, reply = origin.scheduled_reply
    assert (seq, reply) == (2, serializers.updated(Upload.objects.get()))
    assert Event.objects.get(seq=2).origin_connection == "reply-target"


# ── texts ──


def texts_of(owner: User, kind: str) -> list[tuple[str, str]]:
    """Return both texts of the owner's events of a kind, as a replay would send them now."""
    rows = Event.objects.filter(owner=owner, kind=kind).order_by("seq").values_list("seq", flat=True)
    entries = {entry.seq: entry.text for entry in log.events_after(owner.pk, 0)}
    decoded = [durable_messages.decode_change(kind, entries[seq]) for seq in rows]
    shown = [getattr(change, "instance", change) for change in decoded]
    return [(each.raw_text, each.processed_text) for each in shown]


def read_upload(upload: Upload, text: str) -> None:
    """Read the upload to its end, as one page."""
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    assert claim.upload_id == upload.pk
    results.save_page(claim, reading.PageDone(1, 1, 10, 10, text, text, [], []))
    results.finish(claim)


def test_events_after_adds_the_texts_of_the_attempt() -> None:
    upload = new_upload(new_user())
    read_upload(upload, "first")
    rename(upload)
    assert texts_of(upload.owner, "processed") == [("first", "first")]
    assert texts_of(upload.owner, "updated") == [("first", "first")]
    commands.update(owner=upload.owner, upload_id=upload.pk, correction="corrected")
    assert texts_of(upload.owner, "processed") == [("first", "corrected")]


def test_events_after_leaves_texts_of_older_attempts_empty() -> None:
    upload = new_upload(new_user())
    read_upload(upload, "first")
    rename(upload)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    assert texts_of(upload.owner, "processed") == [("", "")]
    read_upload(upload, "second")
    assert texts_of(upload.owner, "processed") == [("", ""), ("second", "second")]
    assert texts_of(upload.owner, "updated") == [("", ""), ("", "")]


def test_events_after_leaves_texts_of_deleted_uploads_empty() -> None:
    upload = new_upload(new_user())
    read_upload(upload, "text")
    commands.delete(owner=upload.owner, upload_id=upload.pk)
    assert texts_of(upload.owner, "processed") == [("", "")]


def test_events_after_limits_a_batch_by_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = new_upload(new_user())
    read_upload(upload, "x" * 1000)
    for number in range(5):
        rename(upload, f"{number}.png")
    for max_characters, batches in ((10**6, [9]), (5_000, [5, 2, 2]), (1, [4, 1, 1, 1, 1, 1])):
        monkeypatch.setattr("backend_main.core.live.replay.BATCH_CHARACTERS", max_characters)
        sizes, seq = [], 0
        while entries := log.events_after(upload.owner_id, seq):
            sizes.append(len(entries))
            assert [entry.seq for entry in entries] == list(range(seq + 1, seq + 1 + len(entries)))
            seq = entries[-1].seq
        assert sizes == batches


def test_events_after_omits_texts_of_other_uploads() -> None:
    upload = new_upload(new_user())
    read_upload(upload, "x" * 1000)
    other = new_upload(upload.owner, GIF)
    texts = [entry.text for entry in log.events_after(upload.owner_id, 0, other.pk)]
    assert len(texts) == 5
    assert all("xxx" not in text for text in texts)


# ── retention ──


def test_has_all_since_is_true_without_a_gap() -> None:
    upload = new_upload(new_user())
    assert [log.has_all_since(new_user().pk, seq) for seq in (0, 1)] == [True, False]
    for _ in range(4):
        rename(upload)
    assert [log.has_all_since(upload.owner_id, seq) for seq in range(7)] == [True] * 6 + [False]
    Event.objects.filter(owner=upload.owner, seq__lte=3).delete()
    assert [log.has_all_since(upload.owner_id, seq) for seq in range(7)] == [False] * 3 + [True] * 3 + [False]
    Event.objects.all().delete()
    assert [log.has_all_since(upload.owner_id, seq) for seq in range(7)] == [False] * 5 + [True, False]


def test_remove_expired_leaves_no_gap_and_numbering_continues() -> None:
    upload, young = new_upload(new_user()), new_upload(new_user())
    for _ in range(4):
        rename(upload)
    too_old = Now() - conf.event_retention.timedelta - dt.timedelta(seconds=1)
    # Clocks of several machines differ, so an event may be younger than the one after it.
    Event.objects.filter(owner=upload.owner, seq__in=(1, 3)).update(created_at=too_old)
    assert event_log.remove_expired() == 3
    assert [seq for seq, _ in log_of(upload.owner)] == [4, 5]
    assert len(log_of(young.owner)) == 1
    assert event_log.remove_expired() == 0
    rename(upload)
    assert [seq for seq, _ in log_of(upload.owner)] == [4, 5, 6]


def test_deleting_a_user_deletes_the_event_log() -> None:
    owner = new_upload(new_user()).owner
    owner.delete()
    assert not Event.objects.exists()
    assert not EventCounter.objects.exists()


# ── order ──


@pytest.mark.django_db(transaction=True)
def test_concurrent_transactions_number_events_in_commit_order() -> None:
    """A transaction that sees a number sees every smaller one: eight threads write while one reads."""
    owner = new_user()
    uploads = [new_upload(owner, bytes([71, 73, 70, 56, 57, 97, 1 + n, 0, 1, 0, 0, 0, 0])) for n in range(8)]
    stopped, failures = threading.Event(), []

    def write(upload: Upload) -> None:
        for number in range(10):
            rename(upload, f"{number}.png")

    def check_sequence() -> None:
        while not stopped.is_set():
            seen = [seq for seq, _ in log_of(owner)]
            if seen != list(range(1, len(seen) + 1)):
                failures.append(seen)

    checker = threading.Thread(target=close_connection_after(check_sequence))
    writers = [threading.Thread(target=close_connection_after(write), args=[upload]) for upload in uploads]
    for thread in [checker, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    stopped.set()
    checker.join()
    assert failures == []
    assert len(log_of(owner)) == 88


def snapshot_of(owner_id: uuid.UUID, upload_id: uuid.UUID | None = None) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(log.snapshot(owner_id, upload_id).text)
    return message


def ids(message: dict[str, Any]) -> list[uuid.UUID]:
    return [uuid.UUID(instance["id"]) for instance in message["list"]]


@pytest.mark.django_db(transaction=True)
def test_snapshot_is_of_one_moment_while_events_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    upload, list_uploads = new_upload(new_user()), listing.uploads
    writer = threading.Thread(target=close_connection_after(rename), args=[upload])

    def snapshot_while_writing(**of: Any) -> listing.Listing:
        writer.start()
        writer.join()
        return list_uploads(**of)

    monkeypatch.setattr(listing, "uploads", snapshot_while_writing)
    connection.close()  # as on a thread that has had no query
    snapshot = log.snapshot(upload.owner_id, None)
    assert log_of(upload.owner) == [(1, "created"), (2, "updated")]
    names = [instance["filename"] for instance in json.loads(snapshot.text)["list"]]
    assert (snapshot.seq, names) == (1, [upload.filename])


def test_snapshot_is_limited_to_one_user_or_one_upload() -> None:
    upload, _foreign, other_user = new_upload(new_user()), new_upload(new_user()), new_user()
    other = new_upload(upload.owner, GIF)
    assert ids(snapshot_of(upload.owner_id)) == [other.pk, upload.pk]
    assert ids(snapshot_of(upload.owner_id, upload.pk)) == [upload.pk]
    assert log.snapshot(other_user.pk, None).seq == 0
    assert snapshot_of(other_user.pk) == {"type": "Upload.list", "list": []}
    assert ids(snapshot_of(other_user.pk, upload.pk)) == []


@pytest.mark.parametrize("limit", ["MAX_LIST_SIZE", "MAX_LIST_BYTES"])
def test_snapshot_of_many_uploads_has_a_cursor_for_the_rest(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    upload = new_upload(new_user())
    other = new_upload(upload.owner, GIF)
    assert "next" not in snapshot_of(upload.owner_id)
    monkeypatch.setattr(listing, limit, 1)
    message = snapshot_of(upload.owner_id)
    assert ids(message) == [other.pk]
    rest = listing.uploads(owner=upload.owner, limit=1, cursor=message["next"])
    assert [json.loads(item)["id"] for item in rest.items] == [str(upload.pk)]


def test_owner_state_and_reading_state_show_a_running_reading() -> None:
    upload = new_upload(new_user())
    waiting = new_upload(upload.owner, GIF)
    assert log.owner_state(upload.owner_id).reading == {}
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    results.save_page(claim, reading.PageDone(1, 3, 10, 10, "one", "one", [], []))
    state = log.owner_state(upload.owner_id)
    assert (state.latest_seq, state.reading) == (3, {upload.pk: (1, 1)})
    assert state.epoch == log.epoch()
    started = log.reading_state(upload.owner_id, upload.pk, 1)
    assert started is not None
    assert (started.seq, started.pages, started.page_count) == (3, {1: "one"}, 3)
    for owner_id, upload_id, attempt in (
        (upload.owner_id, upload.pk, 2),
        (upload.owner_id, waiting.pk, 0),
        (new_user().pk, upload.pk, 1),
    ):
        assert log.reading_state(owner_id, upload_id, attempt) is None


def close_connection_after(work: Callable[..., None]) -> Callable[..., None]:
    def run(*args: object) -> None:
        try:
            work(*args)
        finally:
            connection.close()

    return run
