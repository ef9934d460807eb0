"""accounts."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from ..db.retry import retry_transient
from ..models import (
    EventCounter,
    User,
)


class AccountState(NamedTuple):
    """An active user: since when tokens are valid, in epoch seconds; how far the log of events goes."""

    valid_from: float
    latest_seq: int


def load_account(user_id: UUID) -> AccountState | None:
    """None for a user who is not there, or not active."""
    return load_accounts([user_id]).get(user_id)


@retry_transient
def load_accounts(user_ids: list[UUID]) -> dict[UUID, AccountState]:
    """The active ones of these users, of whom there is one at least.

    Asked each second for everybody who has a socket: as SQL, since the ORM takes several times as long.
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
            by_key[key]: AccountState(_epoch_seconds(since), seq or 0)
            for key, since, seq in cursor.fetchall()
        }


def is_token_valid(account: AccountState | None, issued_at: float) -> bool:
    return account is not None and issued_at >= account.valid_from


def _epoch_seconds(time: dt.datetime | None) -> float:
    """A time of SQLite has no zone: it is UTC. None is before all times."""
    return time.replace(tzinfo=time.tzinfo or dt.UTC).timestamp() if time else 0.0
