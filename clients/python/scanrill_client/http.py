"""One HTTP request; what is wrong with it comes as an error of this package's tree."""

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

# The request never left: nothing can have come of it.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class _ErrorBody(msgspec.Struct):
    error: dict[str, str]


class HttpClient:
    """A pool of connections to one server, in the name of one user."""

    def __init__(self, address: ServerURL, source: TokenSource, *, timeout_seconds: float) -> None:
        # No redirects, which is httpx's default: a token goes to this server and to no other.
        self._client = httpx.AsyncClient(base_url=address.http, timeout=timeout_seconds)
        self.session = TokenManager(source, self._post)

    async def close(self) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, **request: Any) -> bytes:
        """The body of the answer. `body` is a function that gives what is to be sent, anew each time."""
        async with self.stream(method, path, **request) as response:
            return await response.aread()

    @asynccontextmanager
    async def stream(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx.Response]:
        """An answer whose body is not read yet. A token that the server rejects is renewed once."""
        with _translated(method):
            token = await self.session.token()
            response = await self._send(token, method, path, **request)
            if response.status_code == 401:
                await response.aclose()
                token = await self.session.token(rejected=token)
                response = await self._send(token, method, path, **request)
            async with aclosing(response):
                if not response.is_success:
                    raise refusal(response.status_code, await response.aread())
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
        async with aclosing(body()) as pieces:
            built = self._client.build_request(method, path, headers=headers, content=pieces, **request)
            return await self._client.send(built, stream=True)

    async def _post(self, path: str, body: Json) -> Json:
        """Without a token: this is how one is got."""
        with _translated("POST"):
            response = await self._client.post(path, json=body)
        if not response.is_success:
            raise refusal(response.status_code, response.content, signing_in=True)
        answer: Json = msgspec.json.decode(response.content)
        return answer


@contextmanager
def _translated(method: str) -> Iterator[None]:
    """The library's errors as ours. Of a request that only reads, nothing can have come."""
    try:
        yield
    except httpx.TransportError as error:
        unsent = isinstance(error, _NEVER_SENT) or method == "GET"
        raise (ServerUnreachable() if unsent else ConnectionLost()) from error


def refusal(status: int, body: bytes, *, signing_in: bool = False) -> ScanrillError:
    """The error of an answer. A proxy before a server that is away answers with no error of ours."""
    try:
        fields = msgspec.json.decode(body, type=_ErrorBody).error
    except msgspec.MsgspecError:
        if status >= 502:
            return ServerUnreachable()
        fields = {"detail": f"The server answered with status {status}."}
    if status == 401 and not signing_in:
        return Unauthenticated(" ".join(fields.values()))
    return (NotFound if status == 404 else RequestError)(fields, status)
