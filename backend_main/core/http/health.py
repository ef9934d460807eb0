"""Step 3 — what is wrong with this server just now: why it takes no uploads, or why they take longer.

Asked every few seconds by whatever stands before the server, so each answer is cheap: what cannot change
while the process lives is found out once.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from .. import storage
from ..conf import conf
from ..jobs import notify, reader_pool
from ..jobs import queue as job_queue
from ..live.hub import hub

# A reader takes a waiting job at once, or gives way after a page: so long, and none seems to be there.
JOB_WAIT_WARNING_SECONDS = 120

# A worker says each ten seconds that it lives.
WORKER_HEARTBEAT_TIMEOUT_SECONDS = 45

_migrated = False


def readiness_failures() -> list[str]:
    """Why uploads cannot be taken, or would not be read by this server's own readers."""
    reasons = _of_the_database()
    if not storage.is_writable():
        reasons.append("the storage cannot be written")
    if not reader_pool.is_any_ready():
        reasons.append("no reader is warm yet")
    return reasons


def degradations() -> list[str]:
    """Why uploads, which are taken, are read or told of late. Asked where nothing refuses them."""
    reasons = [problem for problem in (hub.pubsub.degraded_reason, notify.degraded_reason()) if problem]
    if (
        conf.broker
        and not conf.runs_readers
        and notify.seconds_since_worker_heartbeat() > WORKER_HEARTBEAT_TIMEOUT_SECONDS
    ):
        reasons.append("no worker was heard of lately: uploads wait for one")
    if job_queue.has_stalled_jobs(dt.timedelta(seconds=JOB_WAIT_WARNING_SECONDS)):
        reasons.append("uploads wait, and no reader takes them: is there a worker?")
    return reasons


def _of_the_database() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return [] if _is_migrated() else ["the database is not migrated"]
    except Exception:
        return ["the database does not answer"]


def _is_migrated() -> bool:
    """Whether all migrations were applied; once they are, they stay so."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
