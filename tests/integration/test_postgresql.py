"""Servers and commands on PostgreSQL: concurrent starts, one-line errors, and exclusive directories."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.support import postgresql
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CANARY = "password-canary"


def settings_of(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "SECRET_KEY": "0123456789abcdef" * 4}


def error_line(server: Server, *arguments: str) -> str:
    """Run a command that must fail, and return its one line on stderr."""
    done = server.command(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two servers, started at once on one empty database and one empty data directory."""
    data = tmp_path_factory.mktemp("pair") / "data"
    url = postgresql.new_database().replace("postgres@", f"postgres:{CANARY}@", 1)
    servers = [Server(data, **settings_of(url)) for _ in range(2)]
    servers[1].log_path = data.with_name("second.log")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(Server.start, servers))
    yield servers
    for server in servers:
        assert server.stop() == 0
        assert server.unexpected_tracebacks == []
        assert CANARY not in server.log


async def test_two_servers_started_at_once_share_one_database(pair: list[Server]) -> None:
    one, other = pair
    [(migrations,)] = run_query(one, "SELECT COUNT(DISTINCT name) FROM django_migrations WHERE app = 'core'")
    assert run_query(one, "SELECT COUNT(*) FROM django_migrations WHERE app = 'core'") == [(migrations,)]
    account = Account.create(one)
    async with account.client() as client, WebSocketClient(other.url(token=account.mint())) as other_client:
        upload_id = (await client.create(scripted_png(lines=["seen by both"])))["instance"]["id"]
        assert (await client.terminal_message(upload_id))["raw_text"] == "seen by both"
        assert (await other_client.terminal_message(upload_id))["raw_text"] == "seen by both"


def test_commands_work_beside_running_servers(pair: list[Server]) -> None:
    server = pair[0]
    name = server.user()
    assert server.token(name)
    assert server.command("link", name, "--url", "https://scans.example").returncode == 0
    recent = server.data_dir / "incoming" / "recent"
    recent.touch()
    assert server.command("sweep").returncode == 0
    assert recent.exists(), "another machine may still be writing it"
    assert "pg_dump" in error_line(server, "backup", str(server.data_dir.with_name("b.tar")))
    recent.unlink()


def test_reset_event_log_removes_the_log(pair: list[Server]) -> None:
    server = pair[0]
    assert run_query(server, "SELECT COUNT(*) FROM core_eventlog") == [(1,)]
    assert server.command("reset-event-log").returncode == 0
    assert run_query(server, "SELECT COUNT(*) FROM core_eventlog") == [(0,)]
    run_query(server, "INSERT INTO core_eventlog (id, epoch) VALUES (1, 'restored')")


def test_command_on_newer_schema_fails(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", **settings_of(postgresql.new_database()))
    server.user()
    newer = "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_later', now())"
    run_query(server, newer)
    assert "newer version" in error_line(server, "user", "add", "anna", "--no-password")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (f"postgresql://me:{CANARY}@/scans?host=/nowhere", "Cannot use the database"),
        (f"postgresql://me:{CANARY}@127.0.0.1:1/scans", "Cannot use the database"),
        (f"mysql://me:{CANARY}@h/scans", "SCANRILL_DATABASE_URL is not a PostgreSQL URL"),
    ],
)
def test_serve_without_database_fails_in_one_line_without_the_password(
    url: str, text: str, tmp_path: Path
) -> None:
    line = error_line(Server(tmp_path / "data", **settings_of(url)), "serve", "--port", "0")
    assert text in line
    assert CANARY not in line


def test_s36_serve_on_postgresql_without_secret_key_fails(tmp_path: Path) -> None:
    url = postgresql.new_database()
    server = Server(tmp_path / "data", DATABASE_URL=url, SECRET_KEY="")
    assert "SCANRILL_SECRET_KEY" in error_line(server, "serve", "--port", "0")
    assert not (tmp_path / "data" / "secret.key").exists()


def test_serve_embedded_on_a_data_directory_in_use_fails(pair: list[Server]) -> None:
    embedded = Server(pair[0].data_dir, DATABASE_URL="", REDIS_URL="")
    assert "Another `scanrill serve` uses" in error_line(embedded, "serve", "--port", "0")


def test_migration_waits_for_a_concurrent_migration(tmp_path: Path) -> None:
    url = postgresql.new_database()
    server = Server(tmp_path / "data", **settings_of(url))
    with psycopg.connect(url, autocommit=True) as other, ThreadPoolExecutor(1) as threads:
        other.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"scanrill")])
        adding = threads.submit(server.user)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'"
        while not other.execute(waiting).fetchone():
            assert not adding.done(), "the migration did not wait"
        assert other.execute("SELECT to_regclass('core_user')").fetchone() == (None,)
        other.execute("SELECT pg_advisory_unlock_all()")
        assert adding.result()
