"""Step 10 - work done side by side, its results in the order it was given."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    pool: Executor, lanes: int, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Each result as soon as it and all before it are there. Who stops early leaves little behind."""
    running: deque[Future[Result]] = deque()
    for item in items:
        running.append(pool.submit(work, item))
        if len(running) > lanes:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()
