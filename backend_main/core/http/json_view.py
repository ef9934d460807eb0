"""Base of asynchronous views with small JSON bodies."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views import View

from ..errors import RequestError, ScanrillError, SignInLimited
from ..protocol import parsing


class JSONView(View):
    """View whose handlers may raise any `ScanrillError`; it becomes {"error": {field: message}}.

    max_body_bytes: `request_gate` refuses larger bodies.
    """

    max_body_bytes: ClassVar[int] = 16 * 1024

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override] # the stub knows synchronous views only
        handler = getattr(self, request.method.lower(), None) if request.method else None
        if handler is None or request.method not in self.allowed_methods():
            message = f"The method {request.method} is not allowed here."
            return JsonResponse(
                {"error": {"detail": message}},
                status=405,
                headers={"Allow": ", ".join(self.allowed_methods())},
            )
        try:
            return await handler(request, *args, **kwargs)  # type: ignore[no-any-return]
        except ScanrillError as error:
            return error_response(error)

    def allowed_methods(self) -> list[str]:
        """Return the methods that the view has a handler for."""
        return [name.upper() for name in self.http_method_names if name != "options" and hasattr(self, name)]


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the object in the body; an empty one for an empty body.

    Raises:
        RequestError: the body is not an object in JSON.
    """
    body = request.body
    if not body:
        return {}
    if request.content_type != "application/json":
        raise RequestError({"message": "A JSON object is expected, as application/json."})
    try:
        return parsing.json_object(body.decode())
    except UnicodeDecodeError:
        raise RequestError({"message": "Not valid JSON: not UTF-8."}) from None


def asgi_request(request: HttpRequest) -> ASGIRequest:
    """Return the request with its ASGI scope; scanrill runs on ASGI only."""
    assert isinstance(request, ASGIRequest)
    return request


def error_response(error: ScanrillError) -> HttpResponse:
    """Return the response to an error: {"error": {field: message}}."""
    response = JsonResponse({"error": error.fields}, status=error.http_status)
    if error.http_status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(error, SignInLimited):
        response["Retry-After"] = str(error.retry_after_seconds)
    return response
