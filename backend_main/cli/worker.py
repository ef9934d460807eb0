"""Command `worker`: a process with readers only, for the servers of this or other machines."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up
from .serve import check_engine
from .startup_signals import exit_on_signals

if TYPE_CHECKING:
    from backend_main.core.event_log import UploadChange
    from backend_main.core.pubsub.redis import RedisPublisher

log = logging.getLogger(__name__)

FORCE_EXIT_SECONDS = 9.0


def worker(
    concurrency: Annotated[
        int | None, typer.Option(help="Jobs to read at the same time. Default: SCANRILL_READERS.", min=1)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Run readers for the servers that use the same database, storage and Redis.

    The worker runs until Ctrl-C or SIGTERM.
    """
    exit_on_signals()
    conf = set_up(data_dir)
    if not conf.broker:
        raise CommandError(
            "A worker requires SCANRILL_REDIS_URL. Without it, `scanrill serve` runs the readers itself."
        )
    check_engine(conf)
    from backend_main.core.pubsub.redis import RedisPublisher

    WorkerProcess(RedisPublisher(conf.redis_url, conf.redis_prefix), concurrency or conf.readers).run()


class WorkerProcess:
    """Life cycle of a worker: signals, heartbeat, recovery of claims, and the Celery worker."""

    def __init__(self, bell: RedisPublisher, count: int) -> None:
        self._publisher, self._count = bell, count
        self._stopping = threading.Event()
        self._stopped: threading.Thread | None = None

    def run(self) -> None:
        from backend_main.backend import celery
        from backend_main.core import event_log, maintenance
        from backend_main.core.jobs import notify

        self._stop_consuming = celery.worker_stop_callback()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        event_log.add_listener(self._tell)
        notify.start_worker_notifier(celery.enqueue_read_calls)
        self._warm_up()
        threading.Thread(target=maintenance.recover_claims_until, args=(self._stopping,), daemon=True).start()
        threading.Thread(target=self._heartbeat_loop, name="here", daemon=True).start()
        if not self._stopping.is_set():
            print(f"Worker started, concurrency {self._count}. Press Ctrl-C to stop.", flush=True)
            celery.run_worker(self._count, stop=self._stop)
        stop_was_requested = self._stopping.is_set()
        self._stop()
        if self._stopped is not None:
            self._stopped.join()
        notify.stop_worker_notifier()
        self._publisher.close()
        if not stop_was_requested:
            raise CommandError("Celery ended unexpectedly. See the output above.")

    def _heartbeat_loop(self) -> None:
        """Publish a heartbeat until the worker stops; without one, servers report a missing worker."""
        from backend_main.core.pubsub.messages import (
            SYSTEM_OWNER_ID,
            WORKER_HEARTBEAT_SECONDS,
            WorkerHeartbeat,
        )

        while not self._stopping.is_set():
            self._publisher.publish(WorkerHeartbeat(SYSTEM_OWNER_ID))
            self._stopping.wait(WORKER_HEARTBEAT_SECONDS)

    def _warm_up(self) -> None:
        """Load the engines before the worker accepts calls."""
        from backend_main import reading
        from backend_main.core.jobs import reader_pool

        try:
            reader_pool.start_and_wait(self._publisher, self._count)
        except reading.Cancelled:
            pass  # a signal stopped the worker
        except reading.ReadingError as error:
            raise CommandError(f"Cannot start the engine: {error}") from None

    def _tell(self, change: UploadChange) -> None:
        from backend_main.core.pubsub.messages import publish_change

        publish_change(
            self._publisher, change.owner_id, change.seq, change.upload_id if change.ends_reading else None
        )

    def _stop(self, *_signal: object) -> None:
        """Begin the shutdown. A signal handler must not wait, so a thread stops the readers."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._stop_consuming()
            self._stopped = threading.Thread(target=_stop_readers, name="stop")
            self._stopped.start()
            force_exit_timer = threading.Timer(FORCE_EXIT_SECONDS, _force_exit)
            force_exit_timer.daemon = True
            force_exit_timer.start()


def _stop_readers() -> None:
    from backend_main.core.jobs import reader_pool

    reader_pool.stop()


def _force_exit() -> None:
    log.warning("The worker did not stop in time and exits now.")
    os._exit(0)  # leases of unreleased jobs expire
