"""Tests of the snapshots that a reader publishes of its page, and of repeating them."""

from __future__ import annotations

import pytest

from backend_main.core.jobs.progress import PageProgress
from backend_main.core.protocol.messages import LinePosition
from backend_main.core.pubsub.messages import PageState

POSITION = LinePosition(((0, 0), (8, 0), (8, 9), (0, 9)), 8, 9)
STARTED, FINISHED = PageState(1, 2), PageState(1, 2, "# A b", done=True)


@pytest.fixture
def published() -> list[PageState]:
    return []


@pytest.fixture
def progress(published: list[PageState]) -> PageProgress:
    progress = PageProgress(published.append)
    progress.start(STARTED)
    return progress


def test_page_progress_publishes_growing_text_and_the_finished_page(
    progress: PageProgress, published: list[PageState]
) -> None:
    progress.append("a", POSITION)
    progress.append("\nb", None)
    progress.finish(FINISHED)
    assert published == [
        STARTED,
        PageState(1, 2, "a", POSITION),
        PageState(1, 2, "a\nb", None),
        FINISHED,
    ]


def test_republish_repeats_the_last_snapshot_until_the_page_is_finished(
    progress: PageProgress, published: list[PageState]
) -> None:
    progress.append("one", POSITION)
    progress.republish()
    assert published == [STARTED, PageState(1, 2, "one", POSITION), PageState(1, 2, "one", POSITION)]
    progress.finish(FINISHED)
    progress.republish()
    assert published[3:] == [FINISHED]


def test_republish_after_close_publishes_nothing(progress: PageProgress, published: list[PageState]) -> None:
    progress.append("a", POSITION)
    progress.close()
    progress.republish()
    assert published == [STARTED, PageState(1, 2, "a", POSITION)]
