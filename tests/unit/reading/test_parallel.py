"""Tests of the parallel map: order of results, grouping of similar items, and little work ahead."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend_main.reading.engines.rapid.parallel import map_in_order


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def pool_of_one() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_map_in_order_yields_results_in_the_order_of_the_items(pool: ThreadPoolExecutor) -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_done.wait(10)
        elif item == 1:
            second_done.set()
        return item * 10

    assert list(map_in_order(pool, 2, work, range(5), float)) == [0, 10, 20, 30, 40]


def test_map_in_order_runs_similar_items_one_after_the_other(
    pool_of_one: ThreadPoolExecutor,
) -> None:
    started: list[str] = []

    def work(word: str) -> str:
        started.append(word)
        return word.upper()

    # Windows of one, two and four items.
    words = ["ccc", "bb", "a", "dddd", "bb", "dddd", "a"]
    assert list(map_in_order(pool_of_one, 1, work, words, len)) == [word.upper() for word in words]
    assert started == ["ccc", "a", "bb", "a", "bb", "dddd", "dddd"]


def test_map_in_order_starts_one_item_more_than_workers(pool: ThreadPoolExecutor) -> None:
    started: list[int] = []
    results = map_in_order(pool, 2, started.append, iter(range(100)), float)
    next(results)
    results.close()  # type: ignore[attr-defined]
    pool.shutdown()
    assert len(started) <= 3


def test_map_in_order_raises_an_error_at_its_position(pool: ThreadPoolExecutor) -> None:
    results = map_in_order(pool, 2, lambda item: 1 // item, [1, 0], float)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
