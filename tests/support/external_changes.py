"""Changes that another process makes in a server's database, without a notification."""

from __future__ import annotations

import uuid

from backend_main.core.protocol import messages
from tests.support.accounts import Account
from tests.support.database_rows import transaction


def cancel_in_database(account: Account, upload_id: str, error: str = "Cancelled elsewhere") -> int:
    """Cancel a waiting upload in the database only; return the `seq` of the event."""
    message = messages.Failed(id=uuid.UUID(upload_id), status="cancelled", error=error)
    with transaction(account.server) as execute:
        key, owner = uuid.UUID(upload_id).hex, account.id.hex
        execute("UPDATE core_upload SET status='cancelled', error=? WHERE id=?", error, key)
        execute("DELETE FROM core_job WHERE upload_id=?", key)
        execute("UPDATE core_eventcounter SET seq = seq + 1 WHERE owner_id=?", owner)
        [(seq,)] = execute("SELECT seq FROM core_eventcounter WHERE owner_id=?", owner)
        execute(
            "INSERT INTO core_event (owner_id, seq, upload_id, attempt, kind, message, origin)"
            " VALUES (?, ?, ?, 0, 'cancelled', ?, '')",
            *(owner, seq, key, messages.encode(message)),
        )
    return int(seq)
