"""Commands `user add` and `token`, and the token endpoints of the REST API."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.test_serve import refusal, scanrill
from tests.support.database_rows import run_query
from tests.support.problems import errors_of
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

PASSWORD = " a good pass phrase, é \n"  # white space is part of it


@pytest.fixture(scope="session")
def anna(server: Server) -> str:
    """Add a user with `PASSWORD` beside the running server, and return the name."""
    added = server.command("user", "add", "anna", "--password-stdin", stdin=PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    assert added.stdout == ""
    return "anna"


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def obtain(server: Server, name: str, password: str) -> httpx.Response:
    return httpx.post(f"{server.http}/api/token/", json={"username": name, "password": password}, timeout=30)


# ── user add ──


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("anna", "another pass phrase", "already exists"),
        ("bert", "short", "too short"),
        ("bert", "password1234", "too common"),
        ("bert", "", "too short"),
        ("no spaces", "another pass phrase", "username"),
        ("", "another pass phrase", "blank"),
    ],
)
def test_user_add_refuses_invalid_names_and_passwords(
    name: str, password: str, message: str, server: Server, anna: str
) -> None:
    line = refusal(server.command("user", "add", name, "--password-stdin", stdin=password + "\n"))
    assert message in line
    assert run_query(server, "SELECT 1 FROM core_user WHERE username IN ('bert', 'no spaces', '')") == []


def test_user_add_password_is_stdin_without_one_newline(server: Server, anna: str) -> None:
    assert obtain(server, anna, PASSWORD).status_code == 200
    for wrong in (PASSWORD + "\n", PASSWORD.strip(), PASSWORD.rstrip("\n")):
        assert obtain(server, anna, wrong).status_code == 401


def test_user_add_and_token_work_on_an_empty_data_directory(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    assert refusal(scanrill(data, "token", "anna")).endswith("`scanrill user add anna`.")
    added = scanrill(data, "user", "add", "anna", "--no-password")
    assert (added.returncode, added.stdout, added.stderr) == (0, "", "User anna added.\n")
    assert scanrill(data, "token", "anna").returncode == 0


def test_user_add_without_terminal_and_options_says_that_there_is_no_password(tmp_path: Path) -> None:
    added = scanrill(tmp_path / "data", "user", "add", "anna")
    assert added.stderr == (
        "User anna added without a password. Set one with `scanrill user password anna`.\n"
    )


# ── token ──


async def test_token_prints_only_a_token_that_opens_a_socket(server: Server, anna: str) -> None:
    printed = server.command("token", anna, "--ttl", "90s")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", printed.stdout)
    claims = payload(printed.stdout.strip())
    assert claims["token_type"] == "access"
    assert claims["sub"] == server.user_id(anna)
    assert 60 < claims["exp"] - time.time() <= 90
    async with WebSocketClient(server.url(token=printed.stdout.strip())) as client:
        assert (await client.request({"type": "list"}))["list"] == []


async def test_token_in_the_authorization_header_opens_a_socket(server: Server, token: str) -> None:
    async with WebSocketClient(
        server.url(), additional_headers={"Authorization": f"Bearer {token}"}
    ) as client:
        assert (await client.request({"type": "list"}))["list"] == []


def test_token_of_an_unknown_user_is_refused(server: Server) -> None:
    assert "nobody" in refusal(server.command("token", "nobody"))


# ── token endpoints ──


async def test_token_endpoint_returns_tokens_that_work_and_refresh(server: Server, anna: str) -> None:
    reply = obtain(server, anna, PASSWORD)
    assert reply.json().keys() == {"access", "refresh"}
    tokens = reply.json()
    refreshed = httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": tokens["refresh"]})
    assert refreshed.status_code == 200
    assert refreshed.json().keys() == {"access", "refresh"}
    for access in (tokens["access"], refreshed.json()["access"]):
        async with WebSocketClient(server.url(token=access)) as client:
            assert (await client.request({"type": "list"}))["list"] == []
    assert 3500 < payload(tokens["access"])["exp"] - time.time() <= 3600
    async with WebSocketClient(server.url(token=tokens["refresh"])) as client:
        assert await client.close_code() == 4401


@pytest.mark.parametrize(
    "body",
    [
        {"username": "anna", "password": "wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": "anna", "password": ""},
        {"username": "anna"},
        {"username": ["anna"], "password": {"a": 1}},
        {"username": "anna\x00", "password": PASSWORD},
        {},
        [],
    ],
)
def test_token_endpoint_refuses_wrong_passwords_like_unknown_users(
    body: object, server: Server, anna: str
) -> None:
    reply = httpx.post(f"{server.http}/api/token/", json=body, timeout=30)
    assert reply.status_code in (400, 401)
    assert "access" not in reply.json()
    if (
        isinstance(body, dict)
        and body.get("password") in ("wrong", PASSWORD)
        and "\x00" not in body["username"]
    ):
        assert (reply.status_code, errors_of(reply)["detail"]) == (
            401,
            "No active account found with the given credentials",
        )


def test_token_endpoint_errors_are_sentences(server: Server) -> None:
    nothing = httpx.post(f"{server.http}/api/token/", json={})
    message = "This field is required."
    assert errors_of(nothing) == {"username": message, "password": message}
    no_object = httpx.post(f"{server.http}/api/token/", json=[])
    assert no_object.status_code == 400
    assert "ErrorDetail" not in no_object.text
    for path, body in (("/api/token/refresh/", {"refresh": "x"}), ("/api/me/", None)):
        method = "POST" if body else "GET"
        headers = {"Authorization": "Bearer x"}
        refused = httpx.request(method, server.http + path, json=body, headers=headers)
        assert refused.status_code == 401
        assert errors_of(refused) == {"detail": "The token is invalid or expired."}


async def test_deactivated_user_gets_no_token_and_loses_open_sockets(server: Server) -> None:
    name = "carl"
    server.command("user", "add", name, "--password-stdin", stdin="a good pass phrase")
    tokens = obtain(server, name, "a good pass phrase").json()
    async with WebSocketClient(server.url(token=tokens["access"])) as client:
        assert (await client.request({"type": "list"}))["list"] == []
        disable = "UPDATE core_user SET is_active = ? WHERE username = ?"
        await asyncio.to_thread(run_query, server, disable, False, name)
        assert await client.close_code() == 4401
    assert obtain(server, name, "a good pass phrase").status_code == 401
    reply = httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": tokens["refresh"]})
    assert reply.status_code == 401
    async with WebSocketClient(server.url(token=tokens["access"])) as client:
        assert await client.close_code() == 4401
    assert "No active user" in refusal(server.command("token", name))


def test_log_has_no_tokens_and_no_passwords(server: Server, anna: str, token: str) -> None:
    httpx.get(f"{server.http}/?token={token}")
    obtain(server, anna, PASSWORD)
    assert token not in server.log
    assert "good pass phrase" not in server.log
    assert "[redacted]" in server.log
