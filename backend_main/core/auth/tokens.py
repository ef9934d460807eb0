"""JSON Web Tokens: their rules, their keys and their types. The database is not consulted here.

Tokens come from simplejwt, so REST and WebSocket share one set of rules, and another service can sign them.
The algorithm is a setting; the token cannot choose it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken as BaseAccessToken
from rest_framework_simplejwt.tokens import RefreshToken as BaseRefreshToken
from rest_framework_simplejwt.tokens import Token

from ..conf import conf
from ..errors import ScanrillError, Unauthenticated
from .jwks import KeyCache

INVALID_TOKEN_MESSAGE = "The token is invalid or expired."  # noqa: S105 - a sentence
MAX_EPOCH_SECONDS = 253_402_300_799  # the end of the year 9999, the last that Python's calendar has
TIME_CLAIMS = ("exp", "iat", "nbf")


class StrictTokenBackend(TokenBackend):
    """Token backend that raises a `TokenBackendError` for every token that it cannot use.

    simplejwt lets other exceptions out: for claims of a wrong type, deep JSON, times outside the calendar.
    """

    key_cache: KeyCache | None = None

    def get_verifying_key(self, token: Any) -> Any:
        if self.key_cache is None:
            return super().get_verifying_key(token)
        return self.key_cache.key(jwt.get_unverified_header(token).get("kid"))

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        try:
            payload = super().decode(token, verify=verify)
        except (TokenBackendError, ScanrillError):
            raise
        except Exception as error:
            raise TokenBackendError("Token is invalid") from error
        if not all(_is_time(payload[claim]) for claim in TIME_CLAIMS if claim in payload):
            raise TokenBackendError("Token has a time that is not valid")
        return payload


def _create_backend() -> StrictTokenBackend:
    backend = StrictTokenBackend(
        api_settings.ALGORITHM,
        api_settings.SIGNING_KEY,
        api_settings.VERIFYING_KEY,
        api_settings.AUDIENCE,
        api_settings.ISSUER,
        leeway=api_settings.LEEWAY,
    )
    if conf.jwt_jwks_url and not conf.jwt_algorithm.startswith("HS"):
        backend.key_cache = KeyCache(conf.jwt_jwks_url)
    return backend


backend = _create_backend()


class TokenRulesMixin(Token):
    """Rules for all tokens: expiry and, if configured, the token type.

    `iat` has fractions of a second, to tell tokens from right before and right after a revocation apart. An
    id (`jti`) is not required: some services do not set one.
    """

    _token_backend: ClassVar[TokenBackend] = backend  # type: ignore[misc] # an instance variable in the stub

    def verify(self) -> None:
        self.check_exp()
        if conf.jwt_type_claim:
            self.verify_token_type()

    def set_iat(self, claim: str = "iat", at_time: dt.datetime | None = None) -> None:
        self.payload[claim] = (at_time or self.current_time).timestamp()


class AccessToken(TokenRulesMixin, BaseAccessToken):
    pass


class RefreshToken(TokenRulesMixin, BaseRefreshToken):  # type: ignore[misc] # two stubs of for_user disagree
    access_token_class = AccessToken


def decode_access_token(raw_token: str) -> AccessToken:
    """Verify an access token. Raises `Unauthenticated` and `TokenKeysUnavailable`."""
    try:
        return AccessToken(raw_token)  # type: ignore[arg-type] # the stub means the encoded token
    except TokenError:
        raise Unauthenticated(INVALID_TOKEN_MESSAGE) from None


def decode_refresh_token(raw_token: str) -> RefreshToken:
    """Verify a refresh token. Raises `Unauthenticated` and `TokenKeysUnavailable`."""
    try:
        return RefreshToken(raw_token)  # type: ignore[arg-type] # the stub means the encoded token
    except TokenError:
        raise Unauthenticated(INVALID_TOKEN_MESSAGE) from None


def prefetch_keys() -> None:
    """Start to fetch the keys of the service that signs tokens, if there is one."""
    if backend.key_cache is not None:
        backend.key_cache.prefetch()


def can_sign() -> bool:
    """Return whether this server has a key that signs tokens."""
    return conf.jwt_algorithm.startswith("HS") or bool(conf.jwt_signing_key)


def _is_time(value: object) -> bool:
    """Return whether a claim is a number of seconds since 1970 that the calendar has."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MAX_EPOCH_SECONDS
