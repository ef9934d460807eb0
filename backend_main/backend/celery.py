"""Celery application: it wakes readers in workers by calls. No other module imports Celery.

A call has no content, because the job rows are the queue. Maintenance replaces lost calls; an extra call
finds no job.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from kombu.transport import redis

from backend_main.core import tasks
from backend_main.core.conf import conf
from backend_main.core.jobs.notify import MAX_QUEUED_CALLS

QUEUE = "ocr"
CONNECT_TIMEOUT_SECONDS, PING_TIMEOUT_SECONDS = 2.0, 5.0
# Calls in progress are not restored to the queue when the connection is lost (docs/decisions/0091).
redis.Channel.do_restore = False


def _transport_options() -> dict[str, object]:
    """Return options of the connection to Redis. RabbitMQ needs none: virtual hosts separate deployments."""
    if not conf.broker.startswith(("redis", "unix")):
        return {}
    return {
        "global_keyprefix": conf.redis_prefix,
        # Redis keeps no copy of the calls in progress; only the worker knows them.
        "ack_emulation": False,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": PING_TIMEOUT_SECONDS,
    }


# The fixup for Django is off: it would close the readers' database connections after each call.
app = Celery("scanrill", broker=conf.broker, fixups=[], set_as_current=False)
app.conf.update(
    broker_transport_options=_transport_options(),
    broker_connection_timeout=CONNECT_TIMEOUT_SECONDS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    accept_content=["json"],
    task_serializer="json",
    task_default_queue=QUEUE,
    task_ignore_result=True,
    # A call is acknowledged when it is done. If it were earlier, a busy worker would prefetch another call,
    # which would wait although other workers are idle (docs/decisions/0073).
    task_acks_late=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    worker_enable_remote_control=True,
)


@app.task(name=tasks.READ_TASK)  # type: ignore[untyped-decorator]
def read_queued_jobs() -> None:
    """Read jobs until the queue is empty."""
    app.read_until_empty()


def enqueue_read_calls(count: int) -> None:
    """Enqueue up to `count` calls, so that at most MAX_QUEUED_CALLS wait.

    Raises:
        Exception: the broker is unavailable; the type depends on the client library.
    """
    with app.producer_pool.acquire(block=True) as producer:
        queue = app.amqp.queues[QUEUE].bind(producer.channel)
        for _ in range(min(count, MAX_QUEUED_CALLS - queue.queue_declare().message_count)):
            app.send_task(tasks.READ_TASK, producer=producer, retry=False)


def ping_workers(timeout_seconds: float) -> list[str]:
    """Return the names of the workers that answer within the timeout.

    Raises:
        Exception: the broker is unavailable; the type depends on the client library.
    """
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIMEOUT_SECONDS)
        replies = app.control.ping(timeout=timeout_seconds, connection=connection)
    return [name for reply in replies for name in reply]


def worker_stop_callback() -> Callable[[], None]:
    """Return a function for signal handlers that stops the worker of this process, also before it runs."""
    from celery.worker import state  # a server does not need this import

    def stop() -> None:
        state.should_stop = 0  # the exit code

    return stop


def run_worker(concurrency: int, *, read_until_empty: Callable[[], None], stop: Callable[[], object]) -> None:
    """Run a Celery worker until SIGTERM or SIGINT.

    Args:
        concurrency: Calls that the worker carries out at the same time, each on its own thread.
        read_until_empty: What a call does.
        stop: Called in the signal handler. It must make running calls end soon.
    """

    def stop_now(**_signal: Any) -> None:
        stop()

    def disable_celery_logging(**_setup: Any) -> None:
        """Do nothing: a receiver of the signal keeps Celery from configuring the logging."""

    app.read_until_empty = read_until_empty
    signals.worker_shutting_down.connect(stop_now)
    signals.setup_logging.connect(disable_celery_logging)
    # Celery warns root about pickled messages. These messages are JSON and carry no data.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = app.Worker(
        concurrency=concurrency,
        pool_cls="threads",
        quiet=True,
        loglevel="INFO",
        # Workers need not watch each other: the job rows have the whole state.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    # Celery announces that later versions may cancel tasks when the broker disconnects. Reading must go on.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    worker.start()
