"""M9 - requests of one user leave database threads to others; a multipart body has few parts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from backend_main.core.db import executor
from backend_main.core.http.multipart import MAX_PARTS
from backend_main.core.uploads import listing
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server


class SlowQueries:
    """Queries that run until `end`; it counts those that have begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.end = threading.Event()
        self._lock = threading.Lock()

    def query(self) -> None:
        with self._lock:
            self.begun += 1
        self.end.wait()


@pytest.fixture
def slow() -> Iterator[SlowQueries]:
    slow = SlowQueries()
    yield slow
    slow.end.set()


# Each call closes an outdated connection of its thread, which a test before may have left.
uses_database_threads = pytest.mark.django_db(transaction=True)


@uses_database_threads
@pytest.mark.parametrize(
    ("run", "most"),
    [
        (executor.run_for_user, executor.MAX_CALLS_PER_USER),
        (executor.run_long_query, 1),
        (executor.run_catch_up, executor.MAX_CATCH_UPS_PER_USER),
        (executor.run_export_step, 1),
    ],
)
async def test_m9_slow_queries_of_one_user_leave_threads_to_others(
    slow: SlowQueries, run: Callable[..., Awaitable[object]], most: int
) -> None:
    queries_of_ada = [asyncio.ensure_future(run("ada", slow.query)) for _ in range(40)]
    async with asyncio.timeout(30):
        while slow.begun < most:
            await asyncio.sleep(0)
        for _ in range(10):
            assert await run("bob", lambda: "answer") == "answer"
        assert await executor.run_in_db_thread(lambda: "answer") == "answer"
    assert slow.begun == most
    slow.end.set()
    await asyncio.gather(*queries_of_ada)


@uses_database_threads
async def test_m9_users_together_leave_threads_for_sign_in(slow: SlowQueries) -> None:
    users = [f"user {number}" for number in range(executor.MAX_THREADS)]
    running = [asyncio.ensure_future(executor.run_for_user(user, slow.query)) for user in users]
    async with asyncio.timeout(30):
        while slow.begun < executor.MAX_USER_CALLS:
            await asyncio.sleep(0)
        assert await executor.run_in_db_thread(lambda: "answer") == "answer"
    slow.end.set()
    await asyncio.gather(*running)


def test_m9_search_and_long_list_are_long_queries() -> None:
    assert listing.is_short(search=None, limit=listing.MAX_SHORT_LIST_SIZE, status="error")
    assert not listing.is_short(search="a", limit=1)
    assert not listing.is_short(search=None, limit=None)
    assert not listing.is_short(search=None, limit=listing.MAX_SHORT_LIST_SIZE + 1)


@pytest.mark.parametrize(("parts", "status"), [(MAX_PARTS - 1, 201), (MAX_PARTS, 400)])
def test_m9_multipart_body_of_empty_parts_is_refused(server: Server, parts: int, status: int) -> None:
    """Together with the file, these are at most `MAX_PARTS`."""
    account = Account.create(server)
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + scripted_png()
    answer = httpx.post(
        f"{server.http}/api/uploads/",
        content=b"--b\r\n\r\n\r\n" * parts + file + b"\r\n--b--\r\n",
        headers={
            "Content-Type": "multipart/form-data; boundary=b",
            "Authorization": f"Bearer {account.mint()}",
        },
    )
    assert answer.status_code == status, answer.text
