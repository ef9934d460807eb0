"""Maintenance: recovery of expired claims; deletion of expired codes, sessions and events, and stray files.

Every server runs it each few seconds, and so does `scanrill sweep`. A worker recovers claims only.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from django.db import close_old_connections

from . import event_log, storage
from .auth import api_keys, sessions, sign_in_codes
from .db import disk_reserve, executor
from .db.retry import retry_transient
from .errors import DatabaseUnavailable
from .jobs import notify
from .jobs import queue as job_queue
from .live.replay import EventLogReader
from .models import Upload
from .search import index as search_index
from .uploads import expiry, idempotency, readings, resumable, usage
from .webhooks import delivery as deliveries

log = logging.getLogger(__name__)

MAINTENANCE_INTERVAL_SECONDS = 5
GRACE_SECONDS = 3_600
"""Minimum age of an orphan. A file is stored before its row, so a younger one may be a new upload."""
FULL_RUN_INTERVAL_SECONDS = 600
ORPHAN_BATCH_SIZE = 500


class MaintenanceReport(NamedTuple):
    """Numbers of recovered jobs and deleted things."""

    jobs: int
    orphaned_files: int
    incomplete_files: int
    codes: int
    events: int
    sessions: int = 0


@retry_transient
def recover_expired_claims() -> int:
    """Open the jobs of readers that died, and wake readers if any job waits; return the number of claims."""
    recovered = job_queue.release_expired_claims()
    if waiting := job_queue.count_open():
        notify.notify_jobs_available(waiting)
    return recovered


def remove_orphan_files(*, grace_seconds: float = GRACE_SECONDS) -> tuple[int, int]:
    """Delete files that no upload refers to, and incomplete files, if they are older than `grace_seconds`.

    Does nothing if the storage belongs to another deployment: its files have no upload here.

    Returns:
        The numbers of deleted orphan files and incomplete files.
    """
    if not storage.claim_for_deployment(EventLogReader().epoch()):
        log.error("The storage belongs to another deployment. Give each its own directory or prefix.")
        return 0, 0
    orphans = 0
    stored = storage.stored_ids(older_than_seconds=grace_seconds)
    while batch := list(itertools.islice(stored, ORPHAN_BATCH_SIZE)):
        for upload_id in _unreferenced(batch):
            storage.delete_all(upload_id)
            orphans += 1
            log.warning("Deleted a file without an upload: %s.", upload_id)
    return orphans, storage.clear_staging(older_than_seconds=grace_seconds)


def run_all(*, grace_seconds: float = GRACE_SECONDS) -> MaintenanceReport:
    """Run every task. Files come last, since the storage may not answer."""
    jobs = recover_expired_claims()
    disk_reserve.fill()
    codes = sign_in_codes.remove_expired()
    events = event_log.remove_expired()
    expired_sessions = sessions.remove_expired()
    api_keys.remove_revoked()
    event_log.count_missing()
    usage.count_missing()
    search_index.index_missing()
    readings.remove_orphans()
    idempotency.remove_expired()
    expiry.remove_expired()
    deliveries.remove_expired()
    resumable.remove_expired()
    orphaned, incomplete = remove_orphan_files(grace_seconds=grace_seconds)
    return MaintenanceReport(jobs, orphaned, incomplete, codes, events, expired_sessions)


def recover_claims_until(stopping: threading.Event) -> None:
    """Recover claims until `stopping` is set, on a thread of a worker.

    Jobs are thereby read even if the broker loses a call and no server runs.
    """
    while not stopping.wait(MAINTENANCE_INTERVAL_SECONDS):
        try:
            close_old_connections()
            recover_expired_claims()
        except DatabaseUnavailable as error:
            log.warning("Maintenance is postponed: %s", error)
        except Exception:
            log.exception("Maintenance failed.")


async def maintenance_loop() -> None:
    """Recover claims every few seconds and run everything every few minutes; continue after failures."""
    rounds_per_full_run = FULL_RUN_INTERVAL_SECONDS // MAINTENANCE_INTERVAL_SECONDS
    for number in itertools.count(1):
        await asyncio.sleep(MAINTENANCE_INTERVAL_SECONDS)
        task = run_all if number % rounds_per_full_run == 0 else recover_expired_claims
        try:
            await executor.run_in_db_thread(task)
        except DatabaseUnavailable as error:
            log.warning("Maintenance is postponed: %s", error)
        except Exception:
            log.exception("Maintenance failed.")


@retry_transient
def _unreferenced(names: list[str]) -> list[str]:
    """Return the names that are ids without an upload; never other names, such as `lost+found`."""
    ids = {}
    for name in names:
        with suppress(ValueError):
            ids[UUID(name)] = name
    known = set(Upload.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [name for key, name in ids.items() if key not in known]
