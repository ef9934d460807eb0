"""Parallel map whose results keep the order of the items."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WINDOW_SIZES = (1, 2, 4, 8, 16)
"""Numbers of items that are sorted together. The first item must not wait for others."""


def map_in_order(
    pool: Executor,
    workers: int,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    sort_key: Callable[[Item], float],
) -> Iterator[Result]:
    """Yield the result of each item once it and all results before it are known.

    Little work is under way when the caller stops early.

    Args:
        pool: executor with `workers` threads.
        workers: number of threads.
        work: function of one item.
        items: items in the order of the results.
        sort_key: similarity of items. Similar ones run one after the other, which is faster, a few at a time.
    """
    finished: dict[int, Result] = {}
    next_index = 0
    for index, result in _completed(pool, workers, work, _sorted_in_windows(items, sort_key)):
        finished[index] = result
        while next_index in finished:
            yield finished.pop(next_index)
            next_index += 1


def _sorted_in_windows(
    items: Iterable[Item], sort_key: Callable[[Item], float]
) -> Iterator[tuple[int, Item]]:
    """Yield the items with their indices, sorted within each window."""
    indexed = enumerate(items)
    sizes = iter(WINDOW_SIZES)
    while window := list(islice(indexed, next(sizes, WINDOW_SIZES[-1]))):
        yield from sorted(window, key=lambda entry: sort_key(entry[1]))


def _completed(
    pool: Executor, workers: int, work: Callable[[Item], Result], items: Iterable[tuple[int, Item]]
) -> Iterator[tuple[int, Result]]:
    running: deque[tuple[int, Future[Result]]] = deque()
    for index, item in items:
        running.append((index, pool.submit(work, item)))
        if len(running) > workers:
            first, future = running.popleft()
            yield first, future.result()
    for index, future in running:
        yield index, future.result()
