"""C2 - sign-in attempts without a token take the server's cores, threads and memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from backend_main.core.auth import passwords
from backend_main.core.auth.passwords import MAX_WAITING_CHECKS, HashingThread
from backend_main.core.errors import SignInLimited
from tests.support.problems import errors_of
from tests.support.server import Server

ATTEMPTS = 20


def attempt(server: Server, name: str, **more: object) -> httpx.Response:
    body = {"username": name, "password": "a wrong pass phrase"} | more
    return httpx.post(f"{server.http}/api/token/", json=body, timeout=60)


def test_c2_attempts_with_new_names_from_one_address_are_limited(new_server: Callable[..., Server]) -> None:
    server = new_server(PASSWORD_TRIES_PER_ADDRESS="4")
    with ThreadPoolExecutor(ATTEMPTS) as threads:
        answers = list(threads.map(lambda number: attempt(server, f"name-{number}"), range(ATTEMPTS)))
    assert sorted(answer.status_code for answer in answers) == [401] * 4 + [429] * (ATTEMPTS - 4)
    waits = [int(answer.headers["retry-after"]) for answer in answers if answer.status_code == 429]
    assert all(0 < wait <= 60 for wait in waits)


def test_c2_attempts_from_all_addresses_together_are_limited(new_server: Callable[..., Server]) -> None:
    server = new_server(PASSWORD_TRIES_IN_ALL="3")
    statuses = []
    for number in range(1, 6):  # each attempt has another name and another address
        transport = httpx.HTTPTransport(local_address=f"127.0.0.{number}")
        with httpx.Client(transport=transport, timeout=60) as http:
            body = {"username": f"name-{number}"}
            statuses.append(http.post(f"{server.http}/api/token/", json=body).status_code)
    assert statuses == [400, 400, 400, 429, 429]


@pytest.mark.parametrize("path", ["/api/token/", "/api/token/code/", "/api/token/refresh/"])
def test_c2_body_above_16_kib_is_refused(path: str, server: Server) -> None:
    body = {"username": "ada", "password": "x", "refresh": "x", "code": "x", "more": "[]," * 8_000}
    answer = httpx.post(f"{server.http}{path}", json=body, headers={"Origin": server.http})
    assert answer.status_code in (400, 413)
    assert "limit" in answer.text


def test_c2_name_above_150_characters_is_refused_before_hashing(server: Server) -> None:
    answer = attempt(server, "n" * 151)
    assert answer.status_code == 400
    assert errors_of(answer).keys() == {"username"}


async def test_c2_checks_run_one_at_a_time_and_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most_running, go_on = [0], [0], threading.Event()

    def check(password: str, encoded: str) -> tuple[bool, str | None]:
        running[0] += 1
        most_running[0] = max(most_running[0], running[0])
        go_on.wait()
        running[0] -= 1
        return False, None

    monkeypatch.setattr(passwords, "_check", check)
    thread = HashingThread("test")
    checks = [asyncio.create_task(thread.check("a password", "!")) for _ in range(60)]
    await asyncio.sleep(0)
    refused = [task for task in checks if task.done() and isinstance(task.exception(), SignInLimited)]
    go_on.set()  # also if the test fails: the thread must end
    assert len(refused) == 60 - MAX_WAITING_CHECKS
    assert await asyncio.gather(*set(checks) - set(refused)) == [(False, None)] * MAX_WAITING_CHECKS
    assert most_running == [1]
