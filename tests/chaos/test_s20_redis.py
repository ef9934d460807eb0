"""S20 - Redis stops, restarts and loses its data: sockets stay open, health reports it, events arrive."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backend_main.core.pubsub.messages import LogAdvanced, PageState, PageTextUpdate
from backend_main.core.pubsub.redis import RedisPublisher
from tests.support.accounts import Account
from tests.support.external_changes import cancel_in_database
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.server import Server

PREFIX = "s20:"


def health(server: Server) -> dict[str, object]:
    answer = httpx.get(f"{server.http}/readyz")
    assert answer.status_code in (200, 503)
    return {"code": answer.status_code, **answer.json()}


@pytest.mark.timeout(180)
async def test_s20_redis_stop_start_and_flush_keep_sockets_and_events(
    new_server: Callable[..., Server], redis_server: Redis, tmp_path: Path
) -> None:
    settings = {"REDIS_URL": redis_server.url, "REDIS_PREFIX": PREFIX, "SECRET_KEY": "0123456789abcdef" * 4}
    server = await asyncio.to_thread(new_server, "--with-reader", **settings)
    account = Account.create(server)
    await asyncio.to_thread(
        wait_until, lambda: health(server) == {"code": 200, "status": "ok"}, "the server is ok"
    )
    document = Document(tmp_path, 1, gates={1: 1})
    publisher = RedisPublisher(redis_server.url, PREFIX)

    async with account.client() as client:
        reading = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "page 1")
        waiting = [(await client.create(scripted_png(lines=[str(n)])))["instance"]["id"] for n in range(4)]

        # Another process publishes live text of the upload, and a notification after a change.
        text = PageTextUpdate(
            account.id, uuid.UUID(reading), 1, PageState(1, 1, "page 1 and more from elsewhere")
        )
        publisher.publish(text)
        await client.receive_until(lambda m: m.get("streamed_text") == text.page.text)
        seq = await asyncio.to_thread(cancel_in_database, account, waiting[0])
        publisher.publish(LogAdvanced(account.id, seq))
        await client.terminal_message(waiting[0])

        await asyncio.to_thread(redis_server.stop)
        await asyncio.to_thread(
            wait_until, lambda: health(server)["status"] == "degraded", "it reports Redis"
        )
        state = await asyncio.to_thread(health, server)
        assert state["code"] == 200
        assert "Redis" in str(state["reasons"])
        # Changes of this process arrive at once, those of another by polling; the socket stays open.
        await client.request({"type": "cancel", "instance_id": waiting[1]})
        await asyncio.to_thread(cancel_in_database, account, waiting[2])
        await client.terminal_message(waiting[2])
        async with account.client() as late:
            assert (await late.receive())["streamed_text"] == text.page.text

        await asyncio.to_thread(redis_server.start)
        await asyncio.to_thread(redis_server.flush)
        await asyncio.to_thread(
            wait_until, lambda: health(server) == {"code": 200, "status": "ok"}, "the server is ok"
        )
        publisher.publish(
            PageTextUpdate(account.id, uuid.UUID(reading), 1, PageState(1, 1, text.page.text + ", resumed"))
        )
        await client.receive_until(lambda m: m.get("streamed_text", "").endswith(", resumed"))
        document.release_page(1)
        assert (await client.terminal_message(reading))["raw_text"] == document.text
        assert (await client.terminal_message(waiting[3]))["status"] == "processed"
    publisher.close()
    assert server.unexpected_tracebacks == []
