"""State of user accounts: whether a user is active, which tokens are revoked, and the user's latest event."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from ..db.retry import retry_transient
from ..models import EventCounter, User


class AccountState(NamedTuple):
    """State of an active user.

    valid_from: tokens issued before this time are invalid; in epoch seconds.
    latest_seq: `seq` of the user's newest event.
    """

    valid_from: float
    latest_seq: int


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
        return {
            by_key[key]: AccountState(_epoch_seconds(valid_from), seq or 0)
            for key, valid_from, seq in cursor.fetchall()
        }


def is_token_valid(account: AccountState | None, issued_at: float) -> bool:
    """Return whether the user is active and has not revoked tokens of this time, in epoch seconds."""
    return account is not None and issued_at >= account.valid_from


def _epoch_seconds(time: dt.datetime | None) -> float:
    """Convert a time; SQLite returns UTC without a zone. None becomes 0, which is before all times."""
    return time.replace(tzinfo=time.tzinfo or dt.UTC).timestamp() if time else 0.0
