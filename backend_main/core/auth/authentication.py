"""Authentication by token: JSON Web Token → user, with expiry and revocation.

Tokens come from simplejwt, so REST and WebSocket share one set of rules, and another service can sign them.
The algorithm is a setting; the token cannot choose it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from django.core.exceptions import ValidationError
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import AccessToken as BaseAccessToken
from rest_framework_simplejwt.tokens import RefreshToken as BaseRefreshToken
from rest_framework_simplejwt.tokens import Token

from ..conf import conf
from ..db.retry import retry_transient
from ..errors import CommandError, Unauthenticated
from ..models import User
from . import accounts
from .origin import Scope


class TokenRulesMixin(Token):
    """Rules for all tokens: expiry and, if configured, the token type.

    `iat` has fractions of a second, to tell tokens from right before and right after a revocation apart. An
    id (`jti`) is not required: nothing uses it, and some services do not set one.
    """

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


class Identity(NamedTuple):
    """A user, with the times of the token that authenticates the user, in epoch seconds."""

    user: User
    issued_at: float
    expires_at: float


def authenticate(raw_token: str | None) -> Identity:
    """Verify an access token against the database and return its user. Raises `Unauthenticated`."""
    if not raw_token:
        raise Unauthenticated("A token is needed, as `Authorization: Bearer` or as `?token=`.")
    try:
        return _identity(AccessToken(raw_token))  # type: ignore[arg-type] # the stub means the encoded token
    except (TokenError, ValueError, OverflowError):  # a time that no calendar has raises one of the last two
        raise Unauthenticated("The token is invalid or expired.") from None


def issue_access_token(user: User, ttl: dt.timedelta) -> str:
    """Return a new access token. Raises `CommandError` if another service signs the tokens."""
    check_can_sign()
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=ttl)
    return str(token)


def check_can_sign() -> None:
    """Raise `CommandError` if another service signs the tokens."""
    if not can_sign():
        raise CommandError(
            "Another service signs the tokens: SCANRILL_JWT_ALGORITHM is set, SCANRILL_JWT_SIGNING_KEY is "
            "not. Get a token from that service."
        )


def can_sign() -> bool:
    """Return whether this server has a key that signs tokens."""
    return conf.jwt_algorithm.startswith("HS") or bool(conf.jwt_signing_key)


def token_from_handshake(scope: Scope) -> str | None:
    """Return the token of a WebSocket handshake: from the header, or else from the query.

    Browsers cannot set the header.
    """
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return bearer_token(scope) or (query["token"][0] if "token" in query else None)


def bearer_token(scope: Scope) -> str | None:
    """Return the token in the header of an HTTP request; not in its query, which histories and logs keep."""
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].decode("latin-1")).strip()
    return None


class BearerAuthentication(JWTAuthentication):
    """Adapter that lets REST framework use `authenticate`."""

    def get_validated_token(self, raw_token: bytes) -> Any:
        try:
            return authenticate(raw_token.decode("latin-1"))
        except Unauthenticated as error:
            raise AuthenticationFailed(str(error)) from None

    def get_user(self, validated_token: Any) -> Any:
        return validated_token.user


class RefreshSerializer(TokenRefreshSerializer):
    """Serializer that checks revocation and deactivation of refresh tokens as of access tokens."""

    token_class = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        try:
            _identity(self.token_class(attrs["refresh"]))
        except (TokenError, Unauthenticated, ValueError, OverflowError):
            raise AuthenticationFailed("The token is invalid or expired.") from None
        return super().validate(attrs)


def _identity(token: Token) -> Identity:
    user = _user(token.get(conf.jwt_user_claim))
    issued_at = token.get("iat", 0.0)
    if user is None or not isinstance(issued_at, (int, float)):
        raise Unauthenticated("The token is invalid or expired.")
    if not accounts.is_token_valid(accounts.load_account(user.pk), issued_at):
        raise Unauthenticated("The user was deactivated or the token was revoked.")
    return Identity(user, float(issued_at), float(token["exp"]))


@retry_transient
def _user(claim: object) -> User | None:
    if not isinstance(claim, str) or not claim:
        return None
    try:
        return User.objects.filter(**{conf.jwt_user_field: claim}).first()
    except (ValidationError, ValueError):  # the claim is not a valid UUID
        return None
