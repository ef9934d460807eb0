"""Authentication by token: JSON Web Token → user, with expiry and revocation."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qs
from uuid import UUID

from django.core.exceptions import ValidationError
from rest_framework.authentication import BaseAuthentication
from rest_framework_simplejwt.tokens import Token

from ..conf import conf
from ..db.retry import retry_transient
from ..errors import CommandError, Unauthenticated
from ..models import User
from . import accounts, tokens
from .origin import Scope

SESSION_CLAIM = "sid"  # https://openid.net/specs/openid-connect-frontchannel-1_0.html, 3


class Identity(NamedTuple):
    """A user, with the times of the token that authenticates the user, in epoch seconds.

    session_id: the session that the token belongs to; None for tokens of `scanrill token` and of others.
    """

    user: User
    issued_at: float
    expires_at: float
    session_id: UUID | None = None


def authenticate(raw_token: str | None) -> Identity:
    """Verify an access token against the database and return its user.

    Raises:
        Unauthenticated: the token is missing or not valid.
        TokenKeysUnavailable: another service signs the tokens, and its keys cannot be fetched.
    """
    if not raw_token:
        raise Unauthenticated("A token is needed, as `Authorization: Bearer` or as `?token=`.")
    return identity_of(tokens.decode_access_token(raw_token))


def identity_of(token: Token) -> Identity:
    """Return the user of a verified token. Raises `Unauthenticated` if the token was revoked."""
    user = _user(token.get(conf.jwt_user_claim))
    issued_at = token.get("iat", 0.0)
    if user is None or not isinstance(issued_at, (int, float)):
        raise Unauthenticated(tokens.INVALID_TOKEN_MESSAGE)
    session_id = session_id_of(token)
    if not accounts.is_token_valid(accounts.load_account(user.pk), issued_at, session_id):
        raise Unauthenticated("The user was deactivated or the token was revoked.")
    return Identity(user, float(issued_at), _expiry(token), session_id)


def session_id_of(token: Token) -> UUID | None:
    """Return the session of a token; None for a token without one, such as from `scanrill token`."""
    with suppress(ValueError, TypeError, AttributeError):
        return UUID(token.get(SESSION_CLAIM))
    return None


def issue_access_token(user: User, ttl: dt.timedelta) -> str:
    """Return a new access token. Raises `CommandError` if another service signs the tokens."""
    check_can_sign()
    token = tokens.AccessToken.for_user(user)
    token.set_exp(lifetime=ttl)
    return str(token)


def check_can_sign() -> None:
    """Raise `CommandError` if another service signs the tokens."""
    if not tokens.can_sign():
        raise CommandError(
            "Another service signs the tokens: SCANRILL_JWT_ALGORITHM is set, SCANRILL_JWT_SIGNING_KEY is "
            "not. Get a token from that service."
        )


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


class RequestAuthentication(BaseAuthentication):
    """Adapter that gives REST framework the identity that `http.user_turns` found."""

    def authenticate(self, request: Any) -> tuple[User, Identity] | None:
        identity: Identity | None = getattr(request._request, "identity", None)
        return None if identity is None else (identity.user, identity)


def _expiry(token: Token) -> float:
    """Return when the connection of a token ends: at `exp`, or after the leeway if `exp` has passed."""
    expires_at = float(token["exp"])
    return expires_at if expires_at > time.time() else expires_at + conf.jwt_leeway_seconds


@retry_transient
def _user(claim: object) -> User | None:
    if not isinstance(claim, str) or not claim:
        return None
    try:
        return User.objects.filter(**{conf.jwt_user_field: claim}).first()
    except (ValidationError, ValueError):  # the claim is not a valid UUID
        return None
