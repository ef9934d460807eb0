"""The books of a soak: each sees what it is there to see, and nothing where there is nothing."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.soak import invariants
from tests.chaos.soak.database_state import DatabaseState, UploadRow
from tests.chaos.soak.documents import Document
from tests.chaos.soak.event_recorder import RecordedEvent
from tests.chaos.soak.memory_trend import ProcessMemory
from tests.chaos.soak.plan import DocumentSpec

CONTENT = b"what was sent"
HASH = hashlib.sha256(CONTENT).hexdigest()
DOCUMENT = Document(DocumentSpec("tiff", "a", 2, 0.0), CONTENT)
PAGES = {number: DOCUMENT.page(number) for number in (1, 2)}
ROW = UploadRow(
    id="a",
    owner="o",
    status="processed",
    error=None,
    image_path="a/original.tif",
    image_hash=HASH,
    filename="a.tif",
    page_count=2,
    pages_done=2,
    raw_text=f"{PAGES[1]}\n\n{PAGES[2]}",
    requested_pages="",
    reread_pages=None,
)
LOG = [RecordedEvent(1, "created", "a", "pending"), RecordedEvent(2, "processed", "a", "processed")]


def log(*events: str) -> list[RecordedEvent]:
    """Of one upload; `kind:status`, or what is the same word for both."""
    parts = [event.partition(":") for event in events]
    return [RecordedEvent(seq, kind, "a", status or kind) for seq, (kind, _, status) in enumerate(parts, 1)]


def test_books_that_balance_say_nothing() -> None:
    assert list(invariants.check_log(LOG, 2)) == []
    assert list(invariants.check_transitions(LOG, {"a": ROW})) == []
    assert list(invariants.check_text(ROW, PAGES, DOCUMENT)) == []
    assert list(invariants.check_files({ROW.image_path: CONTENT}, DatabaseState(uploads={"a": ROW}))) == []


@pytest.mark.parametrize(
    ("found", "head"), [(LOG[:1], 2), (LOG[1:], 2), ([LOG[0], LOG[0]], 2), (LOG, 1)], ids=str
)
def test_a_gap_in_the_log_is_seen(found: list[RecordedEvent], head: int) -> None:
    assert list(invariants.check_log(found, head))


@pytest.mark.parametrize("told", [LOG[:1], LOG[1:], [*LOG, LOG[1]], LOG[::-1]], ids=len)
def test_what_a_client_was_not_told_or_told_twice_is_seen(told: list[RecordedEvent]) -> None:
    assert list(invariants.check_received(following(told), LOG))  # type: ignore[arg-type]


def test_a_client_that_had_to_be_sent_all_anew_is_seen() -> None:
    assert list(invariants.check_received(following(LOG), LOG)) == []  # type: ignore[arg-type]
    assert list(invariants.check_received(following(LOG, lists=2), LOG))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "events",
    [
        ("created:pending", "processed", "processed"),
        ("created:pending", "processed", "error"),
        ("created:pending", "updated:pending"),
        ("created:pending", "processed", "updated:pending"),
        ("created:pending", "updated:processed"),
        ("created:pending", "processed", "deleted:processed"),
        ("created:pending", "deleted:pending", "processed"),
        ("processed",),
        ("created:pending", "created:pending", "processed"),
    ],
    ids="-".join,
)
def test_a_chain_without_its_one_end_is_seen(events: tuple[str, ...]) -> None:
    assert list(invariants.check_transitions(log(*events), {"a": ROW}))


@pytest.mark.parametrize(
    "events",
    [
        ("created:pending", "updated:processing", "processed", "updated:processed"),
        ("created:pending", "cancelled", "updated:pending", "processed"),
        ("created:pending", "error", "updated:pending", "cancelled", "updated:pending", "processed"),
    ],
    ids="-".join,
)
def test_a_chain_of_several_readings_is_right(events: tuple[str, ...]) -> None:
    assert list(invariants.check_transitions(log(*events), {"a": ROW})) == []


def test_a_row_that_the_log_knows_nothing_of_is_seen() -> None:
    assert list(invariants.check_transitions([], {"a": ROW}))
    assert list(invariants.check_transitions(LOG, {}))


@pytest.mark.parametrize(
    ("changes", "pages"),
    [
        ({}, {1: PAGES[1]}),
        ({}, {1: PAGES[2], 2: PAGES[1]}),
        ({"raw_text": PAGES[1]}, PAGES),
        ({"raw_text": f"{PAGES[2]}\n\n{PAGES[1]}"}, PAGES),
        ({"pages_done": 3}, PAGES),
        ({"page_count": None}, PAGES),
        ({"asked_pages": "2"}, PAGES),
        ({"status": "error"}, PAGES),
    ],
    ids=str,
)
def test_a_text_that_is_not_that_of_the_pages_is_seen(changes: dict[str, Any], pages: dict[int, str]) -> None:
    assert list(invariants.check_text(ROW._replace(**changes), pages, DOCUMENT))


@pytest.mark.parametrize(
    "stored", [{}, {ROW.image_path: b"other"}, {ROW.image_path: CONTENT, "b/original.png": b""}], ids=len
)
def test_a_file_too_few_or_too_many_or_of_other_bytes_is_seen(stored: dict[str, bytes | None]) -> None:
    assert list(invariants.check_files(stored, DatabaseState(uploads={"a": ROW})))


@pytest.mark.parametrize(
    ("promised", "rows"),
    [
        ({"acknowledged": {"b": HASH}}, {}),
        ({"acknowledged": {"a": HASH}}, {}),
        ({"acknowledged": {"a": "other"}}, {"a": ROW}),
        ({"deleted": {"a"}, "to_delete": {"a"}}, {"a": ROW}),
    ],
    ids=str,
)
def test_a_promise_that_was_not_kept_is_seen(promised: dict[str, Any], rows: dict[str, UploadRow]) -> None:
    user = SimpleNamespace(**{"acknowledged": {}, "deleted": set(), "to_delete": set()} | promised)
    assert list(invariants.check_acknowledgements(user, rows, LOG))  # type: ignore[arg-type]


def test_a_delete_that_nobody_asked_for_is_seen() -> None:
    user = SimpleNamespace(acknowledged={}, deleted=set(), to_delete=set())
    assert list(invariants.check_acknowledgements(user, {}, log("created:pending", "deleted:pending")))  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"raw_text": "other"}, {"status": "error"}, {"pages_done": 1}], ids=str)
def test_an_answer_that_is_not_what_stands_there_is_seen(changes: dict[str, Any]) -> None:
    answer = SimpleNamespace(**(ROW._asdict() | changes))
    assert list(invariants.check_replies(SimpleNamespace(answers={"a": ROW}), {"a": ROW})) == []  # type: ignore[arg-type]
    assert list(invariants.check_replies(SimpleNamespace(answers={"a": answer}), {"a": ROW}))  # type: ignore[arg-type]
    assert list(invariants.check_replies(SimpleNamespace(answers={"a": ROW}), {}))  # type: ignore[arg-type]


def test_more_than_a_user_may_have_and_a_refusal_without_a_reason_are_seen() -> None:
    many = [RecordedEvent(n, "created", str(n), "pending") for n in range(1, invariants.MAX_WAITING + 2)]
    assert list(invariants.check_limits(SimpleNamespace(limits=[]), many))  # type: ignore[arg-type]
    refused = SimpleNamespace(limits=[("create", "many files", 0)])
    assert list(invariants.check_limits(refused, LOG))  # type: ignore[arg-type]


def test_a_process_that_grows_from_third_to_third_is_not_flat() -> None:
    mib = 1024.0**2
    assert ProcessMemory("server", 1, 100 * mib, 109 * mib, 0).is_flat
    assert not ProcessMemory("server", 1, 100 * mib, 130 * mib, 0).is_flat


def following(told: list[RecordedEvent], *, lists: int = 1) -> SimpleNamespace:
    return SimpleNamespace(name="client 1", told=told, lists=lists)
