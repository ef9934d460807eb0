"""M4 - guesses of strangers lock a user's name, or get past the limit: by addresses, processes or races."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from backend_main.core.auth.attempts import WINDOW_SECONDS, Limit, LocalCounters, SharedCounters
from tests.support.accounts import Account
from tests.support.redis import Redis
from tests.support.server import Server

PASSWORD = "a good pass phrase"
Http = Callable[..., httpx.Client]


@pytest.fixture
def http() -> Iterator[Http]:
    """Return a function that opens a client of a server; `number` chooses its address on the loopback."""
    with ExitStack() as clients:

        def open_client(server: Server, number: int = 1) -> httpx.Client:
            transport = httpx.HTTPTransport(local_address=f"127.0.0.{number}")
            headers = {"Origin": server.http}
            client = httpx.Client(transport=transport, base_url=server.http, headers=headers, timeout=60)
            return clients.enter_context(client)

        yield open_client


@pytest.fixture
def small_limits(new_server: Callable[..., Server]) -> Server:
    return new_server(PASSWORD_TRIES_PER_MINUTE="3", PASSWORD_TRIES_PER_NAME="6")


@pytest.fixture
def ada(small_limits: Server) -> Account:
    account = Account.create(small_limits)
    account.set_password(PASSWORD)
    return account


def sign_in(http: httpx.Client, name: str, password: str = PASSWORD, *, cookie: bool = True) -> int:
    body = {"username": name, "password": password, "cookie": cookie}
    return http.post("/api/token/", json=body).status_code


def guess(http: httpx.Client, name: str) -> int:
    """Attempt without a password: it counts, and the server computes no hash."""
    return http.post("/api/token/", json={"username": name}).status_code


def test_m4_name_under_attack_is_open_to_browsers_that_signed_in_before(http: Http, ada: Account) -> None:
    server = ada.server
    browser = http(server, 1)
    assert sign_in(browser, ada.name) == 200
    statuses = [guess(http(server, number), ada.name) for number in (2, 3, 4, 5, 6) for _ in range(3)]
    assert statuses.count(400) == 5, "the limit of the name counts all addresses, and the sign-in above"
    assert sign_in(http(server, 9), ada.name) == 429, "a new browser has to wait"
    browser.delete("/api/token/")
    assert sign_in(browser, ada.name) == 200


def test_m4_mark_of_a_browser_is_for_its_name_only_and_cannot_be_forged(http: Http, ada: Account) -> None:
    server = ada.server
    bob = Account.create(server)
    bob.set_password(PASSWORD)
    browser, forger = http(server, 1), http(server, 2)
    assert sign_in(browser, bob.name) == 200
    mark = browser.cookies["scanrill_device"]
    forger.cookies.set("scanrill_device", mark[:-3] + "abc", path="/api/token/")
    for name in (ada.name, bob.name):  # no stranger may try these names any more
        assert [guess(http(server, number), name) for number in (3, 4, 5) for _ in range(3)][-1] == 429
    assert guess(browser, bob.name) == 400
    assert guess(browser, ada.name) == 429
    assert guess(forger, bob.name) == 429


def test_m4_browser_that_signed_in_before_has_a_limit_too(http: Http, ada: Account) -> None:
    browser = http(ada.server)
    assert sign_in(browser, ada.name) == 200
    mark = browser.cookies["scanrill_device"]
    for _ in range(3):
        assert guess(browser, ada.name) == 400
    assert sign_in(browser, ada.name) == 429
    assert browser.cookies["scanrill_device"] == mark


# ── counters ──


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_m4_counters_admit_exactly_the_limit_and_again_after_the_window() -> None:
    clock = Clock()
    counters, limit = LocalCounters(clock), Limit("a", 3)
    assert [await counters.admit([limit]) for _ in range(3)] == [0.0] * 3
    clock.now += WINDOW_SECONDS - 1
    assert await counters.admit([limit]) == 1.0, "refused attempts do not extend the window"
    clock.now += 1
    assert await counters.admit([limit]) == 0.0


async def test_m4_counters_refused_attempt_counts_nowhere_and_takes_no_memory() -> None:
    counters, full = LocalCounters(Clock()), Limit("full", 1)
    assert await counters.admit([full]) == 0.0
    for number in range(1000):
        assert await counters.admit([full, Limit("all", 5), Limit(f"name-{number}", 5)])
    assert len(counters._counts) == 1
    assert [bool(await counters.admit([Limit("all", 5)])) for _ in range(6)] == [False] * 5 + [True]


async def test_m4_counters_remove_and_give_back() -> None:
    counters, limits = LocalCounters(Clock()), [Limit("a", 2), Limit("b", 2)]
    for _ in range(2):
        assert await counters.admit(limits) == 0.0
    await counters.remove(["a"])
    await counters.give_back("b")
    assert [bool(await counters.admit(limits)) for _ in range(2)] == [False, True]


@pytest.fixture
async def open_counters(redis_server: Redis) -> AsyncIterator[Callable[[], SharedCounters]]:
    """Return a function that creates the counters of one more process."""
    opened: list[SharedCounters] = []

    def open_one() -> SharedCounters:
        opened.append(SharedCounters(redis_server.url, "test:"))
        return opened[-1]

    yield open_one
    for counters in opened:
        await counters.close()


async def test_m4_counters_in_redis_are_exact_over_processes(
    redis_server: Redis, open_counters: Callable[[], SharedCounters]
) -> None:
    processes = [open_counters(), open_counters()]
    limits = [Limit("name", 10), Limit("all", 50)]
    waits = await asyncio.gather(*(processes[number % 2].admit(limits) for number in range(60)))
    assert sum(wait == 0 for wait in waits) == 10
    assert all(0 < wait <= WINDOW_SECONDS for wait in waits if wait)
    await processes[0].remove(["name"])
    await processes[0].give_back("all")
    assert [await processes[1].admit(limits) for _ in range(10)] == [0.0] * 10
    assert await processes[0].admit(limits) > 0
    assert redis_server.command("GET", "test:all") == b"19"


async def test_m4_counters_without_redis_count_in_each_process(
    redis_server: Redis, open_counters: Callable[[], SharedCounters]
) -> None:
    counters, limit = open_counters(), Limit("name", 2)
    assert await counters.admit([limit]) == 0.0
    redis_server.stop()
    assert [bool(await counters.admit([limit])) for _ in range(3)] == [False, False, True]
    await counters.remove(["name"])
    await counters.give_back("name")
    assert await counters.admit([limit]) == 0.0
