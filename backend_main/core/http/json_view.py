"""Base of asynchronous views with small JSON bodies."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views import View

from ..errors import RequestError, ScanrillError
from ..protocol import parsing
from .problems import error_response


class JSONView(View):
    """View whose handlers may raise any `ScanrillError`; it becomes `problem+json`.

    max_body_bytes: `request_gate` refuses larger bodies.
    """

    max_body_bytes: ClassVar[int] = 16 * 1024

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override] # the stub knows synchronous views only
        try:
            # `route_checks` has checked that the view has the method.
            handler = getattr(self, cast("str", request.method).lower())
            return await handler(request, *args, **kwargs)  # type: ignore[no-any-return]
        except ScanrillError as error:
            return error_response(error)


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
