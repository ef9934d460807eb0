"""A server that is started on what an older version left: all of it is there, and goes on where it was."""

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

# The first schema that had a log of events, and the one before the newest.
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
def older(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OldSchemaDatabase]:
    """The server that has taken over; each test has uploads of its own in it."""
    database, schema = request.param
    settings = {}
    if database == "postgresql":
        settings = {"DATABASE_URL": postgresql.new_database(), "SECRET_KEY": secrets.token_hex(32)}
    elif not deployment_mode.is_embedded():
        pytest.skip("this run is of PostgreSQL")
    older = OldSchemaDatabase.create(Server(tmp_path_factory.mktemp("older") / "data", **settings), schema)
    older.server.start()
    yield older
    assert older.server.stop() == 0
    assert older.server.unexpected_tracebacks == []


async def state_of(client: WebSocketClient, upload_id: str) -> dict[str, object]:
    reply = await client.request({"type": "retrieve", "instance_id": upload_id})
    state: dict[str, object] = reply["instance"]
    return state


async def ended(client: WebSocketClient, upload_id: str) -> dict[str, object]:
    """The state of an upload once it has ended, here or before this client came."""
    state = await state_of(client, upload_id)
    if state["status"] not in TERMINAL:
        await client.received(lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL)
        state = await state_of(client, upload_id)
    return state


async def test_all_uploads_are_there_with_their_texts(older: OldSchemaDatabase) -> None:
    async with older.account.client() as client:
        listed = (await client.request({"type": "list"}))["list"]
        assert {each["id"] for each in listed} >= set(older.ids.values())
        read = await state_of(client, older.ids["processed"])
        texts = (older.documents["processed"].text, "as a person has it")
        assert (read["raw_text"], read["processed_text"]) == texts
        assert (read["metadata"], read["page_count"]) == ({"from": "before"}, 3)


async def test_what_waited_and_what_was_being_read_is_read(older: OldSchemaDatabase) -> None:
    async with older.account.client() as client:
        for status, pages in (("pending", [1, 2, 3]), ("processing", [2, 3])):
            document = older.documents[status]
            state = await ended(client, older.ids[status])
            assert (state["status"], state["raw_text"]) == ("processed", document.text)
            assert document.pages_read == pages, "what was saved is not read again"
    assert run_query(older.server, "SELECT * FROM core_job") == []


@pytest.mark.parametrize("seq", [0, 3, 5])
async def test_a_client_goes_on_from_a_cursor_of_before(seq: int, older: OldSchemaDatabase) -> None:
    last = f"{EPOCH}:{older.last_seq}"
    async with older.account.client() as client:
        reply = await client.request({"type": "subscribe", "since": f"{EPOCH}:{seq}"})
        assert (reply["recovered"], reply["cursor"]) == (True, f"{EPOCH}:{seq}")
        await client.received(lambda m: m.get("cursor") == last)
    told = [m for m in client.seen if "cursor" in m and m["type"] != "subscribed"]
    told = told[: older.last_seq - seq]
    assert [m["cursor"] for m in told] == [f"{EPOCH}:{n}" for n in range(seq + 1, older.last_seq + 1)]
    [end] = [m for m in told if m.get("status") == "processed"]
    assert end["raw_text"] == older.documents["processed"].text
    assert [m["instance"]["filename"] for m in told if "instance" in m] == older.filenames[seq:]


@pytest.mark.parametrize(("status", "pages"), [("error", [1, 2, 3]), ("cancelled", [1, 2, 3])])
async def test_what_had_ended_is_read_again_when_it_is_asked_for(
    status: str, pages: list[int], older: OldSchemaDatabase
) -> None:
    document, upload_id = older.documents[status], older.ids[status]
    async with older.account.client() as client:
        reply = await client.request({"type": "retry", "instance_id": upload_id})
        assert reply["instance"]["status"] == "pending"
        end = await client.terminal_message(upload_id)
        assert (end["status"], end["raw_text"]) == ("processed", document.text)
    assert document.pages_read == pages


async def test_a_file_of_before_comes_back_is_known_again_and_goes_with_its_upload(
    older: OldSchemaDatabase,
) -> None:
    upload_id = older.ids["processed"]
    door = HttpClient(older.server, older.account.mint())
    with door.http:
        assert door.http.get(f"/api/uploads/{upload_id}/file").content == older.file
        page = door.http.get(f"/api/uploads/{upload_id}/pages/2").json()
        assert page["markdown"] == "page 2"
    async with older.account.client() as client:
        again = await client.create(older.file)
        assert (again["duplicate"], again["instance"]["id"]) == (True, upload_id)
        renamed = {"type": "update", "instance_id": upload_id, "data": {"filename": "new.tiff"}}
        assert (await client.request(renamed))["instance"]["filename"] == "new.tiff"
        await client.request({"type": "delete", "instance_id": upload_id})
        anew = await client.create(older.file)
        assert anew["instance"]["id"] != upload_id
        older.ids["processed"] = anew["instance"]["id"]
        await client.terminal_message(anew["instance"]["id"])


async def test_a_new_upload_is_read_beside_them(older: OldSchemaDatabase) -> None:
    async with older.account.client() as client:
        created = await client.create(scripted_png(lines=["new"]), priority="batch")
        assert (await client.terminal_message(created["instance"]["id"]))["raw_text"] == "new"


async def test_a_link_of_before_signs_in(older: OldSchemaDatabase) -> None:
    headers = {"Origin": older.server.http}
    async with httpx.AsyncClient(base_url=older.server.http, headers=headers) as http:
        answer = await http.post("/api/token/code/", json={"code": older.sign_in_code})
    assert answer.status_code == 200
    assert "access" in answer.json()
