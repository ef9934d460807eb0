"""The invariants of a soak: each finds its violations, and none in consistent states."""

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


def make_log(*events: str) -> list[RecordedEvent]:
    """Build the log of one upload from `kind:status` items; the status defaults to the kind."""
    parts = [event.partition(":") for event in events]
    return [RecordedEvent(seq, kind, "a", status or kind) for seq, (kind, _, status) in enumerate(parts, 1)]


def test_invariants_of_consistent_state_find_nothing() -> None:
    assert list(invariants.check_log(LOG, 2)) == []
    assert list(invariants.check_transitions(LOG, {"a": ROW})) == []
    assert list(invariants.check_text(ROW, PAGES, DOCUMENT)) == []
    assert list(invariants.check_files({ROW.image_path: CONTENT}, DatabaseState(uploads={"a": ROW}))) == []


@pytest.mark.parametrize(
    ("log", "last_seq"), [(LOG[:1], 2), (LOG[1:], 2), ([LOG[0], LOG[0]], 2), (LOG, 1)], ids=str
)
def test_check_log_with_gap_or_duplicate_finds_it(log: list[RecordedEvent], last_seq: int) -> None:
    assert list(invariants.check_log(log, last_seq))


@pytest.mark.parametrize("events", [LOG[:1], LOG[1:], [*LOG, LOG[1]], LOG[::-1]], ids=len)
def test_check_received_with_missing_or_duplicate_event_finds_it(events: list[RecordedEvent]) -> None:
    assert list(invariants.check_received(fake_recorder(events), LOG))  # type: ignore[arg-type]


def test_check_received_with_second_snapshot_finds_it() -> None:
    assert list(invariants.check_received(fake_recorder(LOG), LOG)) == []  # type: ignore[arg-type]
    assert list(invariants.check_received(fake_recorder(LOG, snapshots=2), LOG))  # type: ignore[arg-type]


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
def test_check_transitions_without_exactly_one_end_finds_it(events: tuple[str, ...]) -> None:
    assert list(invariants.check_transitions(make_log(*events), {"a": ROW}))


@pytest.mark.parametrize(
    "events",
    [
        ("created:pending", "updated:processing", "processed", "updated:processed"),
        ("created:pending", "cancelled", "updated:pending", "processed"),
        ("created:pending", "error", "updated:pending", "cancelled", "updated:pending", "processed"),
    ],
    ids="-".join,
)
def test_check_transitions_of_several_readings_finds_nothing(events: tuple[str, ...]) -> None:
    assert list(invariants.check_transitions(make_log(*events), {"a": ROW})) == []


def test_check_transitions_with_row_missing_in_log_finds_it() -> None:
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
        ({"requested_pages": "2"}, PAGES),
        ({"status": "error"}, PAGES),
    ],
    ids=str,
)
def test_check_text_that_differs_from_the_pages_finds_it(
    changes: dict[str, Any], pages: dict[int, str]
) -> None:
    assert list(invariants.check_text(ROW._replace(**changes), pages, DOCUMENT))


@pytest.mark.parametrize(
    "stored", [{}, {ROW.image_path: b"other"}, {ROW.image_path: CONTENT, "b/original.png": b""}], ids=len
)
def test_check_files_with_missing_extra_or_changed_file_finds_it(stored: dict[str, bytes | None]) -> None:
    assert list(invariants.check_files(stored, DatabaseState(uploads={"a": ROW})))


@pytest.mark.parametrize(
    ("records", "rows"),
    [
        ({"acknowledged": {"b": HASH}}, {}),
        ({"acknowledged": {"a": HASH}}, {}),
        ({"acknowledged": {"a": "other"}}, {"a": ROW}),
        ({"deleted": {"a"}, "delete_requested": {"a"}}, {"a": ROW}),
    ],
    ids=str,
)
def test_check_acknowledgements_with_broken_one_finds_it(
    records: dict[str, Any], rows: dict[str, UploadRow]
) -> None:
    user = SimpleNamespace(**{"acknowledged": {}, "deleted": set(), "delete_requested": set()} | records)
    assert list(invariants.check_acknowledgements(user, rows, LOG))  # type: ignore[arg-type]


def test_check_acknowledgements_with_unrequested_delete_finds_it() -> None:
    user = SimpleNamespace(acknowledged={}, deleted=set(), delete_requested=set())
    assert list(invariants.check_acknowledgements(user, {}, make_log("created:pending", "deleted:pending")))  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"raw_text": "other"}, {"status": "error"}, {"pages_done": 1}], ids=str)
def test_check_replies_with_other_content_finds_it(changes: dict[str, Any]) -> None:
    instance = SimpleNamespace(**(ROW._asdict() | changes))
    assert list(invariants.check_replies(SimpleNamespace(final_instances={"a": ROW}), {"a": ROW})) == []  # type: ignore[arg-type]
    assert list(invariants.check_replies(SimpleNamespace(final_instances={"a": instance}), {"a": ROW}))  # type: ignore[arg-type]
    assert list(invariants.check_replies(SimpleNamespace(final_instances={"a": ROW}), {}))  # type: ignore[arg-type]


def test_check_limits_exceeded_or_rejected_below_limit_finds_it() -> None:
    many = [RecordedEvent(n, "created", str(n), "pending") for n in range(1, invariants.MAX_WAITING + 2)]
    assert list(invariants.check_limits(SimpleNamespace(limit_rejections=[]), many))  # type: ignore[arg-type]
    user = SimpleNamespace(limit_rejections=[("create", "many files", 0)])
    assert list(invariants.check_limits(user, LOG))  # type: ignore[arg-type]


def test_memory_trend_of_growing_process_is_not_flat() -> None:
    mib = 1024.0**2
    assert ProcessMemory("server", 1, 100 * mib, 109 * mib, 0).is_flat
    assert not ProcessMemory("server", 1, 100 * mib, 130 * mib, 0).is_flat


def fake_recorder(events: list[RecordedEvent], *, snapshots: int = 1) -> SimpleNamespace:
    return SimpleNamespace(name="client 1", events=events, snapshots=snapshots)
