"""Celery's part: it calls readers, and balances the calls among workers. The one module that imports it.

A call says "there is work" and nothing more. The rows are the queue: a call that is lost is sent again by a
sweep, one too many finds nothing to do.
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
from backend_main.core.jobs import reader_pool
from backend_main.core.jobs.notify import MAX_QUEUED_CALLS

QUEUE = "ocr"
CONNECT_TIMEOUT_SECONDS, PING_TIMEOUT_SECONDS = 2.0, 5.0
# A call that was taken is not put back where its connection is lost (docs/decisions/0091).
redis.Channel.do_restore = False


def _transport_options() -> dict[str, object]:
    """Of the connection to a Redis; RabbitMQ keeps deployments apart by virtual hosts."""
    if not conf.broker.startswith(("redis", "unix")):
        return {}
    return {
        "global_keyprefix": conf.redis_prefix,
        # Which calls are being carried out is known to the worker alone, and Redis keeps none of them.
        "ack_emulation": False,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": PING_TIMEOUT_SECONDS,
    }


# Without its fixup for Django: that would close the connections, which the readers keep, after each call.
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
    # A call counts as taken while it is being carried out. Were it acknowledged before, a worker that reads
    # would fetch one more, which then waits for it beside idle workers (docs/decisions/0073).
    task_acks_late=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_prefetch_multiplier=1,
    worker_redirect_stdouts=False,
    worker_enable_remote_control=True,
)


@app.task(name=tasks.READ)  # type: ignore[untyped-decorator]
def read_queued_jobs() -> None:
    reader_pool.read_until_empty()


def enqueue_read_calls(count: int) -> None:
    """Calls so many readers, less the calls that wait already. Raises what a broker that is away raises."""
    with app.producer_pool.acquire(block=True) as producer:
        queue = app.amqp.queues[QUEUE].bind(producer.channel)
        for _ in range(min(count, MAX_QUEUED_CALLS - queue.queue_declare().message_count)):
            app.send_task(tasks.READ, producer=producer, retry=False)


def ping_workers(timeout_seconds: float) -> list[str]:
    """The names of the workers that answer within so long. Raises what a broker that is away raises."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIMEOUT_SECONDS)
        replies = app.control.ping(timeout=timeout_seconds, connection=connection)
    return [name for reply in replies for name in reply]


def worker_stop_callback() -> Callable[[], None]:
    """What ends a worker of this process, for the handler of a signal: one that has not begun yet, too."""
    from celery.worker import state  # not for a server, whose courier has no use for it

    def stop() -> None:
        state.should_stop = 0  # the exit code

    return stop


def run_worker(concurrency: int, *, stop: Callable[[], object]) -> None:
    """A worker, until SIGTERM or SIGINT; `stop`, called in the handler of the signal, ends what tasks do."""

    def stop_now(**_signal: Any) -> None:
        stop()

    def disable_celery_logging(**_setup: Any) -> None:
        """That somebody listens is enough for Celery to leave it alone."""

    signals.worker_shutting_down.connect(stop_now)
    signals.setup_logging.connect(disable_celery_logging)
    # It warns whoever is root, for what pickled messages might do; here they are JSON, and carry nothing.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = app.Worker(
        concurrency=concurrency,
        pool_cls="threads",
        quiet=True,
        loglevel="INFO",
        # What they are for: workers that watch each other. Here the rows have all that one must know.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    # Of what a later version may do where the broker goes away: what is read then is to be read on.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    worker.start()
