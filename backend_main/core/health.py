"""Step 3 — what is wrong with this server just now: why it takes no uploads, or why they take longer.

Asked every few seconds by whatever stands before the server, so each answer is cheap: what cannot change
while the process lives is found out once.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from . import dispatch, jobs, readers, storage
from .conf import conf
from .live import hub

# A reader takes a waiting job at once, or gives way after a page: so long, and none seems to be there.
UNREAD_SECONDS = 120

# A worker says each ten seconds that it lives.
UNHEARD_SECONDS = 45

_migrated = False


def refusals() -> list[str]:
    """Why uploads cannot be taken, or would not be read by this server's own readers."""
    reasons = _of_the_database()
    if not storage.writable():
        reasons.append("the storage cannot be written")
    if not readers.any_warm():
        reasons.append("no reader is warm yet")
    return reasons


def delays() -> list[str]:
    """Why uploads, which are taken, are read or told of late. Asked where nothing refuses them."""
    reasons = [problem for problem in (hub.bell.problem, dispatch.problem()) if problem]
    if conf.broker and not conf.reads_here and hub.bell.unheard_seconds > UNHEARD_SECONDS:
        reasons.append("no worker was heard of lately: uploads wait for one")
    if jobs.unread_for(dt.timedelta(seconds=UNREAD_SECONDS)):
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
