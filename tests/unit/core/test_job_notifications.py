"""notify_jobs_available and the workers' channel, in this process and between processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import pytest

from backend_main.core import runtime as runtimes
from backend_main.core.conf import conf
from backend_main.core.jobs import notify
from backend_main.core.jobs.reader_pool import ReaderThreadPool
from backend_main.core.live.hub import Hub
from backend_main.core.pubsub.local import LocalPubSub
from backend_main.core.pubsub.messages import (
    WORKERS_CHANNEL,
    AnyPubSubMessage,
    JobsAvailable,
    PossibleGap,
    SharedMessageHandler,
    WorkerHeartbeat,
)
from backend_main.core.runtime import Runtime

WAIT_SECONDS = 30


@pytest.fixture
def runtime(pubsub: FakePubSub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A server with a broker that accepts every call, and without a hub that runs."""
    monkeypatch.setattr(runtimes, "conf", msgspec.structs.replace(conf, redis_url="redis://"))
    monkeypatch.setattr(runtimes, "_create_pubsub", lambda: pubsub)
    monkeypatch.setattr(Hub, "start", lambda _hub: None)
    runtime = Runtime(readers=0)
    runtime.start_hub(lambda _count: None)
    yield runtime
    runtime.stop_readers()


@pytest.fixture
def called(runtime: Runtime) -> threading.Semaphore:
    """Released once for each time that a reader of this process searches for a job."""
    searches = threading.Semaphore(0)

    def search() -> bool:
        searches.release()
        return False

    threads = ReaderThreadPool([search])
    threads.start()
    runtime.readers._threads = threads
    notify.add_listener(runtime.readers.wake)
    assert searches.acquire(timeout=WAIT_SECONDS), "a reader searches once at its start"
    return searches


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
def pubsub() -> FakePubSub:
    return FakePubSub()


def test_notify_jobs_available_wakes_local_readers_and_publishes(
    called: threading.Semaphore, pubsub: FakePubSub
) -> None:
    notify.notify_jobs_available()
    assert called.acquire(timeout=WAIT_SECONDS)
    assert pubsub.published == [JobsAvailable()]


def test_jobs_available_of_another_process_wakes_local_readers(
    called: threading.Semaphore, pubsub: FakePubSub
) -> None:
    pubsub.handlers[WORKERS_CHANNEL](JobsAvailable())
    assert called.acquire(timeout=WAIT_SECONDS)
    assert pubsub.published == [], "it is not published again"


@pytest.mark.parametrize("message", [WorkerHeartbeat(), PossibleGap()])
def test_seconds_since_heartbeat_restart_with_a_heartbeat_and_a_reconnect(
    message: WorkerHeartbeat | PossibleGap, runtime: Runtime, pubsub: FakePubSub
) -> None:
    channel = runtime.workers_channel
    assert channel is not None
    channel._last_heartbeat_at -= 1000
    pubsub.handlers[WORKERS_CHANNEL](JobsAvailable())
    assert channel.seconds_since_heartbeat > 999
    pubsub.handlers[WORKERS_CHANNEL](message)
    assert channel.seconds_since_heartbeat < 999


def test_stop_readers_removes_every_listener(runtime: Runtime) -> None:
    assert notify._listeners != []
    runtime.stop_readers()
    assert notify._listeners == []
    runtime.start_hub(lambda _count: None)  # for the fixture, which stops it again
