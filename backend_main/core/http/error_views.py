"""Step 3 — the HTTP door: whether this server is alive and ready, and what it says where it has nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from ..db import executor
from . import health


async def healthz(_request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return JsonResponse({"status": "ok"})


async def readyz(_request: HttpRequest) -> HttpResponse:
    """Uploads are accepted and will be read; 503 with the reasons when not. Degraded: slowly."""
    if reasons := await executor.run_in_db_thread(health.readiness_failures):
        return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    if reasons := await executor.run_in_db_thread(health.degradations):
        return JsonResponse({"status": "degraded", "reasons": reasons})
    return JsonResponse({"status": "ok"})


async def web_page_not_built(_request: HttpRequest) -> HttpResponse:
    """`/` comes here in a checkout whose web page was never built: a wheel has it."""
    return _text(503, "The web page is not built here: run `make web`, then start the server again.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 400, "The request is malformed, or its Host is none of this server's.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_response(request, 500, "The server failed; its log says why.")


def _error_response(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """JSON where programs ask, a line of text for people."""
    if request.path.startswith("/api/"):
        return JsonResponse({"error": {"detail": sentence}}, status=status)
    return _text(status, sentence)


def _text(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
