"""Views of HTTP errors, and of a web page that is not built."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..errors import ScanrillError
from .http_errors import INTERNAL_ERROR_MESSAGE, MalformedRequest, PathNotFound
from .problems import error_response


async def web_page_not_built(_request: HttpRequest) -> HttpResponse:
    """Serve `/` in a checkout without a built web page; a wheel always has one."""
    return _text(503, "The web page is not built. Run `make web`, then restart the server.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    message = "Malformed request, or a Host that SCANRILL_ALLOWED_HOSTS lacks."
    return _error_response(request, MalformedRequest(message))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, PathNotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_response(request, ScanrillError(INTERNAL_ERROR_MESSAGE))


def _error_response(request: HttpRequest, error: ScanrillError) -> HttpResponse:
    """Return JSON below `/api/`, a line of text elsewhere."""
    if request.path.startswith("/api/"):
        return error_response(error)
    return _text(error.http_status, error.fields["detail"])


def _text(status: int, message: str) -> HttpResponse:
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8")
