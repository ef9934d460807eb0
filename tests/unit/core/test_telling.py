"""What a reader tells of its page, and tells again."""

from __future__ import annotations

import pytest

from backend_main.core.protocol import LinePlace
from backend_main.core.slot import Draft
from backend_main.core.telling import Telling

PLACE = LinePlace(((0, 0), (8, 0), (8, 9), (0, 9)), 8, 9)
BEGUN, DONE = Draft(1, 2), Draft(1, 2, "# A b", done=True)


@pytest.fixture
def told() -> list[Draft]:
    return []


@pytest.fixture
def telling(told: list[Draft]) -> Telling:
    telling = Telling(told.append)
    telling.begin(BEGUN)
    return telling


def test_a_page_is_told_as_it_grows_and_when_it_is_done(telling: Telling, told: list[Draft]) -> None:
    telling.add("a", PLACE)
    telling.add("\nb", None)
    telling.end(DONE)
    assert told == [BEGUN, Draft(1, 2, "a", PLACE), Draft(1, 2, "a\nb", None), DONE]


def test_it_is_told_again_as_it_was_told_last_until_it_is_done(telling: Telling, told: list[Draft]) -> None:
    telling.add("one", PLACE)
    telling.again()
    assert told == [BEGUN, Draft(1, 2, "one", PLACE), Draft(1, 2, "one", PLACE)]
    telling.end(DONE)
    telling.again()
    assert told[3:] == [DONE]


def test_a_reading_that_ended_otherwise_tells_nothing_again(telling: Telling, told: list[Draft]) -> None:
    telling.add("a", PLACE)
    telling.close()
    telling.again()
    assert told == [BEGUN, Draft(1, 2, "a", PLACE)]
