"""HTTP requests with a token; failures are raised as errors of this package."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import httpx
import msgspec

from .errors import ConnectionLost, NotFound, RequestError, ScanrillError, ServerUnreachable, Unauthenticated
from .messages import Json
from .server_url import ServerURL
from .tokens import TokenManager, TokenSource

# With these the request was not sent: it changed nothing.
_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class _ErrorBody(msgspec.Struct):
    error: dict[str, str]


class HttpClient:
    """Connection pool to one server, for one user."""

    def __init__(self, server_url: ServerURL, source: TokenSource, *, timeout_seconds: float) -> None:
        # httpx follows no redirects by default: the token goes to this server only.
        self._client = httpx.AsyncClient(base_url=server_url.http, timeout=timeout_seconds)
        self.tokens = TokenManager(source, self._post)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def call(self, method: str, path: str, **request: Any) -> bytes:
        """Send a request and return the body of the response. The arguments are those of `stream`."""
        async with self.stream(method, path, **request) as response:
            return await response.aread()

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
            ConnectionLost: The connection broke before the response to a change.
        """
        with _translate_errors(method):
            token = await self.tokens.token()
            response = await self._send(token, method, path, **request)
            if response.status_code == 401:
                await response.aclose()
                token = await self.tokens.token(rejected=token)
                response = await self._send(token, method, path, **request)
            async with aclosing(response):
                if not response.is_success:
                    raise error_from_response(response.status_code, await response.aread())
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
        headers = (headers or {}) | {"Authorization": f"Bearer {token}"}
        if body is None:
            built = self._client.build_request(method, path, headers=headers, **request)
            return await self._client.send(built, stream=True)
        async with aclosing(body()) as chunks:
            built = self._client.build_request(method, path, headers=headers, content=chunks, **request)
            return await self._client.send(built, stream=True)

    async def _post(self, path: str, body: Json) -> Json:
        """Post JSON without a token, as the requests that return a token need it."""
        with _translate_errors("POST"):
            response = await self._client.post(path, json=body)
        if not response.is_success:
            raise error_from_response(response.status_code, response.content, is_sign_in=True)
        answer: Json = msgspec.json.decode(response.content)
        return answer


@contextmanager
def _translate_errors(method: str) -> Iterator[None]:
    """Raise transport errors of httpx as errors of this package. A GET request changes nothing."""
    try:
        yield
    except httpx.TransportError as error:
        changed_nothing = isinstance(error, _NOT_SENT_ERRORS) or method == "GET"
        raise (ServerUnreachable() if changed_nothing else ConnectionLost()) from error


def error_from_response(status: int, body: bytes, *, is_sign_in: bool = False) -> ScanrillError:
    """Return the error of a response that is not a success.

    A response of 502 and above without an error of scanrill is from a reverse proxy whose server is down.
    """
    try:
        fields = msgspec.json.decode(body, type=_ErrorBody).error
    except msgspec.MsgspecError:
        if status >= 502:
            return ServerUnreachable()
        fields = {"detail": f"The server responded with status {status}."}
    if status == 401 and not is_sign_in:
        return Unauthenticated(" ".join(fields.values()))
    return (NotFound if status == 404 else RequestError)(fields, status)
