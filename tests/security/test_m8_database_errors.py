"""M8 - a locked or damaged SQLite is a 503 with one line of log, never a traceback; `/readyz` reports it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of
from tests.support.server import Server

pytestmark = pytest.mark.embedded("PostgreSQL: tests/chaos/test_s21_database.py")

# A request waits for a lock for 20 seconds.
SHORT_WAIT_PROGRAM = """
from backend_main.core.db import settings
settings.SQLITE_LOCK_TIMEOUT_SECONDS = 0.2
from backend_main.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("m8") / "data")
    server.program = [sys.executable, "-c", SHORT_WAIT_PROGRAM]
    yield server.start()
    assert server.stop() == 0
    assert "Traceback" not in server.log


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the write lock, as a backup or another program does."""
    with closing(sqlite3.connect(server.data_dir / "scanrill.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_m8_locked_database_is_503_over_http_and_an_error_over_the_socket(
    impatient_server: Server,
) -> None:
    account = Account.create(impatient_server)
    async with (
        account.client() as client,
        httpx.AsyncClient(base_url=impatient_server.http, headers=account.headers) as http,
    ):
        upload_id = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(upload_id)
        path = f"/api/uploads/{upload_id}/"
        with locked(impatient_server):
            answers = [
                await http.patch(path, json={"filename": "a.png"}),
                await http.delete(path),
                await http.post(f"{path}retry"),
                await http.post("/api/uploads/", content=scripted_png()),
            ]
            reply = await client.request({"type": "delete", "instance_id": upload_id})
            ready = await http.get("/readyz")
        assert [answer.status_code for answer in answers] == [503] * 4
        assert all("Try again" in errors_of(answer)["detail"] for answer in answers)
        assert "Try again" in reply["error"]["server"]
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database is locked"])
        assert (await http.get("/readyz")).json() == {"status": "ok"}
        assert (await http.delete(path)).status_code == 200


async def test_m8_damaged_database_is_503(new_server: Callable[..., Server]) -> None:
    server = new_server()
    account = Account.create(server)
    database = server.data_dir / "scanrill.sqlite3"
    async with httpx.AsyncClient(base_url=server.http, headers=account.headers) as http:
        assert (await http.get("/api/uploads/")).status_code == 200
        with closing(sqlite3.connect(database)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(database, "r+b") as file:
            size = file.seek(0, 2)
            file.seek(0)
            file.write(b"x" * size)
        answers = [await http.get("/api/uploads/"), await http.get("/api/me/")]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert (await http.get("/readyz")).status_code == 503
