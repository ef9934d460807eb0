"""Sessions: each is a sign-in of a user on one device, and has one valid refresh token at a time.

A refresh exchanges the token for the next one. The database has hashes of tokens only. A token that comes a
second time was copied: the session ends, so that neither the thief nor the user goes on unnoticed (RFC 9700,
4.14.2). Right after the exchange there are other reasons: two tabs refresh at once, or the response was lost.
Within `REUSE_GRACE_SECONDS` both get the same next token, which is therefore derived, not random.
"""

from __future__ import annotations

import datetime as dt
import hmac
import logging
import uuid
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from ..conf import conf
from ..db.retry import retry_transient
from ..errors import SessionNotFound, Unauthenticated
from ..models import Session, User
from . import authentication
from .digests import sha256_hex
from .tokens import AccessToken, RefreshToken, decode_refresh_token

log = logging.getLogger(__name__)

REUSE_GRACE_SECONDS = 30.0
MAX_SESSIONS_PER_USER = 200
_LEGACY_NAMESPACE = UUID("6f6f1a1e-5d5b-4b7e-9d0c-8f5a6a5d1c11")
ENDED_MESSAGE = "The session has ended. Sign in again."


class Device(NamedTuple):
    """What the user sees of a session: the address of the client, and its `User-Agent`."""

    address: str
    user_agent: str


class TokenPair(NamedTuple):
    access: str
    refresh: str


@retry_transient
def start(user: User, device: Device) -> TokenPair:
    """Create a session and return its first tokens. Raises `CommandError` if another service signs them."""
    authentication.check_can_sign()
    now = timezone.now()
    session = Session(user=user, rotated_at=now, expires_at=now + _lifetime(), **_fields(device))
    session.token_digest = sha256_hex(_token_id(session.pk, session.generation))
    session.save(force_insert=True)
    _remove_least_used(user)
    return _tokens(session)


def refresh(raw_token: str, device: Device) -> tuple[User, TokenPair]:
    """Exchange a refresh token for new tokens, and return them with their user.

    A token from before sessions existed starts one.

    Raises:
        Unauthenticated: the token is invalid, or its session has ended, also because of this reuse.
    """
    token = decode_refresh_token(raw_token)
    user = authentication.identity_of(token).user
    session_id, digest = _session_of(token, raw_token, user, device)
    session = _rotate(session_id, digest, user, device)
    if session is None:
        raise Unauthenticated(ENDED_MESSAGE)
    session.user = user
    return user, _tokens(session)


def end_by_token(raw_token: str) -> None:
    """End the session of a refresh token; an invalid token is ignored."""
    try:
        token = decode_refresh_token(raw_token)
        user = authentication.identity_of(token).user
    except Unauthenticated:
        return
    session_id, _digest = _session_of(token, raw_token, user, Device("", ""))
    _end(session_id, user)


def end(*, owner: User, session_id: UUID) -> None:
    """End a session of the user: its sockets close, and none of its tokens is valid any more.

    Raises:
        SessionNotFound: the user has no such session, or it has ended.
    """
    if not _end(session_id, owner):
        raise SessionNotFound()


@retry_transient
def active(owner: User) -> list[Session]:
    """Return the user's sessions that have not ended, the last used first."""
    return list(
        Session.objects.filter(user=owner, ended_at=None, expires_at__gt=timezone.now()).order_by(
            "-rotated_at"
        )
    )


@retry_transient
def end_all(owner: User) -> None:
    """Revoke all tokens of a user, and end all sessions."""
    owner.revoke_tokens()
    owner.save(update_fields=["tokens_valid_from"])
    Session.objects.filter(user=owner, ended_at=None).update(ended_at=timezone.now())


@retry_transient
def remove_expired() -> int:
    """Delete sessions of which no token is valid any more, and return their number."""
    now = timezone.now()
    access_expired = now - dt.timedelta(seconds=conf.jwt_access_seconds + conf.jwt_leeway_seconds)
    expired = Session.objects.filter(expires_at__lt=now - dt.timedelta(seconds=conf.jwt_leeway_seconds))
    return (expired | Session.objects.filter(ended_at__lt=access_expired)).delete()[0]


