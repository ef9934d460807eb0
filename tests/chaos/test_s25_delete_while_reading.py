"""S25 — a delete, or a cancel, while reading: the reader stops within a second, and nothing of it follows."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.chaos.conftest import Account, retrieve_instance
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import engine_process, wait_until, wait_until_ended
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

# The contract is a second; the rest is for a busy machine. Without being told, a reader would find out by the
# heartbeat only after up to five.
STOP_SECONDS, MARGIN_SECONDS = 1.0, 1.5


BOTH = pytest.mark.parametrize("how", ["delete", "cancel"])


async def ended(client: WebSocketClient, upload_id: str, how: str = "delete") -> None:
    reply = await client.request({"type": how, "instance_id": upload_id})
    assert is_the_end(reply)


def is_the_end(message: Message) -> bool:
    return message["type"] == "Upload.deleted" or message.get("status") == "cancelled"


async def nothing_after_the_end(client: WebSocketClient, upload_id: str) -> None:
    """Whatever is still on its way comes before the end of another upload and a reply."""
    other = (await client.create(scripted_png(lines=["the next"])))["instance"]["id"]
    assert (await client.terminal_message(other))["raw_text"] == "the next"
    await client.request({"type": "list"})
    about = [m for m in client.seen if upload_id in (m.get("id"), m.get("instance", {}).get("id"))]
    assert is_the_end(about[-1])
    assert [is_the_end(m) for m in about].count(True) == 1


@BOTH
@pytest.mark.parametrize("script", [{"then": "hang"}, {"wait_for": "/nowhere/at all", "wait_after": 1}])
async def test_s25_an_engine_that_does_not_listen_is_killed(
    script: dict[str, object], how: str, server: Server, account: Account
) -> None:
    async with account.client() as client, account.client() as follower:
        image = scripted_png(lines=["one", "two"], **script)
        upload_id = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text", "").startswith("one"))
        child = await asyncio.to_thread(engine_process, server)
        began = time.monotonic()
        await ended(client, upload_id, how)
        await asyncio.to_thread(wait_until_ended, child)
        assert time.monotonic() - began < STOP_SECONDS + MARGIN_SECONDS
        await nothing_after_the_end(client, upload_id)
        await nothing_after_the_end(follower, upload_id)
    for table in ("core_page", "core_job"):
        query = f"SELECT * FROM {table} WHERE upload_id = ?"
        assert run_query(server, query, upload_id.replace("-", "")) == []


@BOTH
async def test_s25_an_engine_that_listens_lives_on(how: str, server: Server, account: Account) -> None:
    async with account.client() as client:
        image = scripted_png(lines=["one"] * 2_000, line_seconds=0.02)
        upload_id = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text", "").startswith("one"))
        child = await asyncio.to_thread(engine_process, server)
        began = time.monotonic()
        await ended(client, upload_id, how)
        next_id = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(next_id)
        assert time.monotonic() - began < STOP_SECONDS + MARGIN_SECONDS
        assert (await asyncio.to_thread(engine_process, server)).pid == child.pid
        await nothing_after_the_end(client, upload_id)


@BOTH
async def test_s25_an_end_between_the_pages_of_a_long_document_ends_it(
    how: str, server: Server, account: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, 2_000)
    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await asyncio.to_thread(wait_until, lambda: len(document.pages_read) > 3, "some pages are read")
        await ended(client, upload_id, how)
        await nothing_after_the_end(client, upload_id)
        read = len(document.pages_read)
        await nothing_after_the_end(client, upload_id)
        if how == "cancel":
            # What was read until then stays, and it is whole pages.
            left = await retrieve_instance(client, upload_id)
            assert left["raw_text"] == document.text_up_to(left["pages_done"])
            assert left["pages_done"] in (read, read - 1)
    assert len(document.pages_read) == read < document.pages
    assert (server.data_dir / "files" / upload_id).exists() == (how == "cancel")


@BOTH
async def test_s25_what_waits_is_not_read_at_all(
    how: str, server: Server, account: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, 1)
    gate = tmp_path / "lifted"
    async with account.client() as client:
        first = (await client.create(scripted_png(wait_for=str(gate))))["instance"]["id"]
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await ended(client, upload_id, how)
        gate.touch()
        await client.terminal_message(first)
        await nothing_after_the_end(client, upload_id)
    assert document.pages_read == []
