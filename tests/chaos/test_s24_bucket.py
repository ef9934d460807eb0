"""S24 - a process dies during a create or delete with a bucket: a sweep makes objects and rows agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.test_s24_crash_at_each_step import (
    CORE,
    CRASH_EXIT_CODE,
    NEVER_CALLED,
    crash_at,
    sweep,
    uploads_of,
)
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
def stopped_server(s3: S3, tmp_path: Path) -> Server:
    """A data directory for commands; no server runs on it."""
    stopped_server = Server(tmp_path / "data", STORAGE_URL=s3.url(PREFIX))
    stopped_server.environment |= s3.environment
    return stopped_server


def stored_ids(s3: S3) -> set[str]:
    return {key.split("/")[1] for key in s3.keys(PREFIX)}


@pytest.mark.slow
@pytest.mark.embedded("elsewhere recent objects stay, and their age cannot be changed")
def test_s24_crash_between_bucket_and_row_completes_or_leaves_nothing(stopped_server: Server, s3: S3) -> None:
    owner = stopped_server.user()
    for step, when, expected_new in CREATE:
        before = uploads_of(stopped_server)
        assert crash_at(stopped_server, "create", step, when, owner) == CRASH_EXIT_CODE
        assert len(uploads_of(stopped_server) - before) == expected_new, (step, when)
    for step, when in DELETE:
        before = uploads_of(stopped_server)
        assert crash_at(stopped_server, "create", NEVER_CALLED, "before", owner) == 0
        [upload_id] = uploads_of(stopped_server) - before
        assert crash_at(stopped_server, "delete", step, when, owner, upload_id) == CRASH_EXIT_CODE
    assert len(stored_ids(s3) - uploads_of(stopped_server)) == 5, "the crashes left objects"
    s3.client.put_object(Bucket=BUCKET, Key=f"{PREFIX}notes/of-somebody.txt", Body=b"not ours")
    sweep(stopped_server)
    assert stored_ids(s3) == uploads_of(stopped_server) | {"notes"}
    assert list((stopped_server.data_dir / "incoming").iterdir()) == []
