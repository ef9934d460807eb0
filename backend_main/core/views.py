"""Step 3 — the HTTP door: whether this server is alive and ready, and what it says where it has nothing."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from . import orm, readers, storage
from .live import hub


async def healthz(_request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return JsonResponse({"status": "ok"})


async def readyz(_request: HttpRequest) -> HttpResponse:
    """Uploads are accepted and will be read; 503 with the reasons when not. Degraded: slowly."""
    reasons = await orm.run(_reasons)
    if reasons:
        return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    if problem := hub.bell.problem:
        return JsonResponse({"status": "degraded", "reasons": [problem]})
    return JsonResponse({"status": "ok"})


async def page_is_missing(_request: HttpRequest) -> HttpResponse:
    """`/` comes here in a checkout whose web page was never built: a wheel has it."""
    return _text(503, "The web page is not built here: run `make web`, then start the server again.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refusal(request, 400, "The request is malformed, or its Host is none of this server's.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refusal(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _refusal(request, 500, "The server failed; its log says why.")


def _refusal(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """JSON where programs ask, a line of text for people."""
    if request.path.startswith("/api/"):
        return JsonResponse({"error": {"detail": sentence}}, status=status)
    return _text(status, sentence)


def _text(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")


def _reasons() -> list[str]:
    reasons = []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            reasons.append("the database is not migrated")
    except Exception:
        reasons.append("the database does not answer")
    if not storage.writable():
        reasons.append("the storage cannot be written")
    if not readers.any_warm():
        reasons.append("no reader is warm yet")
    return reasons
