"""Reasons for a server that is not ready or is degraded, and the cost of the checks."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend_main.core.db import migrations_state
from backend_main.core.http import health
from backend_main.core.jobs import queue as job_queue
from backend_main.core.models import Job
from backend_main.core.runtime import Runtime
from tests.support.database import new_upload, new_user

LONG = dt.timedelta(seconds=health.JOB_WAIT_WARNING_SECONDS + 1)


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(readers=0)


@pytest.fixture
def healthy(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, db: None) -> pytest.MonkeyPatch:
    """A server without any reason; the test patches one."""
    assert health.readiness_failures(runtime) == []
    assert health.degradations(runtime) == []
    return monkeypatch


def test_readiness_readers_not_ready(runtime: Runtime, healthy: pytest.MonkeyPatch) -> None:
    class LoadingReaders:
        is_any_ready = False

    healthy.setattr(runtime, "readers", LoadingReaders())
    assert health.readiness_failures(runtime) == ["no reader is ready"]


def test_readiness_storage_not_writable(runtime: Runtime, healthy: pytest.MonkeyPatch) -> None:
    healthy.setattr(health.storage, "is_writable", lambda: False)
    assert health.readiness_failures(runtime) == ["the storage cannot be written"]


def test_readiness_database_does_not_answer_after_it_was_migrated(
    runtime: Runtime, healthy: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DatabaseError("secret detail")

    with healthy.context() as patch:
        patch.setattr(connection, "cursor", fail)
        assert health.readiness_failures(runtime) == ["the database does not answer"]


def test_readiness_database_not_migrated_until_it_is(runtime: Runtime, healthy: pytest.MonkeyPatch) -> None:
    class NotMigrated(migrations_state.MigrationExecutor):
        def migration_plan(self, *_args: object, **_options: object) -> list[object]:  # type: ignore[override]
            return ["one"]

    with healthy.context() as patch:
        runtime.is_migrated = False
        patch.setattr(migrations_state, "MigrationExecutor", NotMigrated)
        for _ in range(2):
            assert health.readiness_failures(runtime) == ["the database is not migrated"]
    assert health.readiness_failures(runtime) == []


def test_readiness_migrations_are_not_read_again_once_applied(
    runtime: Runtime, healthy: pytest.MonkeyPatch
) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert health.readiness_failures(runtime) == []
    assert [query["sql"] for query in queries] == ["SELECT 1"]


def test_degradations_pubsub_unavailable(runtime: Runtime, healthy: pytest.MonkeyPatch) -> None:
    class FakePubSub:
        degraded_reason = "Redis does not answer"

    healthy.setattr(runtime.hub, "pubsub", FakePubSub())
    assert health.degradations(runtime) == ["Redis does not answer"]
    assert health.readiness_failures(runtime) == []


def test_degradations_broker_unavailable(runtime: Runtime, healthy: pytest.MonkeyPatch) -> None:
    class FailingNotifier:
        degraded_reason = "the broker does not answer"

    healthy.setattr(runtime, "worker_notifier", FailingNotifier())
    assert health.degradations(runtime) == ["the broker does not answer"]
    assert health.readiness_failures(runtime) == []


def test_degradations_no_worker_heartbeat_on_a_server_without_readers(
    runtime: Runtime, healthy: pytest.MonkeyPatch
) -> None:
    class SilentChannel:
        seconds_since_heartbeat = health.WORKER_HEARTBEAT_TIMEOUT_SECONDS + 1.0

    healthy.setattr(runtime, "workers_channel", SilentChannel())
    assert health.degradations(runtime) == [], "this server has readers"
    healthy.setattr(health, "conf", msgspec.structs.replace(health.conf, redis_url="redis://"))
    [reason] = health.degradations(runtime)
    assert "no worker heartbeat" in reason
    assert health.readiness_failures(runtime) == []
    healthy.setattr(SilentChannel, "seconds_since_heartbeat", 1.0)
    assert health.degradations(runtime) == []


def test_degradations_jobs_wait_long_until_a_reader_is_active(
    runtime: Runtime, healthy: pytest.MonkeyPatch
) -> None:
    new_upload(new_user())
    assert health.degradations(runtime) == []
    Job.objects.update(created_at=timezone.now() - LONG)
    [reason] = health.degradations(runtime)
    assert "no reader is active" in reason
    assert health.readiness_failures(runtime) == []
    new_upload(new_user())
    claim = job_queue.claim_next("somebody")
    assert claim is not None
    assert health.degradations(runtime) == [], "the other job waits, but a reader is active"
    Job.objects.filter(pk=claim.job_id).update(lease_until=timezone.now() - LONG)
    Job.objects.exclude(pk=claim.job_id).update(created_at=timezone.now() - LONG)
    assert len(health.degradations(runtime)) == 1, "the lease of the active reader has expired"