def _session_of(token: RefreshToken, raw_token: str, user: User, device: Device) -> tuple[UUID, str]:
    """Return the session and the digest of a token. A token from before sessions existed starts one."""
    session_id = authentication.session_id_of(token)
    if session_id is not None:
        return session_id, sha256_hex(str(token.get("jti")))
    session_id, digest = uuid.uuid5(_LEGACY_NAMESPACE, raw_token), sha256_hex(raw_token)
    _adopt(session_id, digest, user, token, device)
    return session_id, digest


@retry_transient
def _adopt(session_id: UUID, digest: str, user: User, token: RefreshToken, device: Device) -> None:
    """Create the session of a token from before sessions existed, unless it exists."""
    expires_at = dt.datetime.fromtimestamp(token["exp"], dt.UTC)
    values = {"user": user, "token_digest": digest, "rotated_at": timezone.now(), "expires_at": expires_at}
    Session.objects.get_or_create(pk=session_id, defaults=values | _fields(device))


@retry_transient
def _rotate(session_id: UUID, digest: str, user: User, device: Device) -> Session | None:
    """Make the successor of a token the valid one. Return the session; None if it has ended."""
    now = timezone.now()
    live = Session.objects.filter(pk=session_id, user=user, ended_at=None)
    session = live.filter(expires_at__gt=now).first()
    if session is None:
        return None
    if session.token_digest == digest:
        generation = session.generation + 1
        changes = {"generation": generation, "token_digest": sha256_hex(_token_id(session_id, generation))}
        times = {"rotated_at": now, "expires_at": now + _lifetime()}
        # One of two requests with the same token changes the row. The other then finds its token superseded.
        live.filter(token_digest=digest).update(previous_digest=digest, **changes, **times, **_fields(device))
        session = live.first()
        if session is None:
            return None
    if session.previous_digest == digest and _is_within_grace(session):
        return session
    log.warning("A refresh token was used twice. Its session %s has ended.", session_id)
    live.update(ended_at=now)
    return None


@retry_transient
def _end(session_id: UUID, user: User) -> bool:
    live = Session.objects.filter(pk=session_id, user=user, ended_at=None)
    return bool(live.update(ended_at=timezone.now()))


def _remove_least_used(user: User) -> None:
    """Delete the sessions of a user beyond the maximum; their refresh tokens are invalid from then on.

    Their access tokens stay valid until they expire: a program that signs in often still uses the last ones.
    """
    live = Session.objects.filter(user=user, ended_at=None).order_by("-rotated_at")
    Session.objects.filter(pk__in=list(live.values_list("pk", flat=True)[MAX_SESSIONS_PER_USER:])).delete()


def _is_within_grace(session: Session) -> bool:
    return (timezone.now() - session.rotated_at).total_seconds() <= REUSE_GRACE_SECONDS


def _tokens(session: Session) -> TokenPair:
    """Return an access token, and the valid refresh token of the session."""
    token = RefreshToken.for_user(session.user)
    token["jti"] = _token_id(session.pk, session.generation)
    token[authentication.SESSION_CLAIM] = str(session.pk)
    token.set_iat(at_time=session.rotated_at)
    token["exp"] = int(session.expires_at.timestamp())
    access = AccessToken.for_user(session.user)
    access[authentication.SESSION_CLAIM] = str(session.pk)
    return TokenPair(str(access), str(token))


def _token_id(session_id: UUID, generation: int) -> str:
    message = f"refresh token {session_id} {generation}"
    return hmac.digest(settings.SECRET_KEY.encode(), message.encode(), "sha256").hex()


def _fields(device: Device) -> dict[str, str]:
    return {"address": device.address[:64], "user_agent": device.user_agent[:200]}


def _lifetime() -> dt.timedelta:
    return dt.timedelta(seconds=conf.jwt_refresh_seconds)
