"""Views of HTTP errors, and of a web page that is not built."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse


async def web_page_not_built(_request: HttpRequest) -> HttpResponse:
    """Serve `/` in a checkout without a built web page; a wheel always has one."""
    return _text(503, "The web page is not built. Run `make web`, then restart the server.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 400, "Malformed request, or a Host that SCANRILL_ALLOWED_HOSTS lacks.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 404, "Not found.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_response(request, 500, "Internal server error. See the server log.")


def _error_response(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """Return JSON below `/api/`, a line of text elsewhere."""
    if request.path.startswith("/api/"):
        return JsonResponse({"error": {"detail": message}}, status=status)
    return _text(status, message)


def _text(status: int, message: str) -> HttpResponse:
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8")
