"""Whatever happens to the connections, a client ends up with exactly the truth.

A server of a few lines keeps uploads and (unless it is one of before) a log. A machine of hypothesis changes
uploads, cuts, reconnects, forgets old events and restores backups, at any moment of a conversation.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scanrill_client import Deleted, Event, Finished, Instance, Snapshot, UploadStore
from scanrill_client.event_sync import LIST_REF, EventSynchronizer, is_at_or_before
from scanrill_client.events import Change
from scanrill_client.messages import ServerMessage

from tests.clients.sample_messages import acknowledged, change, ended, instance, listed

ENDED = ("processed", "error", "cancelled")
KEYS = st.sampled_from(["a", "b", "c"])


class ToyServer:
    """`outbox` is what the only client still has to get; None while there is no connection."""

    def __init__(self, *, has_log: bool, pages_of: int) -> None:
        self.has_log, self.pages_of = has_log, pages_of
        self.uploads: dict[str, Instance] = {}
        self.epoch, self.log, self.forgotten = 1, list[ServerMessage](), 0
        self.outbox: deque[ServerMessage] | None = None
        self.opted_in = False
        self.requests: deque[dict[str, Any]] = deque()
        # A list that was read, and is not sent yet: what happens now is sent before it.
        self.read: ServerMessage | None = None

    # ── what happens ──

    def create(self, key: str) -> None:
        self.uploads[key] = instance(key)
        self._happened(change("created", self.uploads[key]))

    def rename(self, key: str, name: str) -> None:
        self._set(key, filename=name)
        self._happened(change("updated", self.uploads[key]))

    def retry(self, key: str) -> None:
        self._set(key, status="pending", error=None, raw_text="", processed_text="")
        self._happened(change("updated", self.uploads[key]))

    def end(self, key: str, status: str) -> None:
        message = ended(key, status)
        self._set(
            key,
            status=status,
            error=message.error,
            raw_text=message.raw_text,
            processed_text=message.processed_text,
        )
        self._happened(message)

    def delete(self, key: str) -> None:
        self._happened(change("deleted", self.uploads.pop(key)))

    def forget(self) -> None:
        self.forgotten = len(self.log)

    def restore(self) -> None:
        """Another life: what the log had is not to be trusted any more. All connections are gone."""
        self.epoch += 1
        self.log, self.forgotten = [], 0
        self.cut()

    # ── a connection ──

    def join(self) -> None:
        self.outbox, self.opted_in = deque(), False
        self.requests.clear()
        self.read = None

    def cut(self) -> None:
        self.outbox = None

    @property
    def is_asked(self) -> bool:
        return bool(self.requests) or self.read is not None

    def answer(self) -> None:
        """One request, or (a list takes two steps) the other half of one."""
        assert self.outbox is not None
        if self.read is not None:
            self.outbox.append(self.read)
            self.read = None
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
            self.outbox.append(acknowledged())
            return
        head = f"{self.epoch}:{len(self.log)}"
        if since is None:
            self.outbox.append(acknowledged(cursor=head))
            return
        epoch, seq = map(int, since.split(":"))
        if epoch == self.epoch and self.forgotten <= seq <= len(self.log):
            self.outbox.append(acknowledged(cursor=since, recovered=True))
            self.outbox.extend(self.log[seq:])
        else:
            self.outbox.append(acknowledged(cursor=head, recovered=False))
            self.outbox.append(listed(*self._plain()))

    def _list(self, request: dict[str, Any]) -> None:
        rest = [upload for upload in self._plain() if upload.id > request.get("cursor", "")]
        found = rest[: self.pages_of]
        following = found[-1].id if len(rest) > self.pages_of else None
        self.read = listed(*found, ref=request["ref"], next=following)

    def _plain(self) -> list[Instance]:
        """In the order of their keys, without the texts."""
        uploads = [self.uploads[key] for key in sorted(self.uploads)]
        return [msgspec.structs.replace(each, raw_text=None, processed_text=None) for each in uploads]

    def _set(self, key: str, **fields: Any) -> None:
        self.uploads[key] = msgspec.structs.replace(self.uploads[key], **fields)

    def _happened(self, message: ServerMessage) -> None:
        with_cursor = msgspec.structs.replace(message, cursor=f"{self.epoch}:{len(self.log) + 1}")
        self.log.append(with_cursor)
        if self.outbox is not None:
            self.outbox.append(with_cursor if self.opted_in and self.has_log else message)


class Conversation(RuleBasedStateMachine):
    has_log = True
    # So few that listing takes several requests.
    pages_of = 100

    @initialize()
    def begin(self) -> None:
        self.server = ToyServer(has_log=self.has_log, pages_of=self.pages_of)
        self.follower, self.uploads = EventSynchronizer("pages"), UploadStore()
        self.told: list[Event] = []
        self.follower.request_snapshot()

    # ── what happens at the server ──

    @rule(
        key=KEYS,
        name=st.sampled_from(["x", "y"]),
        status=st.sampled_from(ENDED),
    )
    def change_something(self, key: str, name: str, status: str) -> None:
        upload = self.server.uploads.get(key)
        if upload is None:
            self.server.create(key)
        elif upload.filename != name:
            self.server.rename(key, name)
        elif upload.status == "pending":
            self.server.end(key, status)
        else:
            self.server.retry(key)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        if key in self.server.uploads:
            self.server.delete(key)

    @rule()
    def forget(self) -> None:
        self.server.forget()

    @rule()
    def restore(self) -> None:
        self.server.restore()

    # ── what happens in between ──

    @precondition(lambda self: self.server.outbox is None)
    @rule()
    def connect(self) -> None:
        self.server.join()
        self.server.requests.append(self.follower.subscribe_request())

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
            elif step == "answer" and self.server.is_asked:
                self.server.answer()

    def deliver(self) -> None:
        assert self.server.outbox
        for event in self.follower.take(self.server.outbox.popleft()):
            self.told.append(event)
            self.uploads.apply(event)
        self.server.requests.extend(self.follower.pending_requests())

    @rule()
    def request_snapshot(self) -> None:
        self.follower.request_snapshot()
        if self.server.outbox is not None:
            self.server.requests.extend(self.follower.pending_requests())

    # ── what must be so ──

    @invariant()
    def no_event_is_told_twice(self) -> None:
        cursors = [event.cursor for event in self.told if not isinstance(event, Snapshot) and event.cursor]
        assert len(cursors) == len(set(cursors))

    @invariant()
    def with_a_log_each_event_has_its_place(self) -> None:
        assert not self.has_log or all(event.cursor for event in self.told)

    @invariant()
    def cursors_only_rise(self) -> None:
        places = [tuple(map(int, event.cursor.split(":"))) for event in self.told if event.cursor]
        assert places == sorted(places)

    @invariant()
    def nothing_is_left_out_unless_a_list_came_in_its_place(self) -> None:
        seen = None
        for event in self.told:
            if event.cursor is None:
                continue
            epoch, seq = map(int, event.cursor.split(":"))
            if seen is not None and not isinstance(event, Snapshot):
                assert (epoch, seq) == (seen[0], seen[1] + 1)
            seen = epoch, seq

    def teardown(self) -> None:
        if self.server.outbox is None:
            self.connect()
        while self.server.is_asked or self.server.outbox:
            if self.server.outbox:
                self.deliver()
            else:
                self.server.answer()
        assert {key: known(each) for key, each in self.uploads.items()} == {
            key: known(each) for key, each in self.server.uploads.items()
        }
        for key, upload in self.uploads.items():
            assert upload.raw_text in (None, self.server.uploads[key].raw_text)


def known(upload: Instance) -> Instance:
    """But for the texts, which no list tells."""
    return msgspec.structs.replace(upload, raw_text=None, processed_text=None)


class WithoutLog(Conversation):
    has_log = False


class InPages(Conversation):
    has_log = False
    pages_of = 2


for _machine in (Conversation, WithoutLog, InPages):
    _machine.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestAServerWithALog = Conversation.TestCase
TestAServerWithoutALog = WithoutLog.TestCase
TestAListInPages = InPages.TestCase


# ── single steps ──


def connected(stream: Any = "pages", **acknowledgement: Any) -> EventSynchronizer:
    follower = EventSynchronizer(stream)
    follower.subscribe_request()
    follower.take(acknowledged(**acknowledgement))
    return follower


def test_the_first_connection_asks_for_no_past() -> None:
    assert EventSynchronizer("pages").subscribe_request() == {"type": "subscribe", "stream": "pages"}


def test_a_cut_before_the_replay_resumes_from_where_it_was() -> None:
    follower = connected(cursor="1:5")
    follower.take(change("updated", instance(), cursor="1:6"))
    assert follower.subscribe_request()["since"] == "1:6"
    follower.take(acknowledged(cursor="1:6", recovered=True))
    assert follower.subscribe_request()["since"] == "1:6"


def test_a_cut_between_a_new_beginning_and_its_list_begins_anew() -> None:
    follower = connected(cursor="1:5")
    follower.subscribe_request()
    follower.take(acknowledged(cursor="2:9", recovered=False))
    assert follower.cursor == "1:5"
    assert follower.subscribe_request()["since"] == "1:5"
    follower.take(acknowledged(cursor="2:9", recovered=False))
    [event] = follower.take(listed(instance()))
    assert isinstance(event, Snapshot)
    assert follower.cursor == "2:9"


def test_with_a_log_a_reply_is_no_event_and_without_one_it_is() -> None:
    reply = change("updated", instance(), ref="1")
    assert connected(cursor="1:5").take(reply) == []
    [event] = connected().take(reply)
    assert isinstance(event, Change)


def test_a_reply_to_retrieve_and_a_refusal_are_no_events() -> None:
    follower = connected()
    assert follower.take(ServerMessage(type="Upload.status", instance=instance(), ref="1")) == []
    assert follower.take(ServerMessage(type="Upload.updated", error={"instance_id": "No."}, ref="2")) == []
    assert follower.take(ServerMessage(type="Upload.list", uploads=(), ref="3")) == []


def test_a_cancel_is_told_by_its_reply_where_there_is_no_log() -> None:
    [event] = connected().take(ended(status="cancelled", error="Cancelled", ref="1"))
    assert isinstance(event, Finished)


def test_an_event_that_comes_again_is_not_told_again() -> None:
    follower = connected(cursor="1:5")
    renamed, again = change("updated", instance(), cursor="1:6"), change("updated", instance(), cursor="1:4")
    assert len(follower.take(renamed)) == 1
    assert follower.take(renamed) == follower.take(again) == []


def test_what_happens_while_a_list_is_on_its_way_is_told_after_it() -> None:
    follower = connected(cursor="1:5")
    follower.request_snapshot()
    assert follower.take(change("deleted", instance("a"), cursor="1:6")) == []
    told = follower.take(listed(instance("a"), ref=LIST_REF))
    assert [type(event) for event in told] == [Snapshot, Deleted]


def test_a_list_that_is_cut_begins_anew() -> None:
    follower = connected()
    follower.request_snapshot()
    follower.take(listed(instance("deleted meanwhile"), ref=LIST_REF, next="more"))
    follower.subscribe_request()
    follower.take(acknowledged())
    [event] = follower.take(listed(instance("a"), ref=LIST_REF))
    assert isinstance(event, Snapshot)
    assert [upload.id for upload in event.uploads] == ["a"]


def test_a_server_that_has_a_log_since_it_started_again_is_asked_for_all_at_first() -> None:
    follower = connected()
    assert "since" not in follower.subscribe_request()
    follower.take(acknowledged(cursor="1:7"))
    assert [request["type"] for request in follower.pending_requests()] == ["list"]


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
def test_cursors_compare_within_their_epoch(cursor: str | None, other: str | None, expected: bool) -> None:
    assert is_at_or_before(cursor, other) is expected


def test_a_list_that_was_refused_ends_the_connection() -> None:
    from scanrill_client import ConnectionLost

    follower = connected()
    follower.request_snapshot()
    with pytest.raises(ConnectionLost):
        follower.take(ServerMessage(type="Upload.list", error={"server": "Failed."}, ref=LIST_REF))
