"""H10 - a long page is interrupted if every reader is inside one and another user waits."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from backend_main import reading
from backend_main.core import tasks
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs.claim import Claim
from backend_main.core.jobs.long_pages import LongPages, PageUnderWay
from backend_main.core.jobs.slow_owners import SlowOwners
from backend_main.core.models import Status, User
from tests.support.database import new_upload, new_user
from tests.support.fake_reader import FakeEngineProcess, FakePublisher, connection_kept, page, reload

__all__ = ["connection_kept"]

pytestmark = pytest.mark.django_db
PAGE_SECONDS, UNKNOWN_SLICE_SECONDS = 100.0, 25.0


class Scene:
    """Readers of a process inside pages, at a time that the test sets."""

    def __init__(self, readers: int, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.owners = SlowOwners(readers)
        self.pages = LongPages(readers, PAGE_SECONDS, self.owners)
        self.interrupted: list[uuid.UUID] = []
        self._stack = stack

    def begin_page(self, owner: User) -> PageUnderWay:
        new_upload(owner)
        claim = job_queue.claim_next(f"reader of {owner.username}")
        assert claim is not None
        assert claim.owner_id == owner.pk
        under_way = PageUnderWay(claim, lambda: None, lambda: self.interrupted.append(claim.owner_id))
        self._stack.enter_context(self.pages.page(under_way))
        return under_way

    def end_page(self, seconds: float) -> None:
        """Let a page of a new user end after this time."""
        claim = Claim(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), "", 1, reading.Options())
        under_way = PageUnderWay(claim, lambda: None, lambda: None)
        with self.pages.page(under_way):
            self.now += seconds


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_h10_interrupt_one_stops_the_youngest_long_page_for_a_user_who_waits(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(2, monkeypatch, stack)
    ada, bob = new_user("ada"), new_user("bob")
    scene.begin_page(ada)
    scene.begin_page(bob)
    new_upload(new_user("carol"))
    scene.now += UNKNOWN_SLICE_SECONDS
    assert scene.pages.interrupt_one()
    assert scene.interrupted == [bob.pk]
    assert scene.owners.current() == {ada.pk, bob.pk}


def test_h10_interrupt_one_within_the_slice_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(2, monkeypatch, stack)
    scene.begin_page(new_user("ada"))
    scene.now += UNKNOWN_SLICE_SECONDS
    scene.begin_page(new_user("bob"))
    new_upload(new_user("carol"))
    assert not scene.pages.interrupt_one()


def test_h10_interrupt_one_with_a_free_reader_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(2, monkeypatch, stack)
    scene.begin_page(new_user("ada"))
    new_upload(new_user("carol"))
    scene.now += PAGE_SECONDS
    assert not scene.pages.interrupt_one()


def test_h10_interrupt_one_for_the_owner_alone_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(1, monkeypatch, stack)
    ada = new_user("ada")
    scene.begin_page(ada)
    new_upload(ada)
    scene.now += PAGE_SECONDS
    assert not scene.pages.interrupt_one()


def test_h10_interrupt_one_stops_no_page_of_a_slow_owner(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(1, monkeypatch, stack)
    ada = new_user("ada")
    scene.owners.add(ada.pk)
    scene.begin_page(ada)
    new_upload(new_user("carol"))
    scene.now += PAGE_SECONDS
    assert not scene.pages.interrupt_one()


def test_h10_interrupt_one_for_a_slow_owner_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(1, monkeypatch, stack)
    scene.begin_page(new_user("ada"))
    carol = new_user("carol")
    scene.owners.add(carol.pk)
    new_upload(carol)
    scene.now += PAGE_SECONDS
    assert not scene.pages.interrupt_one()


def test_h10_slice_seconds_follows_the_median_of_owners_within_shares(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(2, monkeypatch, stack)
    for seconds, expected in ((0.1, 25.0), (3.0, 25.0), (90.0, 12.0), (90.0, 50.0)):
        scene.end_page(seconds)
        assert scene.pages.slice_seconds == expected
    for _ in range(5):
        scene.end_page(0.1)
    assert scene.pages.slice_seconds == 5.0, "the least share"


def test_h10_interrupted_page_is_read_again_after_the_page_of_the_other_user(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack
) -> None:
    scene = Scene(1, monkeypatch, stack)
    ada, bob = new_upload(new_user("ada")), new_user("bob")

    def interrupt() -> None:
        new_upload(bob)
        scene.now += UNKNOWN_SLICE_SECONDS
        assert scene.pages.interrupt_one()
        assert engines.cancelled

    started = page(1, 1)[0]
    engines = FakeEngineProcess(
        [started, interrupt, reading.Cancelled()], page(1, 1, "text of Bob"), page(1, 1, "text of Ada")
    )
    publisher = FakePublisher()
    reader = tasks.JobReader(publisher, engines, scene.owners, scene.pages)  # type: ignore[arg-type]
    assert [reader.read_next() for _ in range(4)] == [True, True, True, False]
    assert [text for _, text in publisher.pages] == ["text of Bob", "text of Ada"]
    assert reload(ada).status == Status.PROCESSED
