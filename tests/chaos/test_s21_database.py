"""S21 - the database ends connections, restarts or detects deadlocks: a retry or an error, no half state."""

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
# The deadlock timeout is long enough for the test to complete the deadlock first.
SESSION_OPTIONS = "-c lock_timeout=6s -c deadlock_timeout=3s"
WAITING_QUERY = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture(scope="module")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"{postgresql.new_database()}&options={quote(SESSION_OPTIONS)}"
    directory = tmp_path_factory.mktemp("s21")
    server = Server(directory / "data", DATABASE_URL=url, SECRET_KEY="0123456789abcdef" * 4).start()
    yield server
    assert server.stop() == 0
    assert server.unexpected_tracebacks == []


async def test_s21_connections_ended_while_idle_cause_no_error(database_server: Server) -> None:
    account = Account.create(database_server)
    async with account.client() as client:
        first = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(first)
        assert postgresql.terminate_connections(database_server.database_url) > 0
        reply = await client.create(scripted_png())
        await client.terminal_message(reply["instance"]["id"])
        assert len((await client.request({"type": "list"}))["list"]) == 2


async def test_s21_creates_with_ended_connections_are_complete_or_absent(database_server: Server) -> None:
    account = Account.create(database_server)
    images = [[scripted_png(lines=[f"{n} {m}"]) for m in range(UPLOADS)] for n in range(CLIENTS)]

    async def send(client: WebSocketClient, own: list[bytes]) -> set[str]:
        return {(await create_until_accepted(client, image))["instance"]["id"] for image in own}

    clients = [account.client() for _ in range(CLIENTS)]
    async with clients[0], clients[1], clients[2], clients[3], account.client() as observer:
        with postgresql.connections_terminated_repeatedly(database_server.database_url):
            ids_by_client = await asyncio.gather(*map(send, clients, images))
        ids = set.union(*ids_by_client)
        assert len(ids) == UPLOADS * CLIENTS
        for upload_id in ids:
            await observer.received(lambda m, key=upload_id: m.get("id") == key and "raw_text" in m)
            assert await terminal_statuses_received(observer, upload_id) == ["processed"]
    await asyncio.to_thread(assert_consistent, account, ids)


def assert_consistent(account: Account, ids: set[str]) -> None:
    """Assert one row for each id, no job left, and no gap in the owner's events."""
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
def locked(server: Server, statement: str, *parameters: Any) -> Iterator[psycopg.Connection[Any]]:
    """Hold the locks of a statement in another transaction."""
    with psycopg.connect(server.database_url, options="-c deadlock_timeout=60s") as other:
        other.execute(statement, parameters)
        yield other


async def create_and_wait(client: WebSocketClient) -> str:
    upload_id: str = (await client.create(scripted_png()))["instance"]["id"]
    await client.terminal_message(upload_id)
    return upload_id


def rename_request(upload_id: str, name: str) -> Message:
    return {"type": "update", "instance_id": upload_id, "data": {"filename": name}}


async def test_s21_lock_timeout_is_an_error_and_the_socket_stays_open(
    database_server: Server,
) -> None:
    account = Account.create(database_server)
    async with account.client() as client:
        upload_id = await create_and_wait(client)
        with locked(database_server, "SELECT 1 FROM core_upload WHERE id = %s FOR UPDATE", upload_id):
            reply = await client.request(rename_request(upload_id, "late.png"))
            assert list(reply["error"]) == ["server"]
        assert "Try again" in reply["error"]["server"]
        reply = await client.request(rename_request(upload_id, "now.png"))
        assert reply["instance"]["filename"] == "now.png"


async def test_s21_transaction_ended_by_a_deadlock_is_retried(database_server: Server) -> None:
    account = Account.create(database_server)
    async with account.client() as client:
        upload_id = await create_and_wait(client)
        counter = "SELECT 1 FROM core_eventcounter WHERE owner_id = %s FOR UPDATE"
        with locked(database_server, counter, account.id) as other:
            update = asyncio.create_task(client.request(rename_request(upload_id, "after all.png")))
            await asyncio.to_thread(
                wait_until, lambda: other.execute(WAITING_QUERY).fetchone(), "the update waits for the lock"
            )
            await asyncio.to_thread(
                other.execute, "SELECT 1 FROM core_upload WHERE id = %s FOR UPDATE", [upload_id]
            )
        assert (await update)["instance"]["filename"] == "after all.png"
    assert "A transaction is retried after: deadlock detected" in database_server.log


@pytest.fixture
def own_database() -> Iterator[postgresql.PostgreSQL]:
    database = postgresql.PostgreSQL()
    yield database
    with suppress(Exception):
        database.stop()


async def test_s21_database_restart_loses_no_upload_and_no_socket(
    own_database: postgresql.PostgreSQL, new_server: Callable[..., Server], tmp_path: Path
) -> None:
    url = postgresql.url_at(own_database.directory, "postgres")
    server = await asyncio.to_thread(new_server, DATABASE_URL=url, SECRET_KEY="0123456789abcdef" * 4)
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
