"""HTTP requests with a token; failures are raised as errors of this package."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import httpx
import msgspec

from .backoff import Backoff
from .errors import (
    CertificateError,
    ConnectionLost,
    NotFound,
    NotReady,
    RequestError,
    ScanrillError,
    ServerUnreachable,
    Unauthenticated,
)
from .messages import Json
from .server_url import ServerURL
from .tokens import TokenManager, TokenSource

# A read is repeated twice: over a restart of a proxy, not over that of a server.
MAX_READ_ATTEMPTS = 3
# With these the request was not sent: it changed nothing.
_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


PROBLEM = "application/problem+json"


class _Problem(msgspec.Struct):
    """Body of an error (RFC 9457)."""

    detail: str
    code: str
    retryable: bool = False
    errors: dict[str, str] = {}


class HttpClient:
    """Connection pool to one server, for one user."""

    def __init__(
        self,
        server_url: ServerURL,
        source: TokenSource,
        *,
        client: httpx.AsyncClient,
        is_own: bool,
        new_backoff: Callable[[], Backoff],
    ) -> None:
        if not isinstance(client, httpx.AsyncClient):
            raise TypeError(
                f"http_client is of type {type(client).__name__}. "
                "Pass an httpx.AsyncClient, also to the class Client."
            )
        self._base_url = server_url.http
        self._client = client
        self._is_own = is_own
        self._new_backoff = new_backoff
        self._has_responded = False
        self.tokens = TokenManager(source, self._post)

    async def close(self) -> None:
        """Close all connections, unless the pool is the caller's."""
        if self._is_own:
            await self._client.aclose()

    async def call(self, method: str, path: str, **request: Any) -> bytes:
        """Send a request and return the body of the response. The arguments are those of `stream`.

        A `GET` without a response is sent again, unless the server has never responded.
        """
        backoff = self._new_backoff()
        while True:
            try:
                async with self.stream(method, path, **request) as response:
                    return await response.aread()
            except ServerUnreachable:
                is_last = backoff.attempts + 1 >= MAX_READ_ATTEMPTS
                if method != "GET" or is_last or not self._has_responded:
                    raise
            await asyncio.sleep(backoff.next_seconds())

    @asynccontextmanager
    async def stream(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx.Response]:
        """Send a request and yield the response before its body is read.

        If the server rejects the token, the request is sent once more with a new one.

        Args:
            method: The HTTP method.
            path: The path below the server URL.
            request: `headers`; `body`, a function that returns a new generator of the content; and
                arguments of `httpx.AsyncClient.build_request`.

        Raises:
            RequestError: The server rejected the request.
            Unauthenticated: The server rejected the new token too, or there is none.
            ServerUnreachable: The server does not respond, and nothing was changed.
            ConnectionLost: The connection, or that of a reverse proxy, broke before the response to a change.
        """
        changes_nothing = method == "GET"
        with _translate_errors(changes_nothing=changes_nothing):
            token = await self.tokens.token()
            response = await self._send(token, method, path, **request)
            if response.status_code == 401:
                await response.aclose()
                token = await self.tokens.token(rejected=token)
                response = await self._send(token, method, path, **request)
            self._has_responded = True
            async with aclosing(response):
                if _is_error(response):
                    body = await response.aread()
                    raise error_from_response(response.status_code, body, changes_nothing=changes_nothing)
                yield response

    async def _send(
        self,
        token: str,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: Callable[[], AsyncGenerator[bytes]] | None = None,
        **request: Any,
    ) -> httpx.Response:
        url = self._base_url + path
        headers = (headers or {}) | {"Authorization": f"Bearer {token}"}
        if body is None:
            built = self._client.build_request(method, url, headers=headers, **request)
            return await self._client.send(built, stream=True, follow_redirects=False)
        async with aclosing(body()) as chunks:
            built = self._client.build_request(method, url, headers=headers, content=chunks, **request)
            return await self._client.send(built, stream=True, follow_redirects=False)

    async def _post(self, path: str, body: Json) -> Json:
        """Post JSON without a token, as the requests that return a token need it; they can be repeated."""
        with _translate_errors(changes_nothing=True):
            response = await self._client.post(self._base_url + path, json=body, follow_redirects=False)
        if not response.is_success:
            raise error_from_response(
                response.status_code, response.content, changes_nothing=True, is_sign_in=True
            )
        answer: Json = msgspec.json.decode(response.content)
        return answer


@contextmanager
def _translate_errors(*, changes_nothing: bool) -> Iterator[None]:
    """Raise transport errors of httpx as errors of this package."""
    try:
        yield
    except httpx.TransportError as error:
        if (certificate := certificate_error(error)) is not None:
            raise CertificateError(certificate) from error
        raise _no_response(changed_nothing=changes_nothing or isinstance(error, _NOT_SENT_ERRORS)) from error


def new_http_client(timeout_seconds: float, tls: ssl.SSLContext | None) -> httpx.AsyncClient:
    """Return a connection pool. It follows no redirects: the token goes to this server only."""
    return httpx.AsyncClient(timeout=timeout_seconds, verify=True if tls is None else tls)


def certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the certificate error that caused an error, or None."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _is_error(response: httpx.Response) -> bool:
    """Return whether a response is an error. That with status 202 says that something is not ready."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    return not response.is_success or media_type == PROBLEM


def error_from_response(
    status: int, body: bytes, *, changes_nothing: bool, is_sign_in: bool = False
) -> ScanrillError:
    """Return the error of a response that is not a success.

    A response of 502 and above without an error of scanrill is from a reverse proxy whose server did not
    respond. The proxy may have forwarded the request before, so the outcome of a change is unknown.

    Args:
        status: The HTTP status.
        body: The content of the response.
        changes_nothing: Whether the request can be repeated safely, as a `GET` can.
        is_sign_in: Whether the request has a password or refresh token, but no access token.
    """
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.MsgspecError:
        if status >= 502:
            return _no_response(changed_nothing=changes_nothing)
        problem = _Problem(f"The server responded with status {status}.", code="")
    if status == 401 and not is_sign_in:
        return Unauthenticated(problem.detail)
    fields = problem.errors or {"detail": problem.detail}
    kind = {202: NotReady, 404: NotFound}.get(status, RequestError)
    return kind(fields, status, code=problem.code, retryable=problem.retryable)


def _no_response(*, changed_nothing: bool) -> ServerUnreachable | ConnectionLost:
    return ServerUnreachable() if changed_nothing else ConnectionLost()
