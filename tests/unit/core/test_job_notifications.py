"""Who is told that there is work: the readers here, and those of other processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backend_main.core.jobs import notify
from backend_main.core.live.hub import Hub
from backend_main.core.pubsub.messages import SYSTEM_OWNER_ID, JobsAvailable

WAIT_SECONDS = 30


@pytest.fixture
def called() -> Iterator[threading.Semaphore]:
    """One more each time that a reader of this process looks for work."""
    looks = threading.Semaphore(0)

    def look() -> bool:
        looks.release()
        return False

    notify.start_local([look])
    assert looks.acquire(timeout=WAIT_SECONDS), "it looks once at its start"
    yield looks
    notify.stop_local(WAIT_SECONDS)


def test_notify_jobs_available_wakes_local_readers_and_notifies_peers(
    called: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(notify, "_peer_notifier", None)
    notify.notify_jobs_available()
    assert called.acquire(timeout=WAIT_SECONDS)
    notify.set_peer_notifier(lambda: told.append("work"))
    notify.notify_jobs_available()
    assert called.acquire(timeout=WAIT_SECONDS)
    assert told == ["work"]


def test_work_that_another_process_tells_of_wakes_the_readers_here(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(notify, "wake_local_readers", lambda: woken.append("here"))
    hub = Hub()
    hub._on_message(JobsAvailable(SYSTEM_OWNER_ID), True)
    assert woken == [], "they were woken when it was said here"
    hub._on_message(JobsAvailable(SYSTEM_OWNER_ID), False)
    assert woken == ["here"]
