"""Authentication: token or API key → user, with expiry, revocation and what the credential may do."""

from __future__ import annotations

import datetime as dt
import math
import time
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Field
from rest_framework.authentication import BaseAuthentication
from rest_framework_simplejwt.tokens import Token

from ..conf import conf
from ..db.raw_rows import RowReader
from ..db.retry import retry_transient
from ..errors import CommandError, ScopeMissing, Unauthenticated
from ..models import ApiKey, KeyScope, User
from . import accounts, api_keys, credentials, tokens
from .origin import Scope

ALL_SCOPES = frozenset(KeyScope.values)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1; TRACE is not served
_USERS = RowReader(User)
SESSION_CLAIM = "sid"  # https://openid.net/specs/openid-connect-frontchannel-1_0.html, 3


class Identity(NamedTuple):
    """A user, with the times of the credential that authenticates the user, in epoch seconds.

    issued_at: infinite for an API key: a new password and a sign-out end tokens, not keys.
    expires_at: infinite for an API key that does not expire.
    session_id: the session that the token belongs to; None for tokens of `scanrill token` and of others.
    scopes: what the credential may do.
    key_id: the API key; None for a token.
    """

    user: User
    issued_at: float
    expires_at: float
    session_id: UUID | None = None
    scopes: frozenset[str] = ALL_SCOPES
    key_id: UUID | None = None

    @property
    def credential_id(self) -> UUID | None:
        """The session or the API key, whose end ends the credential."""
        return self.key_id or self.session_id


def authenticate(credential: str | None) -> Identity:
    """Verify an access token or an API key against the database and return its user.

    Raises:
        Unauthenticated: the credential is missing or not valid.
        TokenKeysUnavailable: another service signs the tokens, and its keys cannot be fetched.
    """
    if not credential:
        raise Unauthenticated("A token or API key is needed, as `Authorization: Bearer`.")
    if api_keys.is_api_key(credential):
        return _identity_of_key(api_keys.verify(credential))
    return identity_of(tokens.decode_access_token(credential))


def authenticate_request(scope: Scope) -> Identity:
    """Return the user of an HTTP request, whose credential may do what the method does.

    Raises:
        Unauthenticated, TokenKeysUnavailable: as in `authenticate`.
        ScopeMissing: the API key may only read.
    """
    identity = authenticate(credentials.credential_of(scope))
    require(identity, KeyScope.READ if scope["method"] in SAFE_METHODS else KeyScope.WRITE)
    return identity


def require(identity: Identity, needed: str) -> None:
    """Raise `ScopeMissing` unless the credential has a scope."""
    if needed not in identity.scopes:
        raise ScopeMissing(f"This API key has no `{needed}` scope. Use one that has it, or sign in.")


def require_token(identity: Identity) -> None:
    """Raise `ScopeMissing` for an API key: a stolen key must not create others, or end sessions."""
    if identity.key_id is not None:
        raise ScopeMissing("An API key cannot manage API keys or sessions. Sign in, or use a token.")


def identity_of(token: Token) -> Identity:
    """Return the user of a verified token. Raises `Unauthenticated` if the token was revoked."""
    user = _user(token.get(conf.jwt_user_claim))
    issued_at = token.get("iat", 0.0)
    if user is None or not isinstance(issued_at, (int, float)):
        raise Unauthenticated(tokens.INVALID_TOKEN_MESSAGE)
    session_id = session_id_of(token)
    if not accounts.is_credential_valid(accounts.load_account(user.pk), issued_at, session_id):
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


class RequestAuthentication(BaseAuthentication):
    """Adapter that gives REST framework the identity that `http.user_turns` found."""

    def authenticate(self, request: Any) -> tuple[User, Identity] | None:
        identity: Identity | None = getattr(request._request, "identity", None)
        return None if identity is None else (identity.user, identity)


def _identity_of_key(key: ApiKey) -> Identity:
    scopes = ALL_SCOPES if key.scope == KeyScope.WRITE else frozenset({key.scope})
    expires_at = key.expires_at.timestamp() if key.expires_at else math.inf
    return Identity(key.owner, math.inf, expires_at, scopes=scopes, key_id=key.pk)


def _expiry(token: Token) -> float:
    """Return when the connection of a token ends: at `exp`, or after the leeway if `exp` has passed."""
    expires_at = float(token["exp"])
    return expires_at if expires_at > time.time() else expires_at + conf.jwt_leeway_seconds


@retry_transient
def _user(claim: object) -> User | None:
    if not isinstance(claim, str) or not claim:
        return None
    field = User._meta.get_field(conf.jwt_user_field)
    assert isinstance(field, Field)
    try:
        value = field.get_db_prep_value(field.to_python(claim), connection)
    except (ValidationError, ValueError):  # the claim is not a valid UUID
        return None
    column = connection.ops.quote_name(str(field.column))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_USERS.columns} FROM {_USERS.table} "  # noqa: S608 - names of the model
            f"WHERE {column} = %s ORDER BY id LIMIT 1",
            [value],
        )
        row = cursor.fetchone()
    return None if row is None else _USERS.instance(row)
