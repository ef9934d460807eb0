"""What a reader tells of its page, and tells again."""

from __future__ import annotations

import pytest

from backend_main.core.jobs.progress import PageProgress
from backend_main.core.protocol.messages import LinePosition
from backend_main.core.pubsub.messages import PageSnapshot

PLACE = LinePosition(((0, 0), (8, 0), (8, 9), (0, 9)), 8, 9)
BEGUN, DONE = PageSnapshot(1, 2), PageSnapshot(1, 2, "# A b", done=True)


@pytest.fixture
def told() -> list[PageSnapshot]:
    return []


@pytest.fixture
def telling(told: list[PageSnapshot]) -> PageProgress:
    telling = PageProgress(told.append)
    telling.start(BEGUN)
    return telling


def test_page_progress_publishes_growing_text_and_the_finished_page(
    telling: PageProgress, told: list[PageSnapshot]
) -> None:
    telling.append("a", PLACE)
    telling.append("\nb", None)
    telling.finish(DONE)
    assert told == [BEGUN, PageSnapshot(1, 2, "a", PLACE), PageSnapshot(1, 2, "a\nb", None), DONE]


def test_republish_repeats_the_last_snapshot_until_the_page_is_finished(
    telling: PageProgress, told: list[PageSnapshot]
) -> None:
    telling.append("one", PLACE)
    telling.republish()
    assert told == [BEGUN, PageSnapshot(1, 2, "one", PLACE), PageSnapshot(1, 2, "one", PLACE)]
    telling.finish(DONE)
    telling.republish()
    assert told[3:] == [DONE]


def test_republish_after_close_publishes_nothing(telling: PageProgress, told: list[PageSnapshot]) -> None:
    telling.append("a", PLACE)
    telling.close()
    telling.republish()
    assert told == [BEGUN, PageSnapshot(1, 2, "a", PLACE)]
