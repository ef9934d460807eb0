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

from . import codes, dispatch, events, jobs, orm, storage
from .again import again
from .errors import Unavailable
from .models import Upload
from .replay import Log

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5
# A file comes before its row: one younger than this may be an upload that is just coming in.
GRACE_SECONDS = 3_600
FILES_EVERY_SECONDS = 600
BATCH_FILES = 500


class Swept(NamedTuple):
    """How many of each were found."""

    claims: int
    files: int
    incoming: int
    codes: int
    events: int


@again
def claims() -> int:
    """Opens the jobs of readers that died, and wakes the readers where any job waits."""
    found = jobs.void_expired()
    if waiting := jobs.open_jobs():
        dispatch.there_is_work(waiting)
    return found


def files(*, grace_seconds: float = GRACE_SECONDS) -> tuple[int, int]:
    """Removes files that no upload refers to, and what was never finished; both older than the grace.

    Two deployments that are told the same place by mistake would remove each other's files.
    """
    if not storage.belongs_to(Log().epoch()):
        log.error("where files are stored is another deployment's: give each its own directory or prefix")
        return 0, 0
    orphans, stored = 0, storage.stored_ids(older_than_seconds=grace_seconds)
    while batch := list(itertools.islice(stored, BATCH_FILES)):
        for upload_id in _unknown(batch):
            storage.delete_all(upload_id)
            orphans += 1
            log.warning("removed a file without an upload: %s", upload_id)
    return orphans, storage.clear_incoming(older_than_seconds=grace_seconds)


def everything(*, grace_seconds: float = GRACE_SECONDS) -> Swept:
    """Files last: where they are kept may not answer."""
    expired, old_codes, old_events = claims(), codes.remove_expired(), events.remove_expired()
    orphans, incoming = files(grace_seconds=grace_seconds)
    return Swept(expired, orphans, incoming, old_codes, old_events)


def claims_until(stopping: threading.Event) -> None:
    """On a thread of a worker: what a broker lost is read all the same, also while no server runs."""
    while not stopping.wait(SWEEP_SECONDS):
        try:
            close_old_connections()
            claims()
        except Unavailable as error:
            log.warning("sweeping waits: %s", error)
        except Exception:
            log.exception("sweeping failed")


async def forever() -> None:
    """Claims every few seconds, the rest every few minutes; what fails is tried again at its next time."""
    turn = 0
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        turn += 1
        work = everything if turn % (FILES_EVERY_SECONDS // SWEEP_SECONDS) == 0 else claims
        try:
            await orm.run(work)
        except Unavailable as error:
            log.warning("sweeping waits: %s", error)
        except Exception:
            log.exception("sweeping failed")


@again
def _unknown(names: list[str]) -> list[str]:
    """Those that no upload has. Other names are not scanrill's to remove: `lost+found`, a person's notes."""
    ids = {}
    for name in names:
        with suppress(ValueError):
            ids[UUID(name)] = name
    known = set(Upload.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [name for key, name in ids.items() if key not in known]
