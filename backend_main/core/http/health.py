"""Health of the server: `/healthz`, `/readyz`, and the checks behind them.

Load balancers request them every few seconds, so each check is cheap. A result that cannot change while the
process lives is cached.
"""

from __future__ import annotations

import datetime as dt

from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from .. import storage
from ..conf import conf
from ..db import executor
from ..db.failures import Failure, failure_of
from ..db.migrations_state import migrations_state
from ..db.settings import check_write_lock
from ..jobs import queue as job_queue
from ..runtime import Runtime, runtime_of
from ..storage import disk_space

# A free reader claims a waiting job at once, and a busy one yields after its page.
JOB_WAIT_WARNING_SECONDS = 120

# A transaction of scanrill holds the lock for milliseconds.
WRITE_LOCK_TIMEOUT_SECONDS = 1.0

# A worker sends a heartbeat every ten seconds.
WORKER_HEARTBEAT_TIMEOUT_SECONDS = 45


async def healthz(_request: HttpRequest) -> HttpResponse:
    """Report that the process is alive."""
    return JsonResponse({"status": "ok"})


async def readyz(request: ASGIRequest) -> HttpResponse:
    """Report whether the server accepts uploads and has them read.

    503 with the reasons if it does not; `degraded` with the reasons if the disk is full, or if events or
    readings are late.
    """
    runtime = runtime_of(request.scope)
    if reasons := await executor.run_in_db_thread(readiness_failures, runtime):
        return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    if reasons := await executor.run_in_db_thread(degradations, runtime):
        return JsonResponse({"status": "degraded", "reasons": reasons})
    return JsonResponse({"status": "ok"})


def readiness_failures(runtime: Runtime) -> list[str]:
    """Return the reasons why the server cannot accept uploads, or why its own readers cannot read them."""
    reasons = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        reasons += database_write_failures()
        runtime.is_migrated = runtime.is_migrated or migrations_state().is_current
        if not runtime.is_migrated:
            reasons.append("the database is not migrated")
    except Exception:
        reasons.append("the database does not answer")
    if not storage.is_writable():
        reasons.append("the storage cannot be written")
    if not runtime.readers.is_any_ready:
        reasons.append("no reader is ready")
    return reasons


def database_write_failures() -> list[str]:
    """Return the reason why SQLite cannot be written, if there is one."""
    try:
        check_write_lock(WRITE_LOCK_TIMEOUT_SECONDS)
    except DatabaseError as error:
        is_locked = failure_of(error) is Failure.WAITED
        return [f"the database {'is locked' if is_locked else 'cannot be written'}"]
    return []


def degradations(runtime: Runtime) -> list[str]:
    """Return the reasons why a server that answers refuses uploads, or why events or readings are late.

    A full disk is among them: only users of a server in service can delete uploads.
    """
    notifier, channel = runtime.worker_notifier, runtime.workers_channel
    found = (runtime.hub.pubsub.degraded_reason, notifier and notifier.degraded_reason)
    reasons = [reason for reason in found if reason]
    if (
        channel is not None
        and not conf.runs_readers
        and channel.seconds_since_heartbeat > WORKER_HEARTBEAT_TIMEOUT_SECONDS
    ):
        reasons.append(f"no worker heartbeat for {WORKER_HEARTBEAT_TIMEOUT_SECONDS} s")
    if job_queue.has_stalled_jobs(dt.timedelta(seconds=JOB_WAIT_WARNING_SECONDS)):
        reasons.append(f"jobs have waited more than {JOB_WAIT_WARNING_SECONDS} s and no reader is active")
    if disk_space.is_full():
        reasons.append("the disk is full: uploads are refused")
    return reasons
