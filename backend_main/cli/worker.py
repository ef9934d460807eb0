"""`scanrill worker`: reads what servers take in, on this machine or on others."""

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

NOTIFIER_STOP_SECONDS = 1.0
FORCE_EXIT_SECONDS = 9.0


def worker(
    concurrency: Annotated[
        int | None, typer.Option(help="Jobs read at the same time. [default: SCANRILL_READERS]", min=1)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Start a reader for the servers that share database, storage and Redis; until Ctrl-C or SIGTERM."""
    exit_on_signals()
    conf = set_up(data_dir)
    if not conf.broker:
        raise CommandError("A worker needs SCANRILL_REDIS_URL; without it `scanrill serve` reads itself.")
    check_engine(conf)
    from backend_main.core.pubsub.redis import RedisPublisher

    WorkerProcess(RedisPublisher(conf.redis_url, conf.redis_prefix), concurrency or conf.readers).run()


class WorkerProcess:
    """What there is in the process beside the readers, from the first signal that may come to the end."""

    def __init__(self, publisher: RedisPublisher, concurrency: int) -> None:
        self._publisher, self._concurrency = publisher, concurrency
        self._stopping = threading.Event()
        self._stop_thread: threading.Thread | None = None

    def run(self) -> None:
        from backend_main.backend import celery
        from backend_main.core import event_log, maintenance
        from backend_main.core.jobs import notify

        self._stop_consuming = celery.worker_stop_callback()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        event_log.add_listener(self._publish_change)
        notify.start_worker_notifier(celery.enqueue_read_calls)
        self._start_readers()
        threading.Thread(target=maintenance.recover_claims_until, args=(self._stopping,), daemon=True).start()
        threading.Thread(target=self._heartbeat_loop, name="here", daemon=True).start()
        if not self._stopping.is_set():
            print(f"scanrill reads, {self._concurrency} at a time; Ctrl-C ends it.", flush=True)
            celery.run_worker(self._concurrency, stop=self._stop)
        told_to = self._stopping.is_set()
        self._stop()
        if self._stop_thread is not None:
            self._stop_thread.join()
        notify.stop_worker_notifier(NOTIFIER_STOP_SECONDS)
        self._publisher.close()
        if not told_to:
            raise CommandError("The worker's Celery ended by itself; the lines above say why.")

    def _heartbeat_loop(self) -> None:
        """To servers, which say so where no worker is heard of."""
        from backend_main.core.pubsub.messages import (
            SYSTEM_OWNER_ID,
            WORKER_HEARTBEAT_SECONDS,
            WorkerHeartbeat,
        )

        while not self._stopping.is_set():
            self._publisher.publish(WorkerHeartbeat(SYSTEM_OWNER_ID))
            self._stopping.wait(WORKER_HEARTBEAT_SECONDS)

    def _start_readers(self) -> None:
        """No call is taken by who cannot carry it out yet."""
        from backend_main import reading
        from backend_main.core.jobs import reader_pool

        try:
            reader_pool.start_and_wait(self._publisher, self._concurrency)
        except reading.Cancelled:
            pass  # by a signal
        except reading.ReadingError as error:
            raise CommandError(f"The engine does not start: {error}") from None

    def _publish_change(self, change: UploadChange) -> None:
        from backend_main.core.pubsub.messages import publish_change

        publish_change(
            self._publisher, change.owner_id, change.seq, change.upload_id if change.ends_reading else None
        )

    def _stop(self, *_signal: object) -> None:
        """A signal's handler is no place to wait; nor is a worker to wait for what hangs."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._stop_consuming()
            self._stop_thread = threading.Thread(target=_stop_readers, name="stop")
            self._stop_thread.start()
            last = threading.Timer(FORCE_EXIT_SECONDS, _force_exit)
            last.daemon = True
            last.start()


def _stop_readers() -> None:
    from backend_main.core.jobs import reader_pool

    reader_pool.stop()


def _force_exit() -> None:
    log.warning("what is left did not end in time, and is cut off")
    os._exit(0)  # what was read is given back, or its lease runs out
