"""Health of the server: `/healthz`, `/readyz`, and the checks behind them.

Load balancers request them every few seconds, so each check is cheap. A result that cannot change while the
process lives is cached.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from .. import storage
from ..conf import conf
from ..db import executor
from ..db.migrations_state import migrations_state
from ..jobs import notify, reader_pool
from ..jobs import queue as job_queue
from ..live.hub import hub

# A free reader claims a waiting job at once, and a busy one yields after its page.
JOB_WAIT_WARNING_SECONDS = 120

# A worker sends a heartbeat every ten seconds.
WORKER_HEARTBEAT_TIMEOUT_SECONDS = 45

_migrated = False


async def healthz(_request: HttpRequest) -> HttpResponse:
    """Report that the process is alive."""
    return JsonResponse({"status": "ok"})


async def readyz(_request: HttpRequest) -> HttpResponse:
    """Report whether the server accepts uploads and has them read.

    503 with the reasons if it does not; `degraded` with the reasons if events or readings are late.
    """
    if reasons := await executor.run_in_db_thread(readiness_failures):
        return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    if reasons := await executor.run_in_db_thread(degradations):
        return JsonResponse({"status": "degraded", "reasons": reasons})
    return JsonResponse({"status": "ok"})


def readiness_failures() -> list[str]:
    """Return the reasons why the server cannot accept uploads, or why its own readers cannot read them."""
    reasons = []
    try:
        if not _is_migrated():
            reasons.append("the database is not migrated")
    except Exception:
        reasons.append("the database does not answer")
    if not storage.is_writable():
        reasons.append("the storage cannot be written")
    if not reader_pool.is_any_ready():
        reasons.append("no reader is ready")
    return reasons


def degradations() -> list[str]:
    """Return the reasons why events or readings are late on a server that accepts uploads."""
    reasons = [reason for reason in (hub.pubsub.degraded_reason, notify.degraded_reason()) if reason]
    if (
        conf.broker
        and not conf.runs_readers
        and notify.seconds_since_worker_heartbeat() > WORKER_HEARTBEAT_TIMEOUT_SECONDS
    ):
        reasons.append(f"no worker heartbeat for {WORKER_HEARTBEAT_TIMEOUT_SECONDS} s")
    if job_queue.has_stalled_jobs(dt.timedelta(seconds=JOB_WAIT_WARNING_SECONDS)):
        reasons.append(f"jobs have waited more than {JOB_WAIT_WARNING_SECONDS} s and no reader is active")
    return reasons


def _is_migrated() -> bool:
    """Return whether all migrations are applied; once true, the result is cached.

    Raises an exception if the database does not answer.
    """
    global _migrated
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    _migrated = _migrated or migrations_state().is_current
    return _migrated
