"""ASGI middleware that checks each HTTP request before anything reads its body.

The Host must be allowed. The body has a limit of time, and a limit of bytes that its route declares: 64 KiB,
or `max_body_bytes` of the view. A larger body also needs a valid token, because Django writes it to a file
before any view asks for a token. A body without `Content-Length` gets one here, for REST framework ignores
the body of a request without it.
"""

from __future__ import annotations

from django.urls import Resolver404, resolve

from ..auth import authentication, origin
from ..db import executor
from ..errors import BodyTooLarge, LengthRequired, RequestTimeout, ScanrillError
from .request_body import ClientDisconnected, LimitedBody, WholeBodies, receive_nothing, replay
from .responses import send_error
from .stream_routes import StreamRoutes
from .types import Application, Receive, Scope, Send

DEFAULT_MAX_BODY_BYTES = 64 * 1024
# They take at most 64 MiB of memory.
MAX_UNFINISHED_BODIES = 1024
_BODY_HEADERS = (b"content-length", b"transfer-encoding")


def request_gate_middleware(application: Application, stream_routes: StreamRoutes) -> Application:
    """Wrap an application: it gets requests with an allowed Host and a limited body only.

    The handlers of `stream_routes` limit the bytes of their bodies themselves.
    """
    whole_bodies = WholeBodies(MAX_UNFINISHED_BODIES)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        limited_body = LimitedBody(receive)
        try:
            origin.check_host(scope)
            if stream_routes.receives_body(scope):
                body: Receive = limited_body
            else:
                body = await _check_body(scope, receive, limited_body, whole_bodies)
            await application(scope, body, send)
        except ClientDisconnected:
            return
        except RequestTimeout as error:
            await send_error(scope, receive_nothing, send, error)
        except ScanrillError as error:
            await send_error(scope, receive, send, error)
        finally:
            limited_body.close()

    return app


def max_body_bytes(path: str) -> int:
    """Return the limit that the view of this path declares."""
    try:
        view = resolve(path).func
    except Resolver404:
        return DEFAULT_MAX_BODY_BYTES
    limit: int = getattr(getattr(view, "view_class", view), "max_body_bytes", DEFAULT_MAX_BODY_BYTES)
    return limit


async def _check_body(
    scope: Scope, receive: Receive, limited_body: LimitedBody, whole_bodies: WholeBodies
) -> Receive:
    """Check the length of the body, receive it if it is small, and return a `receive` for the application."""
    headers = {name: value for name, value in scope["headers"] if name in _BODY_HEADERS}
    length = int(headers.get(b"content-length", b"0"))
    if not (length or b"transfer-encoding" in headers):
        return receive
    limit = max_body_bytes(scope["path"])
    if length > limit:
        raise BodyTooLarge(limit)
    if length > DEFAULT_MAX_BODY_BYTES:
        await executor.run_in_db_thread(authentication.authenticate_request, scope)
        return limited_body
    try:
        body = await whole_bodies.receive(limited_body, min(limit, DEFAULT_MAX_BODY_BYTES))
    except BodyTooLarge:
        if limit > DEFAULT_MAX_BODY_BYTES:
            raise LengthRequired(DEFAULT_MAX_BODY_BYTES) from None
        raise
    _set_length(scope, len(body))
    return replay(body, receive)


def _set_length(scope: Scope, length: int) -> None:
    others = [(name, value) for name, value in scope["headers"] if name not in _BODY_HEADERS]
    scope["headers"] = [*others, (b"content-length", str(length).encode())]
