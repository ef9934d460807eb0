"""Secrets that the log must not contain."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
import uuid

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.websocket_client import WebSocketClient


def fetch(url: str, headers: dict[str, str], body: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def test_log_contains_no_token(alice: Account) -> None:
    server, good = alice.server, alice.mint()
    bad = alice.mint(key="0123456789abcdef" * 4)
    canary = f"canary{uuid.uuid4().hex}"
    paths = ("/ws/core/upload/", f"/ws/core/upload/{uuid.uuid4()}/", "/ws/nowhere/")
    for token in (good, bad, canary):
        headers = {"Authorization": f"Bearer {token}"}
        for path in paths:
            async with WebSocketClient(server.url(path, token=token)):
                pass
            async with WebSocketClient(server.url(path), additional_headers=headers):
                pass
        async with WebSocketClient(server.url(token=token), origin="https://evil.example"):
            pass
        for path in ("/", "/nowhere", "/healthz", "/api/token/", "/api/token/refresh/"):
            await asyncio.to_thread(fetch, f"{server.http}{path}?a=b&token={token}", headers)
        body = f'{{"refresh": "{token}", "username": "x", "password": "{token}"}}'.encode()
        as_json = headers | {"Content-Type": "application/json"}
        for path in ("/api/token/", "/api/token/refresh/"):
            await asyncio.to_thread(fetch, server.http + path, as_json, body)
    async with alice.client() as client:
        for text in (good, f'{{"type": "{good}"}}', f'{{"type": "list", "cursor": "{good}"}}'):
            await client.send_text(text)
            await client.receive()
        await client.terminal_message((await client.create(scripted_png(then="raise")))["instance"]["id"])

    log = server.log
    assert "token=[redacted]" in log
    assert canary not in log
    for token in (good, bad):
        for part in token.split("."):
            assert part not in log
