"""notify_jobs_available and the workers' channel, in this process and between processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backend_main.core.jobs import notify
from backend_main.core.pubsub.local import LocalPubSub
from backend_main.core.pubsub.messages import (
    WORKERS_CHANNEL,
    AnyPubSubMessage,
    JobsAvailable,
    PossibleGap,
    SharedMessageHandler,
    WorkerHeartbeat,
)

WAIT_SECONDS = 30


@pytest.fixture
def called() -> Iterator[threading.Semaphore]:
    """Released once for each time that a reader of this process searches for a job."""
    searches = threading.Semaphore(0)

    def search() -> bool:
        searches.release()
        return False

    notify.start_local([search])
    assert searches.acquire(timeout=WAIT_SECONDS), "a reader searches once at its start"
    yield searches
    notify.stop_local(WAIT_SECONDS)


class FakePubSub(LocalPubSub):
    """Records published messages; a test calls `handlers` as another process's message would."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: dict[str, SharedMessageHandler] = {}
        self.published: list[AnyPubSubMessage] = []

    def listen(self, channel: str, on_message: SharedMessageHandler) -> None:
        self.handlers[channel] = on_message

    def publish(self, message: AnyPubSubMessage) -> None:
        self.published.append(message)


@pytest.fixture
def pubsub(monkeypatch: pytest.MonkeyPatch) -> FakePubSub:
    monkeypatch.setattr(notify, "_workers_channel", None)
    return FakePubSub()


def test_notify_jobs_available_wakes_local_readers_and_publishes(
    called: threading.Semaphore, pubsub: FakePubSub
) -> None:
    notify.notify_jobs_available()
    assert called.acquire(timeout=WAIT_SECONDS)
    notify.join_workers_channel(pubsub)
    notify.notify_jobs_available()
    assert called.acquire(timeout=WAIT_SECONDS)
    assert pubsub.published == [JobsAvailable()]


def test_jobs_available_of_another_process_wakes_local_readers(
    called: threading.Semaphore, pubsub: FakePubSub
) -> None:
    notify.join_workers_channel(pubsub)
    pubsub.handlers[WORKERS_CHANNEL](JobsAvailable())
    assert called.acquire(timeout=WAIT_SECONDS)
    assert pubsub.published == [], "it is not published again"


@pytest.mark.parametrize("message", [WorkerHeartbeat(), PossibleGap()])
def test_seconds_since_worker_heartbeat_restart_with_a_heartbeat_and_a_reconnect(
    message: WorkerHeartbeat | PossibleGap, pubsub: FakePubSub
) -> None:
    assert notify.seconds_since_worker_heartbeat() == 0
    notify.join_workers_channel(pubsub)
    assert notify._workers_channel is not None
    notify._workers_channel._last_heartbeat_at -= 1000
    pubsub.handlers[WORKERS_CHANNEL](JobsAvailable())
    assert notify.seconds_since_worker_heartbeat() > 999
    pubsub.handlers[WORKERS_CHANNEL](message)
    assert notify.seconds_since_worker_heartbeat() < 999
