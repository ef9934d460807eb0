"""Tests of maintenance: it recovers claims and removes orphans, and nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models.functions import Now

from backend_main.core import maintenance, storage
from backend_main.core.conf import conf
from backend_main.core.jobs import notify
from backend_main.core.jobs import queue as job_queue
from backend_main.core.models import Job, Upload
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_files_remain() -> Iterator[None]:
    """Remove files of other unit tests, which share the data directory and whose rows are gone."""
    maintenance.remove_orphan_files(grace_seconds=0)
    yield
    maintenance.remove_orphan_files(grace_seconds=0)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    calls: list[bool] = []
    monkeypatch.setattr(notify, "notify_jobs_available", lambda jobs=1: calls.append(True))
    return calls


def stored() -> set[str]:
    return {path.name for path in conf.files_dir.iterdir()}


def orphan() -> Path:
    directory = conf.files_dir / str(uuid.uuid4())
    directory.mkdir()
    (directory / "original.png").write_bytes(b"orphan")
    (directory / "page-1-200.jpg").write_bytes(b"derived")
    return directory


def half_written() -> Path:
    path = conf.staging_dir / uuid.uuid4().hex
    path.write_bytes(b"half")
    return path


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_remove_orphan_files_keeps_files_with_a_row() -> None:
    upload = new_upload(new_user())
    left = [orphan(), orphan()]
    assert maintenance.remove_orphan_files(grace_seconds=0) == (2, 0)
    assert stored() == {str(upload.pk)}
    assert not any(path.exists() for path in left)
    assert maintenance.remove_orphan_files(grace_seconds=0) == (0, 0)


def test_remove_orphan_files_removes_empty_directories_of_uploads() -> None:
    (conf.files_dir / str(uuid.uuid4())).mkdir()
    assert maintenance.remove_orphan_files(grace_seconds=0) == (1, 0)


def test_remove_orphan_files_removes_incomplete_files() -> None:
    paths = [half_written(), half_written()]
    assert maintenance.remove_orphan_files(grace_seconds=0) == (0, 2)
    assert not any(path.exists() for path in paths)


def test_remove_orphan_files_keeps_young_files() -> None:
    young, old = orphan(), orphan()
    coming, stuck = half_written(), half_written()
    for path in (old, stuck):
        age(path, maintenance.GRACE_SECONDS + 60)
    assert maintenance.remove_orphan_files() == (1, 1)
    assert young.exists()
    assert coming.exists()
    assert not old.exists()
    assert not stuck.exists()


def test_remove_orphan_files_keeps_foreign_files() -> None:
    foreign = conf.files_dir / "lost+found"
    foreign.mkdir()
    below = conf.staging_dir / "a directory"
    below.mkdir()
    try:
        assert maintenance.remove_orphan_files(grace_seconds=0) == (0, 0)
        assert foreign.exists()
        assert below.exists()
    finally:
        foreign.rmdir()
        below.rmdir()


def test_recover_expired_claims_opens_jobs_and_wakes_readers(woken: list[bool]) -> None:
    upload = new_upload(new_user())
    woken.clear()
    assert job_queue.claim_next("a reader") is not None
    assert maintenance.recover_expired_claims() == 0
    assert woken == [], "no job waits"
    Job.objects.update(lease_until=Now() - dt.timedelta(seconds=1))
    assert maintenance.run_all(grace_seconds=0) == maintenance.MaintenanceReport(1, 0, 0, 0, 0)
    assert woken == [True]
    assert Upload.objects.get().pk == upload.pk


def test_recover_expired_claims_wakes_readers_for_waiting_jobs(woken: list[bool]) -> None:
    new_upload(new_user())
    woken.clear()
    maintenance.recover_expired_claims()
    assert woken == [True]


def test_remove_orphan_files_keeps_files_of_another_deployment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two deployments may share a bucket by mistake: for each, the other's files have no upload."""
    orphaned = orphan()
    monkeypatch.setattr(storage, "claim_for_deployment", lambda _deployment: False)
    assert maintenance.remove_orphan_files(grace_seconds=0) == (0, 0)
    assert orphaned.exists()
    assert "another deployment" in caplog.text


async def test_maintenance_loop_continues_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[str] = []
    enough = asyncio.Event()
    every = maintenance.FULL_RUN_INTERVAL_SECONDS // maintenance.MAINTENANCE_INTERVAL_SECONDS

    async def run(work: object) -> None:
        runs.append("files" if work is maintenance.run_all else "claims")
        if len(runs) == every + 1:
            enough.set()
        if len(runs) == 1:
            raise RuntimeError("no database")

    pauses: list[float] = []
    sleep = asyncio.sleep

    async def no_delay(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(maintenance.executor, "run_in_db_thread", run)
    monkeypatch.setattr(maintenance.asyncio, "sleep", no_delay)
    loop = asyncio.create_task(maintenance.maintenance_loop())
    await enough.wait()
    loop.cancel()
    assert runs == ["claims"] * (every - 1) + ["files", "claims"]
    assert set(pauses) == {maintenance.MAINTENANCE_INTERVAL_SECONDS}
    assert "no database" in caplog.text


def test_write_derived_after_delete_leaves_no_file() -> None:
    upload = new_upload(new_user())
    storage.delete(upload.image_path)
    storage.write_derived(upload.image_path, "page-1-200.jpg", b"too late")
    assert stored() == set()
    assert maintenance.remove_orphan_files(grace_seconds=0) == (0, 0)
