"""Where access tokens come from: given, asked of a program, or of the server by password or refresh token.

No token and no password is in a `repr`, an error or a log line.
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
"""Posts JSON to a path of the server, and gives its answer."""

# A token with less left than this is renewed before it is used.
MIN_LEFT_SECONDS = 60.0


class TokenSource(ABC):
    """`fetch` gives a token that was not given before, or raises `Unauthenticated`."""

    @abstractmethod
    async def fetch(self, post: Post) -> str: ...

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class StaticToken(TokenSource):
    """One token; when it is over, a new client is needed."""

    def __init__(self, token: str) -> None:
        self._token: str | None = token

    async def fetch(self, post: Post) -> str:
        token, self._token = self._token, None
        if token is None:
            raise Unauthenticated("The token is invalid or expired.")
        return token


class CallableToken(TokenSource):
    """A function of the program's own, async or not, that gives a fresh token each time."""

    def __init__(self, give: Callable[[], str | Awaitable[str]]) -> None:
        self._give = give

    async def fetch(self, post: Post) -> str:
        given = self._give()
        return await given if inspect.isawaitable(given) else given


class RefreshToken(TokenSource):
    """A refresh token of the server's `POST /api/token/`."""

    def __init__(self, refresh: str) -> None:
        self._refresh = refresh

    async def fetch(self, post: Post) -> str:
        return str((await _signed_in(post, "/api/token/refresh/", {"refresh": self._refresh}))["access"])


class Password(TokenSource):
    """A user's name and password. The server is asked for tokens by them once, and when they ran out."""

    def __init__(self, username: str, password: str) -> None:
        self._who: Json = {"username": username, "password": password}
        self._refresh: RefreshToken | None = None

    async def fetch(self, post: Post) -> str:
        if self._refresh is not None:
            try:
                return await self._refresh.fetch(post)
            except Unauthenticated:
                self._refresh = None
        tokens = await _signed_in(post, "/api/token/", self._who)
        self._refresh = RefreshToken(str(tokens["refresh"]))
        return str(tokens["access"])


async def _signed_in(post: Post, path: str, body: Json) -> Json:
    try:
        return await post(path, body)
    except RequestError as error:
        if error.status not in (400, 401):
            raise  # too many tries, say: the same may go through later
        raise Unauthenticated(str(error)) from None


def as_token_source(token: str | TokenSource | Callable[[], str | Awaitable[str]]) -> TokenSource:
    """What a user may give for a token, as a source."""
    if isinstance(token, TokenSource):
        return token
    return StaticToken(token) if isinstance(token, str) else CallableToken(token)


class TokenManager:
    """The present access token. Many may ask at once; the source is asked once."""

    def __init__(self, source: TokenSource, post: Post) -> None:
        self._source, self._post = source, post
        self._access: str | None = None
        self._renewing = asyncio.Lock()

    async def token(self, *, rejected: str | None = None) -> str:
        """One that should be valid, and is not the one that the server has just rejected."""
        async with self._renewing:
            access = self._access
            if access is None or access == rejected or self._is_worth_renewing(access):
                access = self._access = _checked(await self._source.fetch(self._post))
            return access

    def _is_worth_renewing(self, access: str) -> bool:
        return not isinstance(self._source, StaticToken) and seconds_until_expiry(access) < MIN_LEFT_SECONDS

    def __repr__(self) -> str:
        return f"TokenManager({self._source!r})"


def _checked(token: str) -> str:
    """What cannot stand in a header is no token; a line break in it would begin another header."""
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise Unauthenticated("This is no token.")
    return token


def seconds_until_expiry(token: str) -> float:
    """Of a JWT. One that does not say counts as valid: the server will tell."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) - time.time()
    except (ValueError, LookupError, TypeError):
        return float("inf")
