"""How often a reader tells of its page, and that it tells all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend_main.core.protocol import LinePlace
from backend_main.core.slot import Draft
from backend_main.core.telling import TELL_SECONDS, Telling

PLACE = LinePlace(((0, 0), (8, 0), (8, 9), (0, 9)), 8, 9)


class Timer:
    def __init__(self, at: float, act: Callable[[], None]) -> None:
        self.at, self.act = at, act
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Page:
    """A page that is told, in a time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[Draft] = []
        self.timers: list[Timer] = []
        self.telling = Telling(self.told.append, lambda: self.now, self._later)
        self.telling.begin(Draft(1, 2))

    @property
    def texts(self) -> list[str]:
        return [draft.text for draft in self.told]

    def add(self, *lines: str) -> None:
        for line in lines:
            self.telling.add(line, PLACE)

    def move(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self.timers if timer.at <= self.now]:
            self.timers.remove(timer)
            if not timer.cancelled:
                timer.act()

    def _later(self, seconds: float, act: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, act))
        return self.timers[-1]


@pytest.fixture
def page() -> Page:
    return Page()


def test_the_start_and_the_first_line_are_told_at_once(page: Page) -> None:
    assert page.told == [Draft(1, 2)]
    page.add("a")
    assert page.told == [Draft(1, 2), Draft(1, 2, "a", PLACE)]


def test_lines_that_come_fast_are_told_together_when_it_is_time(page: Page) -> None:
    page.add("a", "b", "c")
    assert page.texts == ["", "a"]
    page.move(TELL_SECONDS)
    assert page.texts == ["", "a", "abc"]
    page.add("d", "e")
    assert page.texts == ["", "a", "abc"]
    page.move(TELL_SECONDS)
    assert page.texts == ["", "a", "abc", "abcde"]


def test_a_line_after_a_rest_is_told_at_once(page: Page) -> None:
    page.add("a")
    page.move(TELL_SECONDS)
    page.add("b")
    assert page.texts == ["", "a", "ab"]
    assert page.timers == []


@pytest.mark.parametrize("count", [500, 5_000, 50_000])
def test_the_time_a_page_takes_and_not_its_lines_says_how_often_it_is_told(page: Page, count: int) -> None:
    """In one second; each telling copies the text once, and nothing else does."""
    for _ in range(count):
        page.add("x")
        page.move(1 / count)
    page.move(TELL_SECONDS)
    assert page.texts[-1] == "x" * count
    assert len(page.told) <= 1 + 1 / TELL_SECONDS + 2
    assert sum(map(len, page.texts)) <= 7 * count


def test_a_page_that_is_done_is_the_last_that_is_told(page: Page) -> None:
    page.add("a", "b")
    done = Draft(1, 2, "# A b", done=True)
    page.telling.end(done)
    page.telling.close()
    page.move(TELL_SECONDS)
    assert page.told == [Draft(1, 2), Draft(1, 2, "a", PLACE), done]


def test_it_is_told_again_as_it_was_told_last_until_it_is_done(page: Page) -> None:
    page.add("one", "two")
    page.telling.again()
    assert page.texts == ["", "one", "one"]
    page.telling.end(Draft(1, 2, "onetwo", done=True))
    page.telling.again()
    assert page.texts[3:] == ["onetwo"]


def test_a_reading_that_ends_before_its_page_has_told_every_line(page: Page) -> None:
    page.add("a", "b")
    page.telling.close()
    page.move(TELL_SECONDS)
    assert page.texts == ["", "a", "ab"]
