"""Fair sharing of a resource between users: recent use as one number, places, and threads.

A user who has used more of a resource recently waits behind one who has used less. Recent use is the time of
use in seconds; it decays by half in `HALF_LIFE_SECONDS`. All use decays alike, so the order of two users
changes only when one of them uses the resource. The use of a user is therefore stored as one number, a mark:
the moment at which the decayed use is one second. The later the mark, the larger the use.
"""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# A few times the default limit of one page (120 s), so that a slow page is paid back nearly whole. A user who
# had the resource alone waits at most this long behind a new user.
HALF_LIFE_SECONDS = 300.0
MIN_USE_SECONDS = 0.001
# 36 days of use: a larger number is an error of the clock.
MAX_USE_SECONDS = 2.0**21
# Users with a mark in a process. The mark of the user who used the resource least recently is removed.
MAX_USERS = 10_000


def add_use(mark: float | None, now: float, seconds: float) -> float:
    """Return the mark after a use that ends now.

    Args:
        mark: The mark before; None: no use. In seconds on the same clock as `now`.
        now: The present time, in seconds.
        seconds: The duration of the use.
    """
    used = 0.0
    if mark is not None:
        used = 2.0 ** min((mark - now) / HALF_LIFE_SECONDS, math.log2(MAX_USE_SECONDS))
    total = min(used + max(seconds, MIN_USE_SECONDS), MAX_USE_SECONDS)
    return now + HALF_LIFE_SECONDS * math.log2(total)


class FairSemaphore:
    """Gives places to users by turns; for the event loop only.

    A free place goes to the waiting user with fewest places. Among several, it goes to the one who has used
    places least, and then to the one who waits longest.

    Args:
        places: Number of places; None: only the number for each user is limited.
        per_user: Largest number of places of one user; None: all of them.
    """

    def __init__(self, places: int | None, per_user: int | None = None) -> None:
        self._places = places
        self._per_user = per_user
        self._held: Counter[Hashable] = Counter()
        self._marks: dict[Hashable, float] = {}
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(self, user: Hashable) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self.acquire(user)
        started_at = time.monotonic()
        try:
            yield
        finally:
            self.release(user, time.monotonic() - started_at)

    async def acquire(self, user: Hashable) -> None:
        """Wait for a place; `release` must follow."""
        if self._has_place(user):
            self._held[user] += 1
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                self._drop_waiting(user, future)
            else:  # the place was given before the cancellation
                self.release(user, 0.0)
            raise

    def release(self, user: Hashable, used_seconds: float) -> None:
        """Return a place, and give it to a user who waits."""
        self._held[user] -= 1
        if not self._held[user]:
            del self._held[user]
        # In the order of the last use, so that a removal does not search all users.
        self._marks[user] = add_use(self._marks.pop(user, None), time.monotonic(), used_seconds)
        if len(self._marks) > MAX_USERS:
            del self._marks[next(iter(self._marks))]
        self._give_places()

    def _has_place(self, user: Hashable) -> bool:
        is_any_free = self._places is None or self._held.total() < self._places
        return is_any_free and (self._per_user is None or self._held[user] < self._per_user)

    def _give_places(self) -> None:
        while eligible := [user for user in self._waiting if self._has_place(user)]:
            user = min(eligible, key=lambda user: (self._held[user], self._marks.get(user, -math.inf)))
            queue = self._waiting.pop(user)
            future = queue.popleft()
            if queue:
                self._waiting[user] = queue  # behind the users who wait longer
            if not future.done():
                self._held[user] += 1
                future.set_result(None)

    def _drop_waiting(self, user: Hashable, future: asyncio.Future[None]) -> None:
        queue = self._waiting.get(user, deque())
        if future in queue:
            queue.remove(future)
        if not queue:
            self._waiting.pop(user, None)


class FairExecutor:
    """Threads that users share by turns.

    Args:
        threads: The threads; others may use them too.
        places: Largest number of calls at once.
        per_user: Largest number of calls of one user at once.
        within: Executor whose places the calls take too.
    """

    def __init__(
        self, threads: ThreadPoolExecutor, places: int, per_user: int, within: FairExecutor | None = None
    ) -> None:
        self._threads = threads
        self._turns: list[FairSemaphore] = [FairSemaphore(places, per_user)]
        if within is not None:
            self._turns += within._turns

    async def run(self, user: Hashable, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function on a thread when it is the user's turn; return its result or raise its exception.

        The user holds a place until the thread is free, also if the caller is cancelled before.
        """
        acquired: list[FairSemaphore] = []
        try:
            for turns in self._turns:
                await turns.acquire(user)
                acquired.append(turns)
            started_at = time.monotonic()
            call = functools.partial(function, *args, **kwargs)
            running = asyncio.get_running_loop().run_in_executor(self._threads, call)
        except BaseException:  # cancelled, or the threads are shut down
            for turns in acquired:
                turns.release(user, 0.0)
            raise

        def on_end(ended: asyncio.Future[T]) -> None:
            for turns in acquired:
                turns.release(user, time.monotonic() - started_at)
            if not ended.cancelled():
                ended.exception()  # nobody may wait for it any more

        running.add_done_callback(on_end)
        return await asyncio.shield(running)
