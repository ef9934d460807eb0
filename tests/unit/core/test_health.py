"""Each reason there is for not being ready, or for being slow; and that asking costs little."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend_main.core.http import health
from backend_main.core.jobs import queue as job_queue
from backend_main.core.models import Job
from tests.support.database import new_upload, new_user

LONG = dt.timedelta(seconds=health.JOB_WAIT_WARNING_SECONDS + 1)


@pytest.fixture
def all_well(monkeypatch: pytest.MonkeyPatch, db: None) -> pytest.MonkeyPatch:
    monkeypatch.setattr(health.reader_pool, "is_any_ready", lambda: True)
    monkeypatch.setattr(health, "_migrated", False)
    assert health.readiness_failures() == []
    assert health.degradations() == []
    return monkeypatch


def test_cold_readers_are_a_reason(all_well: pytest.MonkeyPatch) -> None:
    all_well.setattr(health.reader_pool, "is_any_ready", lambda: False)
    assert health.readiness_failures() == ["no reader is warm yet"]


def test_a_process_without_readers_is_none_whose_readers_are_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cold:
        is_ready = False

    assert health.reader_pool.is_any_ready()
    monkeypatch.setattr(health.reader_pool, "_readers", [Cold()])
    assert not health.reader_pool.is_any_ready()


def test_a_place_for_files_that_cannot_be_written_is_a_reason(all_well: pytest.MonkeyPatch) -> None:
    all_well.setattr(health.storage, "is_writable", lambda: False)
    assert health.readiness_failures() == ["the storage cannot be written"]


def test_a_database_that_does_not_answer_is_a_reason_also_when_it_was_migrated(
    all_well: pytest.MonkeyPatch,
) -> None:
    def silent() -> None:
        raise DatabaseError("secret detail")

    with all_well.context() as patch:
        patch.setattr(connection, "cursor", silent)
        assert health.readiness_failures() == ["the database does not answer"]


def test_a_database_that_is_not_migrated_is_a_reason_until_it_is(all_well: pytest.MonkeyPatch) -> None:
    class NotMigrated(health.MigrationExecutor):
        def migration_plan(self, *_args: object, **_options: object) -> list[object]:  # type: ignore[override]
            return ["one"]

    with all_well.context() as patch:
        patch.setattr(health, "_migrated", False)
        patch.setattr(health, "MigrationExecutor", NotMigrated)
        for _ in range(2):
            assert health.readiness_failures() == ["the database is not migrated"]
    health._migrated = False
    assert health.readiness_failures() == []


def test_migrations_are_looked_for_until_all_are_there_and_never_again(all_well: pytest.MonkeyPatch) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert health.readiness_failures() == []
    assert [query["sql"] for query in asked] == ["SELECT 1"]


def test_a_bell_that_is_not_heard_everywhere_delays(all_well: pytest.MonkeyPatch) -> None:
    class FakePubSub:
        degraded_reason = "Redis does not answer"

    all_well.setattr(health.hub, "pubsub", FakePubSub())
    assert health.degradations() == ["Redis does not answer"]
    assert health.readiness_failures() == []


def test_a_broker_that_does_not_answer_delays(all_well: pytest.MonkeyPatch) -> None:
    all_well.setattr(health.notify, "degraded_reason", lambda: "the broker does not answer")
    assert health.degradations() == ["the broker does not answer"]
    assert health.readiness_failures() == []


def test_a_server_that_does_not_read_and_hears_no_worker_delays(all_well: pytest.MonkeyPatch) -> None:
    silence = health.WORKER_HEARTBEAT_TIMEOUT_SECONDS + 1.0
    all_well.setattr(health.notify, "seconds_since_worker_heartbeat", lambda: silence)
    assert health.degradations() == [], "it reads itself"
    all_well.setattr(health, "conf", msgspec.structs.replace(health.conf, redis_url="redis://"))
    [reason] = health.degradations()
    assert "no worker was heard" in reason
    assert health.readiness_failures() == []
    all_well.setattr(health.notify, "seconds_since_worker_heartbeat", lambda: 1.0)
    assert health.degradations() == []


def test_uploads_that_nobody_takes_for_long_delay_until_somebody_reads(all_well: pytest.MonkeyPatch) -> None:
    new_upload(new_user())
    assert health.degradations() == []
    Job.objects.update(created_at=timezone.now() - LONG)
    [reason] = health.degradations()
    assert "no reader takes them" in reason
    assert health.readiness_failures() == []
    new_upload(new_user())
    claim = job_queue.claim_next("somebody")
    assert claim is not None
    assert health.degradations() == [], "the other waits, but somebody reads"
    Job.objects.filter(pk=claim.job_id).update(lease_until=timezone.now() - LONG)
    Job.objects.exclude(pk=claim.job_id).update(created_at=timezone.now() - LONG)
    assert len(health.degradations()) == 1, "who held it died"
