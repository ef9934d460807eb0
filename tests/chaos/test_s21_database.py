"""S21 — the database ends connections, restarts, meets deadlocks: asked again, or an error; nothing half."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from tests.chaos.conftest import create_until_accepted, terminal_statuses_received
from tests.support import postgresql
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

UPLOADS, CLIENTS = 8, 4
# A lock is waited for so long; and a deadlock is found only when the test has made it.
SESSION = "-c lock_timeout=6s -c deadlock_timeout=3s"
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"{postgresql.new_database()}&options={quote(SESSION)}"
    directory = tmp_path_factory.mktemp("s21")
    server = Server(directory / "data", DATABASE_URL=url, SECRET_KEY="k" * 50).start()
    yield server
    assert server.stop() == 0
    assert server.unexpected_tracebacks == []


async def test_s21_connections_that_end_while_nothing_happens_cost_nothing(database_server: Server) -> None:
    account = Account.create(database_server)
    async with account.client() as client:
        first = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(first)
        assert postgresql.terminate_connections(database_server.database_url) > 0
        reply = await client.create(scripted_png())
        await client.terminal_message(reply["instance"]["id"])
        assert len((await client.request({"type": "list"}))["list"]) == 2


async def test_s21_creates_whose_connections_end_are_whole_or_not_there(database_server: Server) -> None:
    account = Account.create(database_server)
    images = [[scripted_png(lines=[f"{n} {m}"]) for m in range(UPLOADS)] for n in range(CLIENTS)]

    async def send(client: WebSocketClient, own: list[bytes]) -> set[str]:
        return {(await create_until_accepted(client, image))["instance"]["id"] for image in own}

    clients = [account.client() for _ in range(CLIENTS)]
    async with clients[0], clients[1], clients[2], clients[3], account.client() as listening:
        with postgresql.connections_terminated_repeatedly(database_server.database_url):
            found = await asyncio.gather(*map(send, clients, images))
        ids = set.union(*found)
        assert len(ids) == UPLOADS * CLIENTS
        for upload_id in ids:
            await listening.received(lambda m, key=upload_id: m.get("id") == key and "raw_text" in m)
            assert await terminal_statuses_received(listening, upload_id) == ["processed"]
    await asyncio.to_thread(agrees, account, ids)


def agrees(account: Account, ids: set[str]) -> None:
    """One row for each, no job left, and the owner's events have no gap."""
    server, owner = account.server, account.id.hex
    keys = {key.replace("-", "") for key in ids}
    assert {
        key for (key,) in run_query(server, "SELECT id FROM core_upload WHERE owner_id = ?", owner)
    } == keys
    stored = {path.name for path in (server.data_dir / "files").iterdir()}
    assert ids <= stored
    jobs = "SELECT COUNT(*) FROM core_job JOIN core_upload u ON u.id = upload_id WHERE u.owner_id = ?"
    assert run_query(server, jobs, owner) == [(0,)]
    events = run_query(server, "SELECT seq, kind FROM core_event WHERE owner_id = ? ORDER BY seq", owner)
    assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
    kinds = [kind for _, kind in events]
    assert (kinds.count("created"), kinds.count("processed")) == (len(ids), len(ids))


@contextmanager
def holding(server: Server, statement: str, *parameters: Any) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of another, which holds what the statement locks."""
    with psycopg.connect(server.database_url, options="-c deadlock_timeout=60s") as other:
        other.execute(statement, parameters)
        yield other


async def locked_upload(client: WebSocketClient) -> str:
    upload_id: str = (await client.create(scripted_png()))["instance"]["id"]
    await client.terminal_message(upload_id)
    return upload_id


def renaming(upload_id: str, name: str) -> Message:
    return {"type": "update", "instance_id": upload_id, "data": {"filename": name}}


async def test_s21_a_lock_that_is_held_too_long_is_an_error_and_the_socket_stays(
    database_server: Server,
) -> None:
    account = Account.create(database_server)
    async with account.client() as client:
        upload_id = await locked_upload(client)
        with holding(database_server, "SELECT 1 FROM core_upload WHERE id = %s FOR UPDATE", upload_id):
            reply = await client.request(renaming(upload_id, "late.png"))
            assert list(reply["error"]) == ["server"]
        assert "try again" in reply["error"]["server"]
        reply = await client.request(renaming(upload_id, "now.png"))
        assert reply["instance"]["filename"] == "now.png"


async def test_s21_who_is_ended_for_a_deadlock_does_it_again(database_server: Server) -> None:
    account = Account.create(database_server)
    async with account.client() as client:
        upload_id = await locked_upload(client)
        counter = "SELECT 1 FROM core_eventcounter WHERE owner_id = %s FOR UPDATE"
        with holding(database_server, counter, account.id) as other:
            asking = asyncio.create_task(client.request(renaming(upload_id, "after all.png")))
            await asyncio.to_thread(wait_until, lambda: other.execute(WAITING).fetchone(), "it waits")
            await asyncio.to_thread(
                other.execute, "SELECT 1 FROM core_upload WHERE id = %s FOR UPDATE", [upload_id]
            )
        assert (await asking)["instance"]["filename"] == "after all.png"
    assert "asked again: deadlock detected" in database_server.log


@pytest.fixture
def own_database() -> Iterator[postgresql.PostgreSQL]:
    database = postgresql.PostgreSQL()
    yield database
    with suppress(Exception):
        database.stop()


async def test_s21_a_database_that_stops_and_starts_loses_no_upload_and_no_socket(
    own_database: postgresql.PostgreSQL, new_server: Callable[..., Server], tmp_path: Path
) -> None:
    url = postgresql.url_at(own_database.directory, "postgres")
    server = await asyncio.to_thread(new_server, DATABASE_URL=url, SECRET_KEY="k" * 50)
    account = Account.create(server)
    document = Document(tmp_path, 2, {1: 1})
    async with account.client() as client, account.client() as other:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "page 1")
        await asyncio.to_thread(own_database.stop)
        reply = await client.request({"type": "list"})
        assert list(reply["error"]) == ["server"]
        ready = await asyncio.to_thread(httpx.get, f"{server.http}/readyz", timeout=60)
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database does not answer"])
        document.release_page(1)
        await asyncio.to_thread(own_database.start)
        for each in (client, other):
            assert (await each.terminal_message(upload_id))["raw_text"] == document.text
            assert await terminal_statuses_received(each, upload_id) == ["processed"]
    assert server.unexpected_tracebacks == []
