"""Work done side by side comes back in the order it was given, and not all of it is begun at once."""

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


def test_results_come_in_the_order_of_the_items(pool: ThreadPoolExecutor) -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_done.wait(10)
        elif item == 1:
            second_done.set()
        return item * 10

    assert list(map_in_order(pool, 2, work, range(5), float)) == [0, 10, 20, 30, 40]


def test_those_alike_are_done_one_after_the_other_and_come_in_their_own_places(
    pool_of_one: ThreadPoolExecutor,
) -> None:
    begun: list[str] = []

    def work(word: str) -> str:
        begun.append(word)
        return word.upper()

    # Windows of one, of two, of four.
    words = ["ccc", "bb", "a", "dddd", "bb", "dddd", "a"]
    assert list(map_in_order(pool_of_one, 1, work, words, len)) == [word.upper() for word in words]
    assert begun == ["ccc", "a", "bb", "a", "bb", "dddd", "dddd"]


def test_only_as_much_is_begun_as_there_are_lanes_and_one(pool: ThreadPoolExecutor) -> None:
    begun: list[int] = []
    results = map_in_order(pool, 2, begun.append, iter(range(100)), float)
    next(results)
    results.close()  # type: ignore[attr-defined]
    pool.shutdown()
    assert len(begun) <= 3


def test_what_fails_is_raised_in_its_turn(pool: ThreadPoolExecutor) -> None:
    results = map_in_order(pool, 2, lambda item: 1 // item, [1, 0], float)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
