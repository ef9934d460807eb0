"""S25 - a delete or cancel during a reading: the reader stops within a second, and no message follows."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.chaos.conftest import retrieve_instance
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

# The contract is a second; the margin is for a busy machine. Without a notification, the reader would stop at
# its next heartbeat, up to five seconds later.
STOP_SECONDS, MARGIN_SECONDS = 1.0, 1.5


BOTH_REQUESTS = pytest.mark.parametrize("request_type", ["delete", "cancel"])


async def end_upload(client: WebSocketClient, upload_id: str, request_type: str = "delete") -> None:
    reply = await client.request({"type": request_type, "instance_id": upload_id})
    assert is_end(reply)


def is_end(message: Message) -> bool:
    return message["type"] == "Upload.deleted" or message.get("status") == "cancelled"


async def assert_nothing_after_end(client: WebSocketClient, upload_id: str) -> None:
    """Assert that no message follows the end, up to the end of another upload and a reply."""
    other = (await client.create(scripted_png(lines=["the next"])))["instance"]["id"]
    assert (await client.terminal_message(other))["raw_text"] == "the next"
    await client.request({"type": "list"})
    messages = [m for m in client.seen if upload_id in (m.get("id"), m.get("instance", {}).get("id"))]
    assert is_end(messages[-1])
    assert [is_end(m) for m in messages].count(True) == 1


@BOTH_REQUESTS
@pytest.mark.parametrize("script", [{"then": "hang"}, {"wait_for": "/nowhere/at all", "wait_after": 1}])
async def test_s25_engine_that_does_not_stop_is_killed(
    script: dict[str, object], request_type: str, server: Server, account: Account
) -> None:
    async with account.client() as client, account.client() as follower:
        image = scripted_png(lines=["one", "two"], **script)
        upload_id = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text", "").startswith("one"))
        child = await asyncio.to_thread(engine_process, server)
        started_at = time.monotonic()
        await end_upload(client, upload_id, request_type)
        await asyncio.to_thread(wait_until_ended, child)
        assert time.monotonic() - started_at < STOP_SECONDS + MARGIN_SECONDS
        await assert_nothing_after_end(client, upload_id)
        await assert_nothing_after_end(follower, upload_id)
    for table in ("core_page", "core_job"):
        query = f"SELECT * FROM {table} WHERE upload_id = ?"
        assert run_query(server, query, upload_id.replace("-", "")) == []


@BOTH_REQUESTS
async def test_s25_engine_that_stops_is_kept(request_type: str, server: Server, account: Account) -> None:
    async with account.client() as client:
        image = scripted_png(lines=["one"] * 2_000, line_seconds=0.02)
        upload_id = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text", "").startswith("one"))
        child = await asyncio.to_thread(engine_process, server)
        started_at = time.monotonic()
        await end_upload(client, upload_id, request_type)
        next_id = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(next_id)
        assert time.monotonic() - started_at < STOP_SECONDS + MARGIN_SECONDS
        assert (await asyncio.to_thread(engine_process, server)).pid == child.pid
        await assert_nothing_after_end(client, upload_id)


@BOTH_REQUESTS
async def test_s25_end_between_pages_stops_the_document(
    request_type: str, server: Server, account: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, 2_000)
    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await asyncio.to_thread(wait_until, lambda: len(document.pages_read) > 3, "some pages have started")
        await end_upload(client, upload_id, request_type)
        await assert_nothing_after_end(client, upload_id)
        read = len(document.pages_read)
        await assert_nothing_after_end(client, upload_id)
        if request_type == "cancel":
            # The pages read until then stay, and they are complete.
            left = await retrieve_instance(client, upload_id)
            assert left["raw_text"] == document.text_up_to(left["pages_done"])
            assert left["pages_done"] in (read, read - 1)
    assert len(document.pages_read) == read < document.pages
    assert (server.data_dir / "files" / upload_id).exists() == (request_type == "cancel")


@BOTH_REQUESTS
async def test_s25_waiting_upload_that_ends_is_not_read(
    request_type: str, server: Server, account: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, 1)
    gate = tmp_path / "open"
    async with account.client() as client:
        first = (await client.create(scripted_png(wait_for=str(gate))))["instance"]["id"]
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await end_upload(client, upload_id, request_type)
        gate.touch()
        await client.terminal_message(first)
        await assert_nothing_after_end(client, upload_id)
    assert document.pages_read == []
