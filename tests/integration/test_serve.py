"""Command `serve`: refused starts, files of a start, and stop and restart."""

from __future__ import annotations

import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.page_images import scripted_png
from tests.support.s3 import S3
from tests.support.server import SCANRILL, Server, environment
from tests.support.websocket_client import TERMINAL, WebSocketClient

Run = subprocess.CompletedProcess[str]
EXIT_SECONDS = 10


def scanrill(data_dir: Path, *arguments: str, stdin: str = "", **settings: str) -> Run:
    """Run a command on a data directory, with these settings only."""
    return subprocess.run(
        [*SCANRILL, *arguments],
        env=environment(data_dir, **settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def refusal(run: Run) -> str:
    """Return the line that a failed command printed; assert that it is the only one."""
    assert run.returncode == 1, run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    [line] = run.stderr.splitlines()
    assert line.startswith("scanrill: ")
    return line


# ── refused ──


def test_serve_on_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = refusal(scanrill(tmp_path / "data", "serve", "--port", str(port), ENGINE="dummy"))
    assert str(port) in line
    assert "--port" in line


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_serve_on_an_unwritable_data_directory_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    line = refusal(scanrill(tmp_path / path, "serve", "--port", "0", ENGINE="dummy"))
    assert str(tmp_path / path) in line
    assert (tmp_path / "file").read_text() == "no directory"


@pytest.mark.embedded("other servers share the data directory")
def test_serve_on_a_data_directory_in_use_is_refused(server: Server) -> None:
    line = refusal(server.command("serve", "--port", "0"))
    assert "uses the data directory" in line
    assert str(server.data_dir) in line
    assert server.process.poll() is None


def test_serve_on_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert scanrill(data, "user", "add", "anna", "--no-password").returncode == 0
    path = data / "scanrill.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_later', '2030-01-01')"
        )
    database.close()
    for command in (["serve", "--port", "0"], ["user", "add", "bert", "--no-password"]):
        assert "newer version" in refusal(scanrill(data, *command, ENGINE="dummy"))
    database = sqlite3.connect(path)
    assert database.execute("SELECT username FROM core_user").fetchall() == [("anna",)]
    database.close()


def test_serve_on_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scanrill.sqlite3").write_bytes(b"no database" * 1000)
    assert "database" in refusal(scanrill(tmp_path, "serve", "--port", "0", ENGINE="dummy"))


def test_serve_with_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    line = refusal(scanrill(tmp_path, "serve", "--port", "0", ENGINE="magic"))
    assert "SCANRILL_ENGINE" in line
    assert "magic" in line
    assert "rapid" in line


def test_serve_with_an_invalid_setting_names_its_variable(tmp_path: Path) -> None:
    line = refusal(scanrill(tmp_path, "serve", "--port", "0", READERS="two"))
    assert "SCANRILL_READERS" in line
    assert not list(tmp_path.iterdir())


def test_serve_with_contradicting_settings_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    line = refusal(scanrill(data, "serve", "--port", "0", ENGINE="dummy", JWT_ALGORITHM="RS256"))
    assert "SCANRILL_JWT_VERIFYING_KEY" in line
    line = refusal(scanrill(data, "serve", "--port", "0", ENGINE="dummy", IMPORT_ROOTS=str(data / "files")))
    assert "SCANRILL_DATA_DIR" in line


def test_serve_with_an_unavailable_bucket_is_refused(s3: S3, tmp_path: Path) -> None:
    url = s3.url(bucket="missing", credentials="the-key:the-secret@")
    line = refusal(scanrill(tmp_path / "data", "serve", "--port", "0", ENGINE="dummy", STORAGE_URL=url))
    assert "SCANRILL_STORAGE_URL: The bucket missing cannot be used" in line
    assert "the-secret" not in line
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"s3://a:b@scans?region=x&endpoint=http://127.0.0.1:{closed.getsockname()[1]}"
    line = refusal(scanrill(tmp_path / "data", "serve", "--port", "0", ENGINE="dummy", STORAGE_URL=url))
    assert "Could not connect" in line


def test_invalid_storage_url_is_refused_by_every_command(tmp_path: Path) -> None:
    for url in ("s3://scans?ssl=no", f"file://{tmp_path / 'file'}/below"):
        (tmp_path / "file").write_text("no directory")
        refusal(scanrill(tmp_path / "data", "sweep", STORAGE_URL=url))


def test_bucket_without_the_extra_s3_prints_what_to_install(tmp_path: Path) -> None:
    without_extra = "import sys; sys.modules['storages'] = None; " + SCANRILL[2]
    run = subprocess.run(
        [sys.executable, "-c", without_extra, "serve", "--port", "0"],
        env=environment(tmp_path / "data", ENGINE="dummy", STORAGE_URL="s3://scans"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "make install EXTRAS=s3" in refusal(run)


# ── for other machines ──


def test_serve_on_a_public_host_requires_secret_hosts_and_a_user(tmp_path: Path) -> None:
    data = tmp_path / "data"
    serve = ["serve", "--host", "0.0.0.0", "--port", "0"]
    line = refusal(scanrill(data, *serve, ENGINE="dummy"))
    for missing in ("SCANRILL_SECRET_KEY", "SCANRILL_ALLOWED_HOSTS", "scanrill user add"):
        assert missing in line
    settings = {"ENGINE": "dummy", "SECRET_KEY": "0123456789abcdef" * 4, "ALLOWED_HOSTS": "scans.example"}
    server = Server(data, "--host", "0.0.0.0", **settings)
    tokens_only = server.command("user", "add", "robot", "--no-password")
    assert tokens_only.returncode == 0
    line = refusal(server.command(*serve))
    assert "scanrill user add" in line
    assert "SECRET_KEY" not in line

    added = server.command("user", "add", "anna", "--password-stdin", stdin="a good pass phrase\n")
    assert added.returncode == 0, added.stderr
    server.start()
    try:
        assert "--url" in refusal(server.command("link"))
        link = server.command("link", "robot", "--url", "https://scans.example")
        assert link.stdout.startswith("https://scans.example/#code=")
    finally:
        assert server.stop() == 0
    assert server.unused_link_count == 0, "a public server prints no sign-in link"


# ── files of a start ──


def test_data_directory_is_readable_only_by_its_owner(server: Server) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data_dir.iterdir()}
    if server.is_embedded:
        assert modes["secret.key"] == 0o600
    assert modes["files"] == modes["incoming"] == 0o700
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


# ── stop and restart ──


async def test_reading_resumes_after_stop_and_after_kill(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    server = new_server()
    token = server.token(server.user())
    async with WebSocketClient(server.url(token=token)) as client:
        image = scripted_png(lines=["one", "two"], touch=str(started), wait_for=str(go))
        upload_id = (await client.create(image))["instance"]["id"]
        await client.receive_until(lambda m: m.get("status") == "processing")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < EXIT_SECONDS
        assert await client.close_code() == 1012

    server.start()
    async with WebSocketClient(server.url(token=token)) as client:
        await client.receive_until(lambda m: m.get("id") == upload_id and m.get("status") == "processing")
        assert server.stop(9) == -9

    server.start()
    go.touch()
    async with WebSocketClient(server.url(token=token)) as client:
        state = (await client.request({"type": "retrieve", "instance_id": upload_id}))["instance"]
        if state["status"] not in TERMINAL:
            await client.terminal_message(upload_id)
            state = (await client.request({"type": "retrieve", "instance_id": upload_id}))["instance"]
    assert (state["status"], state["raw_text"]) == ("processed", "one\ntwo")
    assert "Traceback" not in server.log
