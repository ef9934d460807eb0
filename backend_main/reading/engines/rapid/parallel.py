"""Step 10 - work done side by side, its results in the order it was given."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Of so many items those alike are done one after the other. The first must not wait for others.
WINDOW_SIZES = (1, 2, 4, 8, 16)


def map_in_order(
    pool: Executor,
    lanes: int,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    likeness: Callable[[Item], float],
) -> Iterator[Result]:
    """Each result as soon as it and all before it are there. Who stops early leaves little behind.

    Work that is quicker when it is like the work before gets it so, by `sort_key`, a few items at a time.
    """
    waiting: dict[int, Result] = {}
    wanted = 0
    for place, result in _done(pool, lanes, work, _grouped(items, likeness)):
        waiting[place] = result
        while wanted in waiting:
            yield waiting.pop(wanted)
            wanted += 1


def _grouped(items: Iterable[Item], likeness: Callable[[Item], float]) -> Iterator[tuple[int, Item]]:
    """With its place, each window ordered by likeness."""
    placed = enumerate(items)
    sizes = iter(WINDOW_SIZES)
    while window := list(islice(placed, next(sizes, WINDOW_SIZES[-1]))):
        yield from sorted(window, key=lambda entry: likeness(entry[1]))


def _done(
    pool: Executor, lanes: int, work: Callable[[Item], Result], items: Iterable[tuple[int, Item]]
) -> Iterator[tuple[int, Result]]:
    running: deque[tuple[int, Future[Result]]] = deque()
    for place, item in items:
        running.append((place, pool.submit(work, item)))
        if len(running) > lanes:
            first, future = running.popleft()
            yield first, future.result()
    for place, future in running:
        yield place, future.result()
