"""Sources of access tokens: a fixed token, a function, a refresh token, or a user name and password.

No token and no password appears in a `repr`, an error or a log line.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from .errors import RequestError, Unauthenticated
from .messages import Json

Post = Callable[[str, Json], Awaitable[Json]]
"""Function that posts JSON to a path of the server, without a token, and returns the JSON response."""

# A token that expires sooner is renewed before it is used.
MIN_REMAINING_SECONDS = 60.0


class TokenSource(ABC):
    """Base class of token sources. A subclass implements `fetch`."""

    @abstractmethod
    async def fetch(self, post: Post) -> str:
        """Return a new access token.

        Raises:
            Unauthenticated: The source has no further token.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class StaticToken(TokenSource):
    """One token. When it expires, the program must create a new client."""

    def __init__(self, token: str) -> None:
        self._token: str | None = token

    async def fetch(self, post: Post) -> str:
        token, self._token = self._token, None
        if token is None:
            raise Unauthenticated("The token is invalid or expired. Create a client with a new token.")
        return token


class CallableToken(TokenSource):
    """A function, async or not, that returns a new token at each call."""

    def __init__(self, function: Callable[[], str | Awaitable[str]]) -> None:
        self._function = function

    async def fetch(self, post: Post) -> str:
        token = self._function()
        return await token if inspect.isawaitable(token) else token


class RefreshToken(TokenSource):
    """A refresh token from `POST /api/token/` of the server.

    The server replaces it at each use, and ends the session if an old one is used again. A program that
    starts again must therefore store the newest one.

    Args:
        refresh: The refresh token.
        on_replaced: Called with each new refresh token, for a program that stores it.
    """

    def __init__(self, refresh: str, on_replaced: Callable[[str], None] | None = None) -> None:
        self._refresh = refresh
        self._on_replaced = on_replaced

    async def fetch(self, post: Post) -> str:
        tokens = await _sign_in(post, "/api/token/refresh/", {"refresh": self._refresh})
        replacement = str(tokens.get("refresh", self._refresh))  # an older server does not replace it
        if replacement != self._refresh:
            self._refresh = replacement
            if self._on_replaced is not None:
                self._on_replaced(replacement)
        return str(tokens["access"])


class Password(TokenSource):
    """A user name and password. They are sent at first, and when the refresh token has expired."""

    def __init__(self, username: str, password: str) -> None:
        self._credentials: Json = {"username": username, "password": password}
        self._refresh: RefreshToken | None = None

    async def fetch(self, post: Post) -> str:
        if self._refresh is not None:
            try:
                return await self._refresh.fetch(post)
            except Unauthenticated:
                self._refresh = None
        tokens = await _sign_in(post, "/api/token/", self._credentials)
        self._refresh = RefreshToken(str(tokens["refresh"]))
        return str(tokens["access"])


async def _sign_in(post: Post, path: str, body: Json) -> Json:
    try:
        return await post(path, body)
    except RequestError as error:
        if error.status not in (400, 401):
            raise  # for example 429: the same request may succeed later
        raise Unauthenticated(str(error)) from None


def as_token_source(token: str | TokenSource | Callable[[], str | Awaitable[str]]) -> TokenSource:
    """Wrap a token or a function in a token source."""
    if isinstance(token, TokenSource):
        return token
    return StaticToken(token) if isinstance(token, str) else CallableToken(token)


class TokenManager:
    """The current access token. Concurrent requests share one fetch."""

    def __init__(self, source: TokenSource, post: Post) -> None:
        self._source = source
        self._post = post
        self._access: str | None = None
        self._lock = asyncio.Lock()

    async def token(self, *, rejected: str | None = None) -> str:
        """Return an access token; fetch a new one if the current one expires soon.

        Args:
            rejected: A token that the server has rejected; it is not returned.

        Raises:
            Unauthenticated: The source has no further token, or its token cannot stand in a header.
        """
        async with self._lock:
            access = self._access
            if access is None or access == rejected or self._expires_soon(access):
                access = await self._source.fetch(self._post)
                _check_header_value(access)
                self._access = access
            return access

    def _expires_soon(self, access: str) -> bool:
        if isinstance(self._source, StaticToken):
            return False
        return seconds_until_expiry(access) < MIN_REMAINING_SECONDS

    def __repr__(self) -> str:
        return f"TokenManager({self._source!r})"


def _check_header_value(token: str) -> None:
    """Reject a token that cannot stand in a header; a line break in it would begin another header."""
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise Unauthenticated("The token is empty or has invalid characters. Pass an access token.")


def seconds_until_expiry(token: str) -> float:
    """Return the seconds until a JWT expires; infinity if the token does not say."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) - time.time()
    except (ValueError, LookupError, TypeError):
        return float("inf")
