"""S24 — the same with files in a bucket: after a sweep, objects and rows agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.test_s24_crash_at_each_step import CORE, DIED, NEVER_CALLED, die, sweep, uploads_of
from tests.support.s3 import BUCKET, S3
from tests.support.server import Server

PREFIX = "crashes/"
CREATE = [
    (f"{CORE}.storage:put", "before", 0),
    (f"{CORE}.storage.local_cache:LocalFileCache.insert", "before", 0),
    (f"{CORE}.storage:put", "after", 0),
    (f"{CORE}.models:Job.objects.create", "after", 0),
    (f"{CORE}.jobs.notify:notify_jobs_available", "before", 1),
]
DELETE = [
    (f"{CORE}.storage:delete", "before"),
    (f"{CORE}.storage.local_cache:LocalFileCache.invalidate", "after"),
]


@pytest.fixture
def machine(s3: S3, tmp_path: Path) -> Server:
    """Its commands; no server runs on it."""
    machine = Server(tmp_path / "data", STORAGE_URL=s3.url(PREFIX))
    machine.environment |= s3.environment
    return machine


def stored(s3: S3) -> set[str]:
    return {key.split("/")[1] for key in s3.keys(PREFIX)}


@pytest.mark.slow
@pytest.mark.embedded("elsewhere what is young stays, and nothing in a bucket can be made old")
def test_s24_what_dies_between_a_bucket_and_a_row_is_done_or_never_was(machine: Server, s3: S3) -> None:
    owner = machine.user()
    for place, when, kept in CREATE:
        before = uploads_of(machine)
        assert die(machine, "create", place, when, owner) == DIED
        assert len(uploads_of(machine) - before) == kept, (place, when)
    for place, when in DELETE:
        before = uploads_of(machine)
        assert die(machine, "create", NEVER_CALLED, "before", owner) == 0
        [upload_id] = uploads_of(machine) - before
        assert die(machine, "delete", place, when, owner, upload_id) == DIED
    assert len(stored(s3) - uploads_of(machine)) == 5, "the crashes left something"
    s3.client.put_object(Bucket=BUCKET, Key=f"{PREFIX}notes/of-somebody.txt", Body=b"not ours")
    sweep(machine)
    assert stored(s3) == uploads_of(machine) | {"notes"}
    assert list((machine.data_dir / "incoming").iterdir()) == []
