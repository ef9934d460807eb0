"""S04 - a deactivated or signed-out user keeps a socket: the server closes it, even without notification."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages
from tests.support.server import Server

REVOCATIONS: dict[str, Callable[[Account], None]] = {
    "deactivated": Account.deactivate,
    "signed out": Account.revoke_tokens,
}


@pytest.mark.parametrize("revocation", REVOCATIONS)
async def test_s04_revocation_without_notification_closes_open_sockets(
    server_without_notifications: Server, revocation: str
) -> None:
    ada, bob = Account.create(server_without_notifications), Account.create(server_without_notifications)
    async with ada.client() as one, ada.client() as two, bob.client() as other:
        await two.request({"type": "subscribe", "stream": "pages"})
        REVOCATIONS[revocation](ada)
        assert [await client.close_code() for client in (one, two)] == [4401, 4401]
        await assert_no_more_messages(other)
