"""The commands on PostgreSQL: machines that start at once, what is refused in one line, and who may serve."""

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
    return {"DATABASE_URL": url, "SECRET_KEY": "k" * 50}


def refusal(server: Server, *arguments: str) -> str:
    """What a command says in one line that will not do it."""
    done = server.command(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two that were started at once, on one empty database and one empty data directory."""
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


async def test_two_servers_that_start_at_once_share_all_there_is(pair: list[Server]) -> None:
    one, other = pair
    [(migrations,)] = run_query(one, "SELECT COUNT(DISTINCT name) FROM django_migrations WHERE app = 'core'")
    assert run_query(one, "SELECT COUNT(*) FROM django_migrations WHERE app = 'core'") == [(migrations,)]
    account = Account.create(one)
    async with account.client() as client, WebSocketClient(other.url(token=account.mint())) as listening:
        upload_id = (await client.create(scripted_png(lines=["seen by both"])))["instance"]["id"]
        assert (await client.terminal_message(upload_id))["raw_text"] == "seen by both"
        assert (await listening.terminal_message(upload_id))["raw_text"] == "seen by both"


def test_users_links_and_sweeps_work_beside_them(pair: list[Server]) -> None:
    server = pair[0]
    name = server.user()
    assert server.token(name)
    assert server.command("link", name, "--url", "https://scans.example").returncode == 0
    young = server.data_dir / "incoming" / "young"
    young.touch()
    assert server.command("sweep").returncode == 0
    assert young.exists(), "it may be another machine's that is just coming in"
    assert "pg_dump" in refusal(server, "backup", str(server.data_dir.with_name("b.tar")))
    young.unlink()


def test_a_database_that_was_put_back_has_a_new_log(pair: list[Server]) -> None:
    server = pair[0]
    assert run_query(server, "SELECT COUNT(*) FROM core_eventlog") == [(1,)]
    assert server.command("reset-event-log").returncode == 0
    assert run_query(server, "SELECT COUNT(*) FROM core_eventlog") == [(0,)]
    run_query(server, "INSERT INTO core_eventlog (id, epoch) VALUES (1, 'again')")


def test_a_newer_version_s_database_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", **settings_of(postgresql.new_database()))
    server.user()
    newer = "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_later', now())"
    run_query(server, newer)
    assert "newer version" in refusal(server, "user", "add", "anna", "--no-password")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://me:{CANARY}@/scans?host=/nowhere", "cannot be used"),
        (f"postgresql://me:{CANARY}@127.0.0.1:1/scans", "cannot be used"),
        (f"mysql://me:{CANARY}@h/scans", "SCANRILL_DATABASE_URL is no address of PostgreSQL"),
    ],
)
def test_a_database_that_is_not_there_is_refused_in_one_line_without_its_password(
    url: str, said: str, tmp_path: Path
) -> None:
    line = refusal(Server(tmp_path / "data", **settings_of(url)), "serve", "--port", "0")
    assert said in line
    assert CANARY not in line


def test_s36_without_a_key_of_its_own_it_does_not_start(tmp_path: Path) -> None:
    url = postgresql.new_database()
    server = Server(tmp_path / "data", DATABASE_URL=url, SECRET_KEY="")
    assert "SCANRILL_SECRET_KEY" in refusal(server, "serve", "--port", "0")
    assert not (tmp_path / "data" / "secret.key").exists()


def test_an_embedded_server_keeps_its_data_directory_to_itself(pair: list[Server]) -> None:
    alone = Server(pair[0].data_dir, DATABASE_URL="", REDIS_URL="")
    assert "in use by another" in refusal(alone, "serve", "--port", "0")


def test_who_migrates_waits_for_who_does(tmp_path: Path) -> None:
    url = postgresql.new_database()
    server = Server(tmp_path / "data", **settings_of(url))
    with psycopg.connect(url, autocommit=True) as other, ThreadPoolExecutor(1) as threads:
        other.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"scanrill")])
        adding = threads.submit(server.user)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'"
        while not other.execute(waiting).fetchone():
            assert not adding.done(), "it did not wait"
        assert other.execute("SELECT to_regclass('core_user')").fetchone() == (None,)
        other.execute("SELECT pg_advisory_unlock_all()")
        assert adding.result()
