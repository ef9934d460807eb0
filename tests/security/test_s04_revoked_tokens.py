"""S04 — a user who is deactivated, or logged out everywhere, loses the open sockets, also without a bell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages
from tests.support.server import Server

WAYS: dict[str, Callable[[Account], None]] = {
    "deactivated": Account.deactivate,
    "logged out": Account.revoke_tokens,
}


@pytest.mark.parametrize("way", WAYS)
async def test_s04_open_sockets_close_also_without_a_bell(
    server_without_notifications: Server, way: str
) -> None:
    ada, bob = Account.create(server_without_notifications), Account.create(server_without_notifications)
    async with ada.client() as one, ada.client() as two, bob.client() as other:
        await two.request({"type": "subscribe", "stream": "pages"})
        WAYS[way](ada)
        assert [await client.close_code() for client in (one, two)] == [4401, 4401]
        await assert_no_more_messages(other)
