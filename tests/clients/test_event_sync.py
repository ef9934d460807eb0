"""Event synchronization: after any sequence of cuts, the client state equals that of the server.

A toy server keeps uploads and, in one variant, an event log. A state machine of hypothesis changes
uploads, cuts, reconnects, expires old events and restores backups, at any moment of a conversation.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scanrill_client import ConnectionLost, Deleted, Event, Finished, Instance, Snapshot, UploadStore
from scanrill_client.event_sync import LIST_REF, EventSynchronizer, is_at_or_before
from scanrill_client.events import InstanceEvent
from scanrill_client.messages import ServerMessage

from tests.clients.sample_messages import (
    change_message,
    finished_message,
    instance,
    list_message,
    subscribed_message,
)

TERMINAL = ("processed", "error", "cancelled")
KEYS = st.sampled_from(["a", "b", "c"])


class ToyServer:
    """Server with one client. `outbox` holds the messages in flight; None without a connection."""

    def __init__(self, *, has_log: bool, list_page_size: int) -> None:
        self.has_log, self.list_page_size = has_log, list_page_size
        self.uploads: dict[str, Instance] = {}
        self.epoch, self.log, self.expired = 1, list[ServerMessage](), 0
        self.outbox: deque[ServerMessage] | None = None
        self.opted_in = False
        self.requests: deque[dict[str, Any]] = deque()
        # A list that was read and is not sent yet: later events are sent before it.
        self.unsent_list: ServerMessage | None = None

    # ── changes ──

    def create(self, key: str) -> None:
        self.uploads[key] = instance(key)
        self._publish(change_message("created", self.uploads[key]))

    def rename(self, key: str, name: str) -> None:
        self._set(key, filename=name)
        self._publish(change_message("updated", self.uploads[key]))

    def retry(self, key: str) -> None:
        self._set(key, status="pending", error=None, raw_text="", processed_text="")
        self._publish(change_message("updated", self.uploads[key]))

    def finish(self, key: str, status: str) -> None:
        message = finished_message(key, status)
        self._set(
            key,
            status=status,
            error=message.error,
            raw_text=message.raw_text,
            processed_text=message.processed_text,
        )
        self._publish(message)

    def delete(self, key: str) -> None:
        self._publish(change_message("deleted", self.uploads.pop(key)))

    def expire_log(self) -> None:
        self.expired = len(self.log)

    def restore(self) -> None:
        """Restore a backup: start a new epoch with an empty log, and drop the connection."""
        self.epoch += 1
        self.log, self.expired = [], 0
        self.cut()

    # ── a connection ──

    def accept(self) -> None:
        self.outbox, self.opted_in = deque(), False
        self.requests.clear()
        self.unsent_list = None

    def cut(self) -> None:
        self.outbox = None

    @property
    def has_work(self) -> bool:
        return bool(self.requests) or self.unsent_list is not None

    def answer(self) -> None:
        """Answer one request. A list takes two steps: read, then send."""
        assert self.outbox is not None
        if self.unsent_list is not None:
            self.outbox.append(self.unsent_list)
            self.unsent_list = None
            return
        request = self.requests.popleft()
        if request["type"] == "subscribe":
            self._subscribe(request.get("since"))
        else:
            self._list(request)

    def _subscribe(self, since: str | None) -> None:
        assert self.outbox is not None
        self.opted_in = True
        if not self.has_log:
            self.outbox.append(subscribed_message())
            return
        head = f"{self.epoch}:{len(self.log)}"
        if since is None:
            self.outbox.append(subscribed_message(cursor=head))
            return
        epoch, seq = map(int, since.split(":"))
        if epoch == self.epoch and self.expired <= seq <= len(self.log):
            self.outbox.append(subscribed_message(cursor=since, recovered=True))
            self.outbox.extend(self.log[seq:])
        else:
            self.outbox.append(subscribed_message(cursor=head, recovered=False))
            self.outbox.append(list_message(*self._listed_uploads()))

    def _list(self, request: dict[str, Any]) -> None:
        rest = [upload for upload in self._listed_uploads() if upload.id > request.get("cursor", "")]
        found = rest[: self.list_page_size]
        following = found[-1].id if len(rest) > self.list_page_size else None
        self.unsent_list = list_message(*found, ref=request["ref"], next=following)

    def _listed_uploads(self) -> list[Instance]:
        """Return the uploads in the order of their keys, without the texts."""
        uploads = [self.uploads[key] for key in sorted(self.uploads)]
        return [msgspec.structs.replace(each, raw_text=None, processed_text=None) for each in uploads]

    def _set(self, key: str, **fields: Any) -> None:
        self.uploads[key] = msgspec.structs.replace(self.uploads[key], **fields)

    def _publish(self, message: ServerMessage) -> None:
        with_cursor = msgspec.structs.replace(message, cursor=f"{self.epoch}:{len(self.log) + 1}")
        self.log.append(with_cursor)
        if self.outbox is not None:
            self.outbox.append(with_cursor if self.opted_in and self.has_log else message)


class SyncMachine(RuleBasedStateMachine):
    has_log = True
    # The number of uploads in one reply to a list request.
    list_page_size = 100

    @initialize()
    def set_up(self) -> None:
        self.server = ToyServer(has_log=self.has_log, list_page_size=self.list_page_size)
        self.synchronizer, self.uploads = EventSynchronizer("pages"), UploadStore()
        self.events: list[Event] = []
        self.synchronizer.request_snapshot()

    # ── rules for the server ──

    @rule(
        key=KEYS,
        name=st.sampled_from(["x", "y"]),
        status=st.sampled_from(TERMINAL),
    )
    def change_something(self, key: str, name: str, status: str) -> None:
        upload = self.server.uploads.get(key)
        if upload is None:
            self.server.create(key)
        elif upload.filename != name:
            self.server.rename(key, name)
        elif upload.status == "pending":
            self.server.finish(key, status)
        else:
            self.server.retry(key)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        if key in self.server.uploads:
            self.server.delete(key)

    @rule()
    def expire_log(self) -> None:
        self.server.expire_log()

    @rule()
    def restore(self) -> None:
        self.server.restore()

    # ── rules for the connection ──

    @precondition(lambda self: self.server.outbox is None)
    @rule()
    def connect(self) -> None:
        self.server.accept()
        self.server.requests.append(self.synchronizer.subscribe_request())

    @precondition(lambda self: self.server.outbox is not None)
    @rule()
    def cut(self) -> None:
        self.server.cut()

    @precondition(lambda self: self.server.outbox is not None)
    @rule(steps=st.lists(st.sampled_from(["answer", "deliver"]), min_size=1, max_size=9))
    def converse(self, steps: list[str]) -> None:
        for step in steps:
            if step == "deliver" and self.server.outbox:
                self.deliver()
            elif step == "answer" and self.server.has_work:
                self.server.answer()

    def deliver(self) -> None:
        assert self.server.outbox
        for event in self.synchronizer.receive(self.server.outbox.popleft()):
            self.events.append(event)
            self.uploads.apply(event)
        self.server.requests.extend(self.synchronizer.pending_requests())

    @rule()
    def request_snapshot(self) -> None:
        self.synchronizer.request_snapshot()
        if self.server.outbox is not None:
            self.server.requests.extend(self.synchronizer.pending_requests())

    # ── invariants ──

    @invariant()
    def no_cursor_repeats(self) -> None:
        cursors = [event.cursor for event in self.events if not isinstance(event, Snapshot) and event.cursor]
        assert len(cursors) == len(set(cursors))

    @invariant()
    def events_of_a_log_have_cursors(self) -> None:
        assert not self.has_log or all(event.cursor for event in self.events)

    @invariant()
    def cursors_increase(self) -> None:
        positions = [tuple(map(int, event.cursor.split(":"))) for event in self.events if event.cursor]
        assert positions == sorted(positions)

    @invariant()
    def no_event_is_missing_unless_a_snapshot_replaces_it(self) -> None:
        seen = None
        for event in self.events:
            if event.cursor is None:
                continue
            epoch, seq = map(int, event.cursor.split(":"))
            if seen is not None and not isinstance(event, Snapshot):
                assert (epoch, seq) == (seen[0], seen[1] + 1)
            seen = epoch, seq

    def teardown(self) -> None:
        if self.server.outbox is None:
            self.connect()
        while self.server.has_work or self.server.outbox:
            if self.server.outbox:
                self.deliver()
            else:
                self.server.answer()
        assert {key: without_texts(each) for key, each in self.uploads.items()} == {
            key: without_texts(each) for key, each in self.server.uploads.items()
        }
        for key, upload in self.uploads.items():
            assert upload.raw_text in (None, self.server.uploads[key].raw_text)


def without_texts(upload: Instance) -> Instance:
    """Drop the texts, which no list carries."""
    return msgspec.structs.replace(upload, raw_text=None, processed_text=None)


class SyncMachineWithoutLog(SyncMachine):
    has_log = False


class SyncMachineWithListPages(SyncMachine):
    has_log = False
    list_page_size = 2


for _machine in (SyncMachine, SyncMachineWithoutLog, SyncMachineWithListPages):
    _machine.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestServerWithLog = SyncMachine.TestCase
TestServerWithoutLog = SyncMachineWithoutLog.TestCase
TestServerWithListPages = SyncMachineWithListPages.TestCase


# ── single steps ──


def connected_synchronizer(stream: Any = "pages", **acknowledgement: Any) -> EventSynchronizer:
    synchronizer = EventSynchronizer(stream)
    synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message(**acknowledgement))
    return synchronizer


def test_subscribe_request_of_the_first_connection_has_no_since() -> None:
    assert EventSynchronizer("pages").subscribe_request() == {"type": "subscribe", "stream": "pages"}


def test_subscribe_request_after_a_cut_before_the_replay_keeps_since() -> None:
    synchronizer = connected_synchronizer(cursor="1:5")
    synchronizer.receive(change_message("updated", instance(), cursor="1:6"))
    assert synchronizer.subscribe_request()["since"] == "1:6"
    synchronizer.receive(subscribed_message(cursor="1:6", recovered=True))
    assert synchronizer.subscribe_request()["since"] == "1:6"


def test_subscribe_request_after_a_cut_before_the_list_keeps_since() -> None:
    synchronizer = connected_synchronizer(cursor="1:5")
    synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message(cursor="2:9", recovered=False))
    assert synchronizer.cursor == "1:5"
    assert synchronizer.subscribe_request()["since"] == "1:5"
    synchronizer.receive(subscribed_message(cursor="2:9", recovered=False))
    [event] = synchronizer.receive(list_message(instance()))
    assert isinstance(event, Snapshot)
    assert synchronizer.cursor == "2:9"


def test_receive_reply_is_an_event_only_without_a_log() -> None:
    reply = change_message("updated", instance(), ref="1")
    assert connected_synchronizer(cursor="1:5").receive(reply) == []
    [event] = connected_synchronizer().receive(reply)
    assert isinstance(event, InstanceEvent)


def test_receive_replies_to_reads_and_errors_give_no_events() -> None:
    synchronizer = connected_synchronizer()
    assert synchronizer.receive(ServerMessage(type="Upload.status", instance=instance(), ref="1")) == []
    assert (
        synchronizer.receive(ServerMessage(type="Upload.updated", error={"instance_id": "No."}, ref="2"))
        == []
    )
    assert synchronizer.receive(ServerMessage(type="Upload.list", uploads=(), ref="3")) == []


def test_receive_reply_to_cancel_without_a_log_gives_finished() -> None:
    [event] = connected_synchronizer().receive(
        finished_message(status="cancelled", error="Cancelled", ref="1")
    )
    assert isinstance(event, Finished)


def test_receive_repeated_event_gives_no_event() -> None:
    synchronizer = connected_synchronizer(cursor="1:5")
    renamed, earlier = (
        change_message("updated", instance(), cursor="1:6"),
        change_message("updated", instance(), cursor="1:4"),
    )
    assert len(synchronizer.receive(renamed)) == 1
    assert synchronizer.receive(renamed) == synchronizer.receive(earlier) == []


def test_receive_event_before_the_list_is_returned_after_the_snapshot() -> None:
    synchronizer = connected_synchronizer(cursor="1:5")
    synchronizer.request_snapshot()
    assert synchronizer.receive(change_message("deleted", instance("a"), cursor="1:6")) == []
    events = synchronizer.receive(list_message(instance("a"), ref=LIST_REF))
    assert [type(event) for event in events] == [Snapshot, Deleted]


def test_receive_list_after_a_cut_starts_with_the_first_page() -> None:
    synchronizer = connected_synchronizer()
    synchronizer.request_snapshot()
    synchronizer.receive(list_message(instance("deleted"), ref=LIST_REF, next="more"))
    synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message())
    [event] = synchronizer.receive(list_message(instance("a"), ref=LIST_REF))
    assert isinstance(event, Snapshot)
    assert [upload.id for upload in event.uploads] == ["a"]


def test_receive_first_cursor_after_a_restart_requests_a_list() -> None:
    synchronizer = connected_synchronizer()
    assert "since" not in synchronizer.subscribe_request()
    synchronizer.receive(subscribed_message(cursor="1:7"))
    assert [request["type"] for request in synchronizer.pending_requests()] == ["list"]


@pytest.mark.parametrize(
    ("cursor", "other", "expected"),
    [
        ("1:5", "1:5", True),
        ("1:9", "1:10", True),
        ("1:10", "1:9", False),
        ("2:1", "1:9", False),
        (None, "1:1", False),
        ("1:1", None, False),
        ("a:b:2", "a:b:3", True),
        ("x", "y", False),
        ("1:²", "1:3", False),
    ],
)
def test_is_at_or_before_compares_cursors_of_one_epoch(
    cursor: str | None, other: str | None, expected: bool
) -> None:
    assert is_at_or_before(cursor, other) is expected


def test_receive_rejected_list_raises_connection_lost() -> None:
    synchronizer = connected_synchronizer()
    synchronizer.request_snapshot()
    with pytest.raises(ConnectionLost):
        synchronizer.receive(ServerMessage(type="Upload.list", error={"server": "Failed."}, ref=LIST_REF))


def test_receive_tells_the_end_of_a_reading_once_with_its_instance() -> None:
    sync = EventSynchronizer()
    sync.subscribe_request()
    sync.receive(subscribed_message(cursor="7:0"))
    begun, ended = instance(status="processing"), instance(status="processed", page_count=3)
    assert sync.receive(change_message("status", begun, cursor="7:1")) == []
    assert sync.cursor == "7:1"
    assert sync.receive(change_message("status", ended, cursor="7:2")) == []
    assert sync.cursor == "7:1", "after a cut, both messages of the end come again"
    [event] = sync.receive(finished_message(cursor="7:3"))
    assert isinstance(event, Finished)
    assert event.instance == msgspec.structs.replace(ended, raw_text="text", processed_text="text")
    assert sync.cursor == "7:3"
