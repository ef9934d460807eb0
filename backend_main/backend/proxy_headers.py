"""ASGI middleware for requests that come through a trusted reverse proxy.

The settings name the proxies. Their `X-Forwarded-For` and `X-Forwarded-Proto` replace the address and the
scheme in the scope; `X-Forwarded-Prefix` is for `path_prefix`. Any other client could forge these headers, so
the server ignores them.

The module uses a private class of uvicorn, so pyproject.toml pins uvicorn below the next minor version.
"""

from __future__ import annotations

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware, _TrustedHosts

from backend_main.core.conf import conf
from backend_main.core.errors import RateLimited
from backend_main.core.http.client_address import client_address
from backend_main.core.http.path_prefix import with_forwarded_prefix
from backend_main.core.http.responses import send_error
from backend_main.core.http.types import Application, Receive, Scope, Send
from backend_main.core.protocol.subprotocol import answered_subprotocol

from .connection_limits import ConnectionLimits

_TRUSTED_PROXIES = _TrustedHosts(list(conf.trusted_proxies))
HTTPS_SCHEMES = {"http": "https", "websocket": "wss"}


def is_trusted_proxy(host: str) -> bool:
    """Return whether `SCANRILL_TRUSTED_PROXIES` has this address."""
    return host in _TRUSTED_PROXIES


def proxy_headers_middleware(application: Application, limits: ConnectionLimits) -> Application:
    """Wrap an application: the scope gets the address and the scheme of the client behind a trusted proxy.

    The connections of a proxy carry the requests of all clients. Each of its requests therefore counts as a
    connection of its client.
    """
    if conf.https_only:
        application = _https_only_middleware(application)
    proxied: Application = ProxyHeadersMiddleware(
        _limit_middleware(application, limits),
        list(conf.trusted_proxies),
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None and is_trusted_proxy(client[0]):
            await proxied(with_forwarded_prefix(scope), receive, send)
        else:
            await application(scope, receive, send)

    return app if conf.trusted_proxies else application


def _https_only_middleware(application: Application) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in HTTPS_SCHEMES:
            scope["scheme"] = HTTPS_SCHEMES[scope["type"]]
        await application(scope, receive, send)

    return app


def _limit_middleware(application: Application, limits: ConnectionLimits) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        address = client_address(scope)
        try:
            limits.enter(address)
        except RateLimited as error:
            limits.refusals.add(error)
            await _reject(scope, receive, send, error)
            return
        try:
            await application(scope, receive, send)
        finally:
            limits.leave(address)

    return app


async def _reject(scope: Scope, receive: Receive, send: Send, error: RateLimited) -> None:
    if scope["type"] == "http":
        await send_error(scope, receive, send, error)
        return
    await receive()  # websocket.connect
    await send({"type": "websocket.accept", "subprotocol": answered_subprotocol(scope)})
    await send({"type": "websocket.close", "code": error.close_code, "reason": str(error)})
