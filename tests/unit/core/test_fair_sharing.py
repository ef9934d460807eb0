"""Fair sharing: places and threads by turns of users."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend_main.core import fair_sharing
from backend_main.core.fair_sharing import FairExecutor, FairSemaphore


async def run_until_blocked() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def take(turns: FairSemaphore, user: str, order: list[str]) -> None:
    await turns.acquire(user)
    order.append(user)


def start(turns: FairSemaphore, order: list[str], *users: str) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(take(turns, user, order)) for user in users]


async def test_semaphore_gives_a_place_to_the_user_with_least_use() -> None:
    turns, order = FairSemaphore(1), list[str]()
    for user, seconds in (("ada", 100.0), ("bob", 1.0), ("eve", 10.0)):
        await turns.acquire(user)
        turns.release(user, seconds)
    await turns.acquire("first")
    tasks = start(turns, order, "ada", "ada", "eve", "bob", "new")
    await run_until_blocked()
    turns.release("first", 0.0)
    for seconds in (0.0, 2000.0, 0.0, 0.0, 0.0):
        await run_until_blocked()
        turns.release(order[-1], seconds)
    await asyncio.gather(*tasks)
    assert order == ["new", "bob", "eve", "ada", "ada"]


async def test_semaphore_limits_the_places_of_a_user() -> None:
    turns, order = FairSemaphore(None, 2), list[str]()
    tasks = start(turns, order, *["ada"] * 4, "bob")
    await run_until_blocked()
    assert order == ["ada", "ada", "bob"]
    turns.release("bob", 0.0)
    await run_until_blocked()
    assert order == ["ada", "ada", "bob"]
    turns.release("ada", 0.0)
    await run_until_blocked()
    assert order == ["ada", "ada", "bob", "ada"]
    for _ in range(2):
        turns.release("ada", 0.0)
    await asyncio.gather(*tasks)


async def test_semaphore_keeps_the_marks_of_the_last_users_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_sharing, "MAX_USERS", 2)
    turns = FairSemaphore(1)
    for user in ("ada", "bob", "ada", "eve"):
        await turns.acquire(user)
        turns.release(user, 1.0)
    assert turns._marks.keys() == {"ada", "eve"}


async def test_executor_keeps_the_place_of_a_cancelled_caller_until_its_thread_ends() -> None:
    fair, ends, calls = FairExecutor(ThreadPoolExecutor(2), 2, 1), threading.Event(), list[str]()

    def call(name: str) -> None:
        calls.append(name)
        ends.wait()

    first = asyncio.create_task(fair.run("ada", call, "first"))
    while not calls:
        await asyncio.sleep(0)
    first.cancel()
    second = asyncio.create_task(fair.run("ada", call, "second"))
    await run_until_blocked()
    assert calls == ["first"]
    ends.set()
    await second
    assert calls == ["first", "second"]


async def test_executor_returns_the_place_after_an_exception() -> None:
    fair = FairExecutor(ThreadPoolExecutor(1), 1, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await fair.run("ada", lambda: 1 / 0)
