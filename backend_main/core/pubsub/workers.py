"""The workers' channel: worker heartbeats, and "jobs are available", for all servers on one Redis."""

from __future__ import annotations

import time
from collections.abc import Callable

from .local import LocalPubSub
from .messages import WORKERS_CHANNEL, AnySharedMessage, JobsAvailable, PossibleGap, WorkerHeartbeat

WORKER_HEARTBEAT_INTERVAL_SECONDS = 10.0


class WorkersChannel:
    """A server's subscription to the workers' channel.

    Args:
        pubsub: started; the channel is subscribed to at once, on the loop.
        on_jobs_available: called on the loop when another server has added jobs.
    """

    def __init__(self, pubsub: LocalPubSub, on_jobs_available: Callable[[], None]) -> None:
        self._pubsub = pubsub
        self._on_jobs_available = on_jobs_available
        self._last_heartbeat_at = time.monotonic()
        pubsub.listen(WORKERS_CHANNEL, self._on_message)

    @property
    def seconds_since_heartbeat(self) -> float:
        """The seconds without a worker's heartbeat since this process could receive one."""
        return time.monotonic() - self._last_heartbeat_at

    def publish_jobs_available(self) -> None:
        """Wake the readers of other servers; from any thread."""
        self._pubsub.publish(JobsAvailable())

    def _on_message(self, message: AnySharedMessage | PossibleGap) -> None:
        match message:
            case JobsAvailable():
                self._on_jobs_available()
            case WorkerHeartbeat() | PossibleGap():
                self._last_heartbeat_at = time.monotonic()
