"""API keys: credentials of programs, each with a name, a scope and perhaps an expiry.

A key is `scr_`, eight hexadecimal digits that identify it to its user, `_`, and 32 random bytes in
hexadecimal digits. Scanners for leaked secrets find the fixed form. The database has the SHA-256 of the key.
A slow hash protects passwords, which people choose; nobody can try 2^256 keys (NIST SP 800-63B, 5.1.1.2 and
5.1.2.2). The lookup by an indexed digest reveals nothing by its time: who does not have the key cannot
choose the digest.

A key ends when it expires, when it is revoked, and with its user: deletion and deactivation end it. A new
password and a sign-out do not, because programs that run unattended use keys.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ..conf import conf
from ..db.raw_rows import RowReader
from ..db.retry import retry_transient
from ..errors import KeyLimitExceeded, KeyNotFound, RequestError, Unauthenticated
from ..models import ApiKey, KeyScope, User
from .digests import sha256_hex

KEY_START = "scr_"
KEY_BYTES = 32
PREFIX_BYTES = 4
KEY_FORM = re.compile(rf"{KEY_START}[0-9a-f]{{{2 * PREFIX_BYTES}}}_[0-9a-f]{{{2 * KEY_BYTES}}}")
MAX_NAME_CHARACTERS = 100
MAX_EXPIRY_DAYS = 36_500  # a hundred years: far from the end of the calendar
INVALID_KEY_MESSAGE = "The API key is not valid, has expired, or was revoked."
LAST_USE_INTERVAL = dt.timedelta(minutes=1)
# Sockets close within a second of the revocation. The row stays a day, for processes that lost the database.
REVOKED_RETENTION = dt.timedelta(days=1)
_KEYS, _USERS = RowReader(ApiKey), RowReader(User)


class NewKey(NamedTuple):
    """An API key and its text, which nobody can read again."""

    key: ApiKey
    secret: str


def is_api_key(credential: str) -> bool:
    """Return whether a credential has the beginning of an API key; tokens never have it."""
    return credential.startswith(KEY_START)


def create(
    *, owner: User, name: str, scope: str = KeyScope.WRITE, expires_in_days: int | None = None
) -> NewKey:
    """Create an API key.

    Raises:
        RequestError: a value is not valid, or a key has the name.
        KeyLimitExceeded: the user has the maximum number of keys.
    """
    name = name.strip()
    _check(name, scope, expires_in_days)
    prefix = KEY_START + secrets.token_hex(PREFIX_BYTES)
    secret = f"{prefix}_{secrets.token_hex(KEY_BYTES)}"
    now = timezone.now()
    key = ApiKey(
        owner=owner, name=name, prefix=prefix, digest=sha256_hex(secret), scope=scope, created_at=now
    )
    if expires_in_days is not None:
        key.expires_at = now + dt.timedelta(days=expires_in_days)
    _insert(key)
    return NewKey(key, secret)


@retry_transient
def verify(secret: str) -> ApiKey:
    """Return the API key with its active owner. Raises `Unauthenticated`."""
    key = _find(sha256_hex(secret)) if KEY_FORM.fullmatch(secret) else None
    if key is None or (key.expires_at is not None and key.expires_at <= timezone.now()):
        raise Unauthenticated(INVALID_KEY_MESSAGE)
    _note_use(key)
    return key


@retry_transient
def active(owner: User) -> list[ApiKey]:
    """Return the user's API keys that are not revoked, the newest first. Expired ones are among them."""
    return list(ApiKey.objects.filter(owner=owner, revoked_at=None).order_by("-created_at", "name"))


@retry_transient
def revoke(*, owner: User, key_id: UUID) -> None:
    """Revoke an API key of the user: it is invalid at once, and its sockets close. Raises `KeyNotFound`."""
    if not ApiKey.objects.filter(pk=key_id, owner=owner, revoked_at=None).update(revoked_at=timezone.now()):
        raise KeyNotFound()


@retry_transient
def revoke_all(owner: User) -> int:
    """Revoke all API keys of a user, and return their number."""
    return ApiKey.objects.filter(owner=owner, revoked_at=None).update(revoked_at=timezone.now())


@retry_transient
def remove_revoked() -> int:
    """Delete API keys that were revoked long ago, and return their number."""
    return ApiKey.objects.filter(revoked_at__lt=timezone.now() - REVOKED_RETENTION).delete()[0]


def _find(digest: str) -> ApiKey | None:
    """Return the key with a digest and its owner, unless it is revoked or the owner inactive."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_KEYS.columns}, {_USERS.columns} FROM {_KEYS.table} "  # noqa: S608 - the models' names
            f"JOIN {_USERS.table} ON owner_id = {_USERS.table}.id "
            "WHERE digest = %s AND revoked_at IS NULL AND is_active",
            [digest],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    key = _KEYS.instance(row[: _KEYS.width])
    key.owner = _USERS.instance(row[_KEYS.width :])
    return key


def _check(name: str, scope: str, expires_in_days: int | None) -> None:
    problems = {}
    if not (0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable()):
        problems["name"] = f"A name of 1 to {MAX_NAME_CHARACTERS} printable characters is expected."
    if scope not in KeyScope.values:
        problems["scope"] = "Invalid value. Use `read` or `write`."
    if expires_in_days is not None and not 1 <= expires_in_days <= MAX_EXPIRY_DAYS:
        problems["expires_in_days"] = f"A whole number of days from 1 to {MAX_EXPIRY_DAYS} is expected."
    if problems:
        raise RequestError(problems)


@retry_transient
def _insert(key: ApiKey) -> None:
    """Save a new API key, unless the user has the maximum number, or another one with its name."""
    with transaction.atomic():
        key.owner.lock()
        if ApiKey.objects.filter(owner_id=key.owner_id, revoked_at=None).count() >= conf.max_keys_per_user:
            raise KeyLimitExceeded(conf.max_keys_per_user)
        if ApiKey.objects.filter(owner_id=key.owner_id, name=key.name, revoked_at=None).exists():
            raise RequestError({"name": "An API key has this name. Choose another, or revoke that key."})
        key.save(force_insert=True)


def _note_use(key: ApiKey) -> None:
    """Write the time of the last use, once a minute at most. The key stays valid if this fails."""
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at < LAST_USE_INTERVAL:
        return
    with suppress(DatabaseError):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
