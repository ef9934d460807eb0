"""Administration of users: their overview, passwords, and whether they are active.

`uploads.owners` deletes users.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from ..db.retry import retry_transient
from ..models import User
from . import api_keys, sessions


class UserSummary(NamedTuple):
    """Row of `scanrill user list`; `last_session_at` is the last sign-in or refresh of a session."""

    name: str
    is_active: bool
    has_password: bool
    sessions: int
    last_session_at: dt.datetime | None
    uploads: int


@retry_transient
def overview() -> list[UserSummary]:
    """Return all users by name."""
    live = Q(sessions__ended_at=None, sessions__expires_at__gt=timezone.now())
    users = User.objects.annotate(
        session_count=Count("sessions", filter=live, distinct=True),
        last_session_at=Max("sessions__rotated_at"),
        upload_count=Count("uploads", distinct=True),
    )
    return [
        UserSummary(
            user.username,
            user.is_active,
            user.has_usable_password(),
            user.session_count,
            user.last_session_at,
            user.upload_count,
        )
        for user in users.order_by("username")
    ]


@retry_transient
def deactivate(user: User) -> None:
    """Deactivate a user, and revoke all tokens and API keys: none is valid after a later activation."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        sessions.end_all(user)
        api_keys.revoke_all(user)


@retry_transient
def set_password(user: User, password: str | None) -> None:
    """Set a valid password, end all sessions, and revoke all tokens. None: only links and tokens are left."""
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        sessions.end_all(user)


@retry_transient
def activate(user: User) -> None:
    """Activate a user."""
    User.objects.filter(pk=user.pk).update(is_active=True)
