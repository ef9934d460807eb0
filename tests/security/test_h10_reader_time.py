"""H10 - pages that take long delay another user's documents by one page, however many there are."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from backend_main import reading
from backend_main.core.fair_sharing import HALF_LIFE_SECONDS, add_use
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import reader_time, results
from backend_main.core.models import Job, Status, Upload, User
from tests.support.database import new_upload, new_user
from tests.support.fake_reader import Step, connection_kept, new_reader, page, reload

__all__ = ["connection_kept"]

pytestmark = pytest.mark.django_db

PAGE_SECONDS = 120.0
TIMEOUT = reading.EngineTimeout("A page took longer than 120 seconds.")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def advance_page(self) -> None:
        self.now += PAGE_SECONDS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(reader_time, "time", clock)
    return clock


def uploads_of(user: User, count: int) -> list[uuid.UUID]:
    return [new_upload(user).pk for _ in range(count)]


def read_all(scripts: dict[uuid.UUID, list[Step]], monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Read every job; return the owners of the claims, in order."""
    reader, engines, _ = new_reader([])
    owners = []
    claim_next = job_queue.claim_next

    def claim(reader_name: str, **options: Any) -> object:
        claimed = claim_next(reader_name, **options)
        if claimed is not None:
            owners.append(claimed.owner_id)
            engines.scripts[:] = [list(scripts[claimed.owner_id])]
        return claimed

    monkeypatch.setattr(job_queue, "claim_next", claim)
    while reader.read_next():
        pass
    return owners


def test_h10_slow_pages_of_one_user_delay_another_by_one_page(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = new_user("ada"), new_user("bob")
    slow, quick = uploads_of(ada, 6), uploads_of(bob, 10)
    scripts: dict[uuid.UUID, list[Step]] = {
        ada.pk: [clock.advance_page, TIMEOUT],
        bob.pk: page(1, 1, "quick"),
    }
    owners = read_all(scripts, monkeypatch)
    assert owners.index(bob.pk) <= 1
    assert owners[1:11].count(bob.pk) >= 9, "one slow page, then every page of the other user"
    assert {*Upload.objects.filter(pk__in=slow).values_list("status", flat=True)} == {Status.ERROR}
    assert {*Upload.objects.filter(pk__in=quick).values_list("status", flat=True)} == {Status.PROCESSED}


def test_h10_page_that_times_out_is_read_once_more_after_the_other_documents(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = new_user("ada")
    uploads = uploads_of(ada, 2)
    read: list[uuid.UUID] = []
    count_timeout = results.count_timeout

    def record(claim: job_queue.Claim, message: str) -> None:
        read.append(claim.upload_id)
        count_timeout(claim, message)

    monkeypatch.setattr(results, "count_timeout", record)
    read_all({ada.pk: [TIMEOUT]}, monkeypatch)
    assert read == [*uploads, *uploads]
    assert not Job.objects.exists()


def test_h10_slow_page_is_charged_before_it_ends(clock: Clock) -> None:
    ada = new_user("ada")
    reader_clock = reader_time.ReaderClock()
    reader_clock.start(ada.pk)
    marks = []
    for _ in range(2):
        clock.advance_page()
        reader_clock.charge()
        ada.refresh_from_db()
        assert ada.last_served_at is not None
        marks.append(ada.last_served_at)
    assert marks[1] > marks[0]
    reader_clock.stop()
    clock.advance_page()
    before = reload_mark(ada)
    reader_clock.charge()
    assert reload_mark(ada) == before, "the clock is stopped"


def reload_mark(user: User) -> object:
    return User.objects.values_list("last_served_at", flat=True).get(pk=user.pk)


def test_h10_long_document_goes_on_while_users_with_more_use_wait() -> None:
    ada, bob = new_user("ada"), new_user("bob")
    reader_time.charge(ada.pk, PAGE_SECONDS)
    upload = new_upload(bob)
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    new_upload(ada)
    assert not job_queue.has_competing_job(claim)
    reader_time.charge(bob.pk, 2 * PAGE_SECONDS)
    assert job_queue.has_competing_job(claim)
    assert reload(upload).status == Status.PROCESSING


def test_h10_use_decays_by_half_in_the_half_life() -> None:
    mark = add_use(None, 0.0, 100.0)
    later = add_use(mark, HALF_LIFE_SECONDS, 50.0)
    assert later == pytest.approx(add_use(None, HALF_LIFE_SECONDS, 100.0))
    assert add_use(None, 10.0, 1.0) == 10.0, "a mark is the moment at which the use is one second"


def test_h10_mark_of_a_clock_that_was_set_back_is_limited() -> None:
    assert add_use(1e12, 0.0, 1.0) < 1e5
