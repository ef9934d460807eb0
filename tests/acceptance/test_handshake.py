"""Handshakes: the subprotocol, and requests to the path of a WebSocket that are not handshakes."""

from __future__ import annotations

import uuid

import httpx
import pytest
from websockets.typing import Subprotocol

from tests.support.accounts import Account
from tests.support.websocket_client import WebSocketClient

OFFERED = [Subprotocol("other"), Subprotocol("scanrill.v1")]


@pytest.mark.parametrize("path", ["/ws/core/upload/", "/ws/nowhere/"])
@pytest.mark.parametrize("has_token", [True, False])
async def test_handshake_with_subprotocol_is_answered_also_before_a_close(
    alice: Account, path: str, has_token: bool
) -> None:
    url = alice.server.url(path, token=alice.mint()) if has_token else alice.server.url(path)
    async with WebSocketClient(url, subprotocols=OFFERED) as client:
        assert client.socket.subprotocol == "scanrill.v1"


@pytest.mark.parametrize("offered", [None, OFFERED[:1]])
async def test_handshake_without_the_subprotocol_gets_none(
    alice: Account, offered: list[Subprotocol] | None
) -> None:
    async with WebSocketClient(alice.server.url(token=alice.mint()), subprotocols=offered) as client:
        assert client.socket.subprotocol is None
        assert (await client.request({"type": "ping"}))["type"] == "pong"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("path", ["/ws/core/upload/", f"/ws/core/upload/{uuid.UUID(int=1)}/"])
def test_request_without_upgrade_to_a_socket_path_is_426(alice: Account, method: str, path: str) -> None:
    answer = httpx.request(method, alice.server.http + path)
    assert (answer.status_code, answer.headers["Upgrade"]) == (426, "websocket")
    assert method == "HEAD" or "is a WebSocket" in answer.text
