"""State of user accounts: whether a user is active, which credentials are revoked, and the latest event."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from ..db.retry import retry_transient
from ..models import ApiKey, EventCounter, Session, User


class AccountState(NamedTuple):
    """State of an active user.

    valid_from: tokens issued before this time are invalid; in epoch seconds.
    latest_seq: `seq` of the user's newest event.
    ended_ids: ended sessions of the user, of which tokens may not have expired yet, and revoked API keys.
    """

    valid_from: float
    latest_seq: int
    ended_ids: frozenset[UUID] = frozenset()


def load_account(user_id: UUID) -> AccountState | None:
    """Read the state of a user; None if the user does not exist or is inactive."""
    return load_accounts([user_id]).get(user_id)


@retry_transient
def load_accounts(user_ids: list[UUID]) -> dict[UUID, AccountState]:
    """Read the states of the active ones of these users. The list must not be empty.

    The hub calls it each second for every connected user. It uses SQL, because the ORM takes several times
    as long.
    """
    native = connection.features.has_native_uuid_field
    by_key = {user_id if native else user_id.hex: user_id for user_id in user_ids}
    user, counter = (connection.ops.quote_name(model._meta.db_table) for model in (User, EventCounter))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {user}.id, tokens_valid_from, seq FROM {user} "  # noqa: S608 - the names are the models'
            f"LEFT JOIN {counter} ON owner_id = {user}.id "
            f"WHERE is_active AND {user}.id IN ({', '.join(['%s'] * len(by_key))})",
            [*by_key],
        )
        rows = cursor.fetchall()
        ended = _ended_ids(cursor, [*by_key])
    return {
        by_key[key]: AccountState(_epoch_seconds(valid_from), seq or 0, frozenset(ended.get(key, ())))
        for key, valid_from, seq in rows
    }


def is_credential_valid(
    account: AccountState | None, issued_at: float, credential_id: UUID | None = None
) -> bool:
    """Return whether a credential is valid: by its user, its time in epoch seconds, its session or key."""
    return account is not None and issued_at >= account.valid_from and credential_id not in account.ended_ids


def _ended_ids(cursor: CursorWrapper, user_keys: list[Any]) -> dict[Any, list[UUID]]:
    """Return the ended sessions and revoked API keys by the key of their user, as the database has it."""
    session, api_key = (connection.ops.quote_name(model._meta.db_table) for model in (Session, ApiKey))
    users = ", ".join(["%s"] * len(user_keys))
    cursor.execute(
        f"SELECT user_id, id FROM {session} WHERE ended_at IS NOT NULL "  # noqa: S608 - the models' names
        f"AND user_id IN ({users}) UNION ALL "
        f"SELECT owner_id, id FROM {api_key} WHERE revoked_at IS NOT NULL AND owner_id IN ({users})",
        [*user_keys, *user_keys],
    )
    found: dict[Any, list[UUID]] = {}
    for key, ended_id in cursor.fetchall():
        found.setdefault(key, []).append(ended_id if isinstance(ended_id, UUID) else UUID(ended_id))
    return found


def _epoch_seconds(time: dt.datetime | None) -> float:
    """Convert a time; SQLite returns UTC without a zone. None becomes 0, which is before all times."""
    return time.replace(tzinfo=time.tzinfo or dt.UTC).timestamp() if time else 0.0
