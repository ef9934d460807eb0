"""Time that users take of readers; the job queue serves the user with least recent time first.

`User.last_served_at` has the mark of a user, as `fair_sharing` defines it. The number of jobs does not count:
one page of a hostile file can take as long as a thousand others.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from ..db.retry import retry_transient
from ..db.settings import relaxed_durability
from ..fair_sharing import add_use
from ..models import User

# Charged when a job is claimed, since its time is not known yet: two users without use then take turns. One
# page of a text layer takes about this long from claim to end.
CLAIM_SECONDS = 0.03


class ReaderClock:
    """Measures how long a reader works for a user, and charges it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner_id: UUID | None = None
        self._charged_until = 0.0

    def start(self, owner_id: UUID) -> None:
        """Measure from now on, unless the clock runs for this user."""
        with self._lock:
            if self._owner_id != owner_id:
                self._owner_id, self._charged_until = owner_id, time.monotonic()

    def charge(self) -> None:
        """Charge the time since the last charge. Nothing if the clock is stopped."""
        with self._lock:
            owner_id, since = self._owner_id, self._charged_until
            self._charged_until = now = time.monotonic()
        if owner_id is not None:
            charge(owner_id, now - since)

    def stop(self) -> None:
        """Charge the time since the last charge, and stop."""
        try:
            self.charge()
        finally:
            with self._lock:
                self._owner_id = None


@retry_transient
@relaxed_durability()
def charge(owner_id: UUID, seconds: float) -> None:
    """Add time of a reader to the recent use of a user. The clock is the database's."""
    with transaction.atomic():
        # The key is not changed: inserts that refer to the user need not wait.
        users = User.objects.filter(pk=owner_id).select_for_update(no_key=True)
        row = users.values_list("last_served_at", Now()).first()
        if row is None:  # the user was deleted
            return
        before, now = row
        mark = add_use(None if before is None else before.timestamp(), now.timestamp(), seconds)
        User.objects.filter(pk=owner_id).update(last_served_at=dt.datetime.fromtimestamp(mark, dt.UTC))
