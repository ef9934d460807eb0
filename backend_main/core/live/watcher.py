"""A request that waits until an upload has ended. It costs no thread, and no query while it waits."""

from __future__ import annotations

import asyncio
from uuid import UUID

from ..db import executor
from ..errors import ConnectionRejected
from ..models import Upload, User
from ..uploads import queries
from ..uploads.quotas import OPEN_STATUSES


class UploadWatcher:
    """Waits for the end of an upload's reading; `Hub.watching` adds it to the events of its user.

    Args:
        owner_id: the user.
        issued_at: when the user's token was issued, in epoch seconds; infinite for an API key.
        credential_id: the session of the token, or the API key; None for a token without a session.
    """

    def __init__(self, owner_id: UUID, issued_at: float, credential_id: UUID | None = None) -> None:
        self.owner_id = owner_id
        self.issued_at = issued_at
        self.credential_id = credential_id
        self._upload_id: UUID | None = None
        self._changed = asyncio.Event()
        self._rejection: ConnectionRejected | None = None
        self._is_stopped = False

    def on_reading_ended(self, upload_id: UUID | None) -> None:
        """Note that a reading of this upload has ended; None: events were removed, so any may have."""
        if upload_id is None or upload_id == self._upload_id:
            self._changed.set()

    def close(self, reason: ConnectionRejected) -> None:
        """End the wait with an error: the token is no longer valid."""
        self._rejection = reason
        self._changed.set()

    def stop_waiting(self) -> None:
        """Let `wait_until_ended` return at once: the server shuts down."""
        self._is_stopped = True
        self._changed.set()

    async def wait_until_ended(self, owner: User, upload_id: UUID, seconds: float) -> Upload:
        """Return the upload when it has ended, or as it is when the time is over.

        Raises:
            UploadNotFound: the user has no upload with this id, or it was deleted meanwhile.
            Unauthenticated: the token was revoked meanwhile.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        self._upload_id = upload_id
        while True:
            self._changed.clear()  # before the query: an end during it is noted
            upload = await executor.run_for_user(owner.pk, queries.upload, owner=owner, upload_id=upload_id)
            if self._rejection is not None:
                raise self._rejection
            has_ended = self._is_stopped or upload.status not in OPEN_STATUSES
            if has_ended or not await self._wait(deadline):
                return upload

    async def _wait(self, deadline: float) -> bool:
        """Wait for a change until the deadline. Return whether there was one."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
