"""H10 - users whose pages reach the time limit leave one reader of a process to the others."""

from __future__ import annotations

import uuid

import pytest

from backend_main import reading
from backend_main.core import tasks
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import slow_owners
from backend_main.core.jobs.slow_owners import SLOW_SECONDS, SlowOwners
from tests.support.database import new_upload, new_user
from tests.support.fake_reader import FakeEngineProcess, FakePublisher, connection_kept

__all__ = ["connection_kept"]

ADA, BOB = uuid.uuid4(), uuid.uuid4()
TIMEOUT = reading.EngineTimeout("A page took longer than 120 seconds.")


def excluded(owners: SlowOwners) -> frozenset[uuid.UUID]:
    with owners.claiming() as result:
        return result


def serve(owners: SlowOwners, reader: str, owner_id: uuid.UUID) -> None:
    with owners.claiming():
        owners.begin(reader, owner_id)


def test_h10_slow_owners_leave_the_last_of_three_readers_to_others() -> None:
    owners = SlowOwners(3)
    owners.add(ADA)
    owners.add(BOB)
    serve(owners, "reader 1", ADA)
    assert excluded(owners) == set()
    serve(owners, "reader 2", BOB)
    assert excluded(owners) == {ADA, BOB}
    owners.end("reader 1")
    assert excluded(owners) == set()


def test_h10_owner_without_slow_pages_may_hold_all_readers() -> None:
    owners = SlowOwners(2)
    owners.add(BOB)
    for reader in ("reader 1", "reader 2"):
        serve(owners, reader, ADA)
    assert excluded(owners) == set()


def test_h10_single_reader_serves_slow_owners_too() -> None:
    owners = SlowOwners(1)
    owners.add(ADA)
    serve(owners, "reader 1", ADA)
    assert excluded(owners) == set()


def test_h10_slow_owner_is_forgotten_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    owners, now = SlowOwners(2), 1_000.0
    monkeypatch.setattr(slow_owners.time, "monotonic", lambda: now)
    owners.add(ADA)
    serve(owners, "reader 1", ADA)
    assert excluded(owners) == {ADA}
    now += SLOW_SECONDS
    assert excluded(owners) == set()


@pytest.mark.django_db
def test_h10_reader_leaves_the_jobs_of_a_slow_owner_while_another_reader_serves_one() -> None:
    owners, ada = SlowOwners(2), new_user("ada")
    new_upload(ada)
    first, second = (
        tasks.JobReader(FakePublisher(), FakeEngineProcess([TIMEOUT]), owners)  # type: ignore[arg-type]
        for _ in range(2)
    )
    assert first.read_next(), "its page reaches the time limit"
    serve(owners, "another reader", ada.pk)
    assert not second.read_next()
    new_upload(new_user("bob"))
    assert second.read_next()
    owners.end("another reader")
    assert second.read_next(), "the second attempt of the slow page"


@pytest.mark.django_db
def test_h10_claim_next_leaves_the_jobs_of_excluded_owners() -> None:
    ada = new_user("ada")
    new_upload(ada)
    assert job_queue.claim_next("a reader", excluded_owners={ada.pk}) is None
    assert job_queue.claim_next("a reader", excluded_owners={uuid.uuid4()}) is not None
