"""Commands `user list`, `password`, `deactivate`, `activate`, `sign-out` and `delete`, beside a server."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.test_serve import refusal, scanrill
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.message_checks import assert_no_more_messages
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.stored_files import paths_in
from tests.support.websocket_client import WebSocketClient

PASSWORD = "a good pass phrase"
NEW_PASSWORD = "another good pass phrase"


@pytest.fixture
def ada(server: Server) -> Account:
    account = Account.create(server)
    account.set_password(PASSWORD)
    return account


def sign_in(account: Account, password: str = PASSWORD) -> httpx.Response:
    body = {"username": account.name, "password": password}
    return httpx.post(f"{account.server.http}/api/token/", json=body, timeout=60)


async def command(account: Account, *arguments: str, stdin: str = "") -> str:
    """Run a command that succeeds and prints nothing but one line on standard error; return that line."""
    run = await asyncio.to_thread(account.server.command, "user", *arguments, stdin=stdin)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    [line] = run.stderr.splitlines()
    return line


@pytest.mark.parametrize("action", ["sign-out", "deactivate", "password"])
async def test_user_command_ends_sessions_and_closes_sockets(ada: Account, action: str) -> None:
    tokens = sign_in(ada).json()
    bob = Account.create(ada.server)
    async with (
        WebSocketClient(ada.server.url(token=tokens["access"])) as socket,
        ada.client() as without_session,
        bob.client() as other,
    ):
        arguments = ["--password-stdin"] if action == "password" else []
        assert ada.name in await command(ada, action, ada.name, *arguments, stdin=NEW_PASSWORD)
        assert [await client.close_code() for client in (socket, without_session)] == [4401, 4401]
        await assert_no_more_messages(other)
    body = {"refresh": tokens["refresh"]}
    assert httpx.post(f"{ada.server.http}/api/token/refresh/", json=body).status_code == 401
    expected = {"sign-out": (200, 401), "deactivate": (401, 401), "password": (401, 200)}[action]
    assert (sign_in(ada).status_code, sign_in(ada, NEW_PASSWORD).status_code) == expected


async def test_user_activate_allows_new_sign_ins_only(ada: Account) -> None:
    tokens = sign_in(ada).json()
    await command(ada, "deactivate", ada.name)
    await command(ada, "activate", ada.name)
    me = httpx.get(f"{ada.server.http}/api/me/", headers={"Authorization": f"Bearer {tokens['access']}"})
    assert me.status_code == 401
    assert sign_in(ada).status_code == 200


async def test_user_delete_removes_uploads_files_and_user(ada: Account) -> None:
    with httpx.Client(base_url=ada.server.http, headers=ada.headers, timeout=60) as http:
        keys = [
            http.post("/api/uploads/", content=scripted_png(lines=[text])).json()["instance"]["id"]
            for text in ("one", "two")
        ]
    async with ada.client() as socket:
        await command(ada, "delete", ada.name, "--yes")
        with suppress(ConnectionClosed):  # the events of the deletions may come first
            while True:
                await socket.receive()
        assert await socket.close_code() == 4401
    for table, column in (("core_user", "id"), ("core_upload", "owner_id"), ("core_event", "owner_id")):
        assert run_query(ada.server, f"SELECT 1 FROM {table} WHERE {column} = ?", ada.id.hex) == []
    assert not [path for path in paths_in(ada.server.data_dir) if any(key in str(path) for key in keys)]


def test_user_delete_without_terminal_needs_a_confirmation(ada: Account) -> None:
    line = refusal(ada.server.command("user", "delete", ada.name))
    assert "--yes" in line
    assert sign_in(ada).status_code == 200


def test_user_password_without_terminal_needs_an_option(ada: Account) -> None:
    assert "--password-stdin" in refusal(ada.server.command("user", "password", ada.name))
    assert sign_in(ada).status_code == 200


def test_user_password_refuses_a_weak_one(ada: Account) -> None:
    line = refusal(ada.server.command("user", "password", ada.name, "--password-stdin", stdin="short"))
    assert "too short" in line
    assert sign_in(ada).status_code == 200


def test_user_list_shows_state_sign_in_sessions_and_uploads(tmp_path: Path) -> None:
    scanrill(tmp_path, "user", "add", "ada", "--password-stdin", stdin=PASSWORD)
    scanrill(tmp_path, "user", "add", "bob", "--no-password")
    scanrill(tmp_path, "user", "deactivate", "bob")
    listed = scanrill(tmp_path, "user", "list")
    assert listed.returncode == 0
    head, ada, bob = (line.split() for line in listed.stdout.splitlines())
    assert head[:2] == ["user", "state"]
    assert ada == ["ada", "active", "password", "0", "0"]
    assert bob == ["bob", "deactivated", "link", "or", "token", "0", "0"]
    rows = [json.loads(line) for line in scanrill(tmp_path, "user", "list", "--json").stdout.splitlines()]
    assert [(row["name"], row["is_active"], row["has_password"]) for row in rows] == [
        ("ada", True, True),
        ("bob", False, False),
    ]


@pytest.mark.parametrize("action", ["password", "deactivate", "activate", "sign-out", "delete"])
def test_user_command_for_an_unknown_name_fails_in_one_line(server: Server, action: str) -> None:
    options = {"password": ["--no-password"], "delete": ["--yes"]}.get(action, [])
    assert "scanrill user list" in refusal(server.command("user", action, "nobody", *options))
