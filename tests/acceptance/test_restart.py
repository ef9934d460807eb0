"""Restart of a server after SIGKILL and SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
import websockets

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.message_checks import received_types
from tests.support.page_images import scripted_png
from tests.support.server import Server


@pytest.mark.timeout(240)
async def test_upload_survives_sigkill_and_sigterm_and_is_read(
    new_server: Callable[..., Server], gate: ReadingGate
) -> None:
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    partial = {"status": "processing", "streamed_text": "one", "type": "Upload.status"}
    async with account.client() as client:
        image = scripted_png(lines=["one", "two"], **gate.after(1))
        reading = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        waiting = (await client.create(scripted_png(lines=["three"])))["instance"]["id"]
        assert await asyncio.to_thread(server.stop, signal.SIGKILL) == -signal.SIGKILL

    await asyncio.to_thread(server.start)
    async with (
        account.client() as client,
        account.client(reading) as upload_client,
        account.client() as third,
    ):
        await client.receive_until(lambda m: m == partial | {"id": reading})
        started_at = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - started_at < 10
        for each in (client, upload_client, third):
            with suppress(websockets.ConnectionClosed):
                while True:
                    await each.receive()
            assert await each.close_code() == 1012

    await asyncio.to_thread(server.start)
    async with account.client() as client:
        await client.receive_until(lambda m: m == partial | {"id": reading})
        gate.open()
        assert (await client.terminal_message(reading))["raw_text"] == "one\ntwo"
        # The other upload may have been read first, while the old claim expired.
        reply = await client.request({"type": "retrieve", "instance_id": waiting})
        if reply["instance"]["status"] != "processed":
            reply = {"instance": await client.terminal_message(waiting)}
        assert reply["instance"]["raw_text"] == "three"
        assert received_types(client, reading)[-1] == "processed"
        for key in (reading, waiting):
            reply = await client.request({"type": "retrieve", "instance_id": key})
            assert reply["instance"]["status"] == "processed"
    assert "Traceback" not in server.log
