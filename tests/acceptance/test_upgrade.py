"""A server started on the data of an old version: all data is kept, and readings continue."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.support import deployment_mode, postgresql
from tests.support.database_rows import run_query
from tests.support.http_client import HttpClient
from tests.support.old_schema import EPOCH, OldSchemaDatabase
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import TERMINAL, WebSocketClient

# The first schema with an event log, and the one before the latest.
CASES = [
    pytest.param((database, schema), id=f"{database}, {schema}", marks=() if quick else pytest.mark.slow)
    for database, schema, quick in (
        ("sqlite", "previous", True),
        ("sqlite", "0004_events", False),
        ("postgresql", "previous", False),
        ("postgresql", "0004_events", False),
    )
]


@pytest.fixture(scope="module", params=CASES)
def old(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OldSchemaDatabase]:
    """A current server on an old database; each test uses its own uploads."""
    database, schema = request.param
    settings = {}
    if database == "postgresql":
        settings = {"DATABASE_URL": postgresql.new_database(), "SECRET_KEY": secrets.token_hex(32)}
    elif not deployment_mode.is_embedded():
        pytest.skip("this run uses PostgreSQL")
    old = OldSchemaDatabase.create(Server(tmp_path_factory.mktemp("old") / "data", **settings), schema)
    old.server.start()
    yield old
    assert old.server.stop() == 0
    assert old.server.unexpected_tracebacks == []


async def retrieve(client: WebSocketClient, upload_id: str) -> dict[str, object]:
    reply = await client.request({"type": "retrieve", "instance_id": upload_id})
    state: dict[str, object] = reply["instance"]
    return state


async def wait_until_terminal(client: WebSocketClient, upload_id: str) -> dict[str, object]:
    """Wait until an upload is terminal, if it is not yet, and return it."""
    state = await retrieve(client, upload_id)
    if state["status"] not in TERMINAL:
        await client.received(lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL)
        state = await retrieve(client, upload_id)
    return state


async def test_upgrade_keeps_all_uploads_with_their_texts(old: OldSchemaDatabase) -> None:
    async with old.account.client() as client:
        listed = (await client.request({"type": "list"}))["list"]
        assert {each["id"] for each in listed} >= set(old.ids.values())
        read = await retrieve(client, old.ids["processed"])
        texts = (old.documents["processed"].text, "corrected by a person")
        assert (read["raw_text"], read["processed_text"]) == texts
        assert (read["metadata"], read["page_count"]) == ({"from": "before"}, 3)


async def test_upgrade_reads_pending_and_unfinished_uploads(old: OldSchemaDatabase) -> None:
    async with old.account.client() as client:
        for status, pages in (("pending", [1, 2, 3]), ("processing", [2, 3])):
            document = old.documents[status]
            state = await wait_until_terminal(client, old.ids[status])
            assert (state["status"], state["raw_text"]) == ("processed", document.text)
            assert document.pages_read == pages, "saved pages are not read duplicate"
    assert run_query(old.server, "SELECT * FROM core_job") == []


@pytest.mark.parametrize("seq", [0, 3, 5])
async def test_upgrade_keeps_cursors_valid(seq: int, old: OldSchemaDatabase) -> None:
    last = f"{EPOCH}:{old.last_seq}"
    async with old.account.client() as client:
        reply = await client.request({"type": "subscribe", "since": f"{EPOCH}:{seq}"})
        assert (reply["recovered"], reply["cursor"]) == (True, f"{EPOCH}:{seq}")
        await client.received(lambda m: m.get("cursor") == last)
    received = [m for m in client.seen if "cursor" in m and m["type"] != "subscribed"]
    received = received[: old.last_seq - seq]
    assert [m["cursor"] for m in received] == [f"{EPOCH}:{n}" for n in range(seq + 1, old.last_seq + 1)]
    [end] = [m for m in received if m.get("status") == "processed"]
    assert end["raw_text"] == old.documents["processed"].text
    assert [m["instance"]["filename"] for m in received if "instance" in m] == old.filenames[seq:]


@pytest.mark.parametrize(("status", "pages"), [("error", [1, 2, 3]), ("cancelled", [1, 2, 3])])
async def test_upgrade_allows_retry_of_failed_and_cancelled_uploads(
    status: str, pages: list[int], old: OldSchemaDatabase
) -> None:
    document, upload_id = old.documents[status], old.ids[status]
    async with old.account.client() as client:
        reply = await client.request({"type": "retry", "instance_id": upload_id})
        assert reply["instance"]["status"] == "pending"
        end = await client.terminal_message(upload_id)
        assert (end["status"], end["raw_text"]) == ("processed", document.text)
    assert document.pages_read == pages


async def test_upgrade_keeps_files_downloadable_deduplicated_and_deletable(
    old: OldSchemaDatabase,
) -> None:
    upload_id = old.ids["processed"]
    http_client = HttpClient(old.server, old.account.mint())
    with http_client.http:
        assert http_client.http.get(f"/api/uploads/{upload_id}/file").content == old.file
        page = http_client.http.get(f"/api/uploads/{upload_id}/pages/2").json()
        assert page["markdown"] == "page 2"
    async with old.account.client() as client:
        duplicate = await client.create(old.file)
        assert (duplicate["duplicate"], duplicate["instance"]["id"]) == (True, upload_id)
        renamed = {"type": "update", "instance_id": upload_id, "data": {"filename": "new.tiff"}}
        assert (await client.request(renamed))["instance"]["filename"] == "new.tiff"
        await client.request({"type": "delete", "instance_id": upload_id})
        recreated = await client.create(old.file)
        assert recreated["instance"]["id"] != upload_id
        old.ids["processed"] = recreated["instance"]["id"]
        await client.terminal_message(recreated["instance"]["id"])


async def test_upgrade_reads_new_uploads(old: OldSchemaDatabase) -> None:
    async with old.account.client() as client:
        created = await client.create(scripted_png(lines=["new"]), priority="batch")
        assert (await client.terminal_message(created["instance"]["id"]))["raw_text"] == "new"


async def test_upgrade_keeps_sign_in_links_valid(old: OldSchemaDatabase) -> None:
    headers = {"Origin": old.server.http}
    async with httpx.AsyncClient(base_url=old.server.http, headers=headers) as http:
        answer = await http.post("/api/token/code/", json={"code": old.sign_in_code})
    assert answer.status_code == 200
    assert "access" in answer.json()
