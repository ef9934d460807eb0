"""What crashes and time leave behind: expired claims, codes, events; files without a row, or half-written.

In every `serve` each few seconds, and by `scanrill sweep`; a worker looks after the claims alone.
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
from .auth import sign_in_codes
from .db import executor
from .db.retry import retry_transient
from .errors import DatabaseUnavailable
from .jobs import notify
from .jobs import queue as job_queue
from .live.replay import EventLogReader
from .models import Upload

log = logging.getLogger(__name__)

MAINTENANCE_INTERVAL_SECONDS = 5
# A file comes before its row: one younger than this may be an upload that is just coming in.
GRACE_SECONDS = 3_600
ORPHAN_FILES_INTERVAL_SECONDS = 600
BATCH_FILES = 500


class MaintenanceReport(NamedTuple):
    """How many of each were found."""

    jobs: int
    orphaned_files: int
    incomplete_files: int
    codes: int
    events: int


@retry_transient
def recover_expired_claims() -> int:
    """Opens the jobs of readers that died, and wakes the readers where any job waits."""
    found = job_queue.release_expired_claims()
    if waiting := job_queue.count_open():
        notify.notify_jobs_available(waiting)
    return found


def remove_orphan_files(*, grace_seconds: float = GRACE_SECONDS) -> tuple[int, int]:
    """Removes files that no upload refers to, and what was never finished; both older than the grace.

    Two deployments that are told the same place by mistake would remove each other's files.
    """
    if not storage.claim_for_deployment(EventLogReader().epoch()):
        log.error("where files are stored is another deployment's: give each its own directory or prefix")
        return 0, 0
    orphans, stored = 0, storage.stored_ids(older_than_seconds=grace_seconds)
    while batch := list(itertools.islice(stored, BATCH_FILES)):
        for upload_id in _unreferenced(batch):
            storage.delete_all(upload_id)
            orphans += 1
            log.warning("removed a file without an upload: %s", upload_id)
    return orphans, storage.clear_staging(older_than_seconds=grace_seconds)


def run_all(*, grace_seconds: float = GRACE_SECONDS) -> MaintenanceReport:
    """Files last: where they are kept may not answer."""
    expired, old_codes, old_events = (
        recover_expired_claims(),
        sign_in_codes.remove_expired(),
        event_log.remove_expired(),
    )
    orphans, incoming = remove_orphan_files(grace_seconds=grace_seconds)
    return MaintenanceReport(expired, orphans, incoming, old_codes, old_events)


def recover_claims_until(stopping: threading.Event) -> None:
    """On a thread of a worker: what a broker lost is read all the same, also while no server runs."""
    while not stopping.wait(MAINTENANCE_INTERVAL_SECONDS):
        try:
            close_old_connections()
            recover_expired_claims()
        except DatabaseUnavailable as error:
            log.warning("sweeping waits: %s", error)
        except Exception:
            log.exception("sweeping failed")


async def maintenance_loop() -> None:
    """Claims every few seconds, the rest every few minutes; what fails is tried again at its next time."""
    turn = 0
    while True:
        await asyncio.sleep(MAINTENANCE_INTERVAL_SECONDS)
        turn += 1
        work = (
            run_all
            if turn % (ORPHAN_FILES_INTERVAL_SECONDS // MAINTENANCE_INTERVAL_SECONDS) == 0
            else recover_expired_claims
        )
        try:
            await executor.run_in_db_thread(work)
        except DatabaseUnavailable as error:
            log.warning("sweeping waits: %s", error)
        except Exception:
            log.exception("sweeping failed")


@retry_transient
def _unreferenced(names: list[str]) -> list[str]:
    """Those that no upload has. Other names are not scanrill's to remove: `lost+found`, a person's notes."""
    ids = {}
    for name in names:
        with suppress(ValueError):
            ids[UUID(name)] = name
    known = set(Upload.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [name for key, name in ids.items() if key not in known]
