"""Command `worker`: a process with readers only, for the servers of this or other machines."""

from __future__ import annotations

import logging
import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up
from .serve import check_engine
from .startup_signals import exit_on_signals

if TYPE_CHECKING:
    from backend_main.core.pubsub.redis import BackgroundPubSub

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
    from backend_main.core.pubsub.redis import BackgroundPubSub, RedisPubSub

    pubsub = BackgroundPubSub(RedisPubSub(conf.redis_url, conf.redis_prefix))
    WorkerProcess(pubsub, concurrency or conf.readers).run()


class WorkerProcess:
    """Life cycle of a worker: signals, heartbeat, recovery of claims, and the Celery worker."""

    def __init__(self, pubsub: BackgroundPubSub, count: int) -> None:
        self._pubsub, self._count = pubsub, count
        self._stopping = threading.Event()
        self._stop_thread: threading.Thread | None = None

    def run(self) -> None:
        from backend_main.backend import celery
        from backend_main.core import event_log, maintenance
        from backend_main.core.jobs import notify
        from backend_main.core.jobs.reader_pool import ReaderPool
        from backend_main.core.pubsub.messages import READERS_CHANNEL

        self._readers = ReaderPool(self._pubsub, self._count)
        self._stop_consuming = celery.worker_stop_callback()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        event_log.add_listener(partial(event_log.publish_change, self._pubsub))
        notifier = notify.WorkerNotifier(celery.enqueue_read_calls)
        notifier.start()
        notify.add_listener(notifier.request_readers)
        self._pubsub.start()
        self._pubsub.listen(READERS_CHANNEL, self._readers.on_reader_message)
        self._start_readers()
        threading.Thread(target=maintenance.recover_claims_until, args=(self._stopping,), daemon=True).start()
        threading.Thread(target=self._heartbeat_loop, name="heartbeat", daemon=True).start()
        if not self._stopping.is_set():
            print(f"Worker started, concurrency {self._count}. Press Ctrl-C to stop.", flush=True)
            celery.run_worker(self._count, read_until_empty=self._readers.read_until_empty, stop=self._stop)
        stop_was_requested = self._stopping.is_set()
        self._stop()
        if self._stop_thread is not None:
            self._stop_thread.join()
        notifier.stop()
        self._pubsub.stop()
        if not stop_was_requested:
            raise CommandError("Celery ended unexpectedly. See the output above.")

    def _heartbeat_loop(self) -> None:
        """Publish a heartbeat until the worker stops; without one, servers report a missing worker."""
        from backend_main.core.pubsub.messages import WorkerHeartbeat
        from backend_main.core.pubsub.workers import WORKER_HEARTBEAT_INTERVAL_SECONDS

        while not self._stopping.is_set():
            self._pubsub.publish(WorkerHeartbeat())
            self._stopping.wait(WORKER_HEARTBEAT_INTERVAL_SECONDS)

    def _start_readers(self) -> None:
        """Load the engines before the worker accepts calls."""
        from backend_main import reading

        try:
            self._readers.start(wait=True)
        except reading.Cancelled:
            pass  # a signal stopped the worker
        except reading.ReadingError as error:
            raise CommandError(f"Cannot start the engine: {error}") from None

    def _stop(self, *_signal: object) -> None:
        """Begin the shutdown. A signal handler must not wait, so a thread stops the readers."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._stop_consuming()
            self._stop_thread = threading.Thread(target=self._readers.stop, name="stop")
            self._stop_thread.start()
            force_exit_timer = threading.Timer(FORCE_EXIT_SECONDS, _force_exit)
            force_exit_timer.daemon = True
            force_exit_timer.start()


def _force_exit() -> None:
    log.warning("The worker did not stop in time and exits now.")
    os._exit(0)  # leases of unreleased jobs expire
