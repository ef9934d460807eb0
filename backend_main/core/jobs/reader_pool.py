"""Readers of this process, a server or a worker: they start and stop with it.

The reader threads of the process use them, and in a worker the threads of Celery too. Each thread takes an
idle reader for one job at a time, until no job is left.
"""

from __future__ import annotations

import logging
import os
import queue
from concurrent.futures import ThreadPoolExecutor

from ... import reading
from .. import event_log, maintenance, tasks
from ..conf import conf
from ..errors import DatabaseUnavailable
from ..pubsub.messages import AnySharedMessage, PossibleGap, Publisher, ReadingEnded, SubscriberJoined
from ..uploads import page_images
from . import notify
from . import queue as job_queue

log = logging.getLogger(__name__)

STOP_TIMEOUT_SECONDS = 5.0

_readers: list[tasks.JobReader] = []
# Last in, first out: if few readers are busy, the system can swap out the memory of the others.
_idle: queue.LifoQueue[tasks.JobReader] = queue.LifoQueue()


def start(publisher: Publisher, count: int) -> None:
    """Recover the claims of dead readers, and start `count` readers without waiting for their engines."""
    _prepare(publisher, count)
    notify.start_local([read_next] * count)


def start_and_wait(publisher: Publisher, count: int) -> None:
    """Start like `start`, and wait until every engine is loaded.

    Raises:
        reading.ReadingError: The engine does not start.
    """
    _prepare(publisher, count)
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(tasks.JobReader.warm_up, _readers))
    notify.start_local([read_next] * count)


def _prepare(publisher: Publisher, count: int) -> None:
    _recover_claims()
    threads = conf.reader_threads or max(1, (os.cpu_count() or 1) // max(1, count))
    for _ in range(count):
        engines = reading.EngineProcessPool(conf.engine, threads, max_memory_bytes=conf.reader_memory_bytes)
        reader = tasks.JobReader(publisher, engines)
        event_log.add_listener(reader.on_change)
        _readers.append(reader)
        _idle.put(reader)


def _recover_claims() -> None:
    if conf.embedded:
        # No other process uses this data directory, and no request has arrived yet.
        job_queue.release_all_claims()
        maintenance.remove_orphan_files(grace_seconds=0)
    else:
        maintenance.recover_expired_claims()


def stop() -> None:
    """Release the jobs that are being read; return when the threads end, or after `STOP_TIMEOUT_SECONDS`."""
    for reader in _readers:
        event_log.remove_listener(reader.on_change)
        reader.stop()
    notify.stop_local(STOP_TIMEOUT_SECONDS)
    page_images.stop()
    _readers.clear()


def read_next(*, wait: bool = False) -> bool:
    """Read one job with an idle reader.

    Args:
        wait: Wait for an idle reader.

    Returns:
        False if no job was read, or if no reader is idle and `wait` is False.
    """
    try:
        reader = _idle.get(wait)
    except queue.Empty:
        return False
    try:
        return reader.read_next()
    finally:
        _idle.put(reader)


def read_until_empty() -> None:
    """Read jobs until none is left; a worker does this when it is called."""
    try:
        while read_next(wait=True):
            pass
    except DatabaseUnavailable as error:  # maintenance calls again
        log.warning("Reading is postponed: %s", error)


def on_reader_message(message: AnySharedMessage | PossibleGap) -> None:
    """Handle a message of another process on the readers' channel; quick, and called on the event loop."""
    for reader in _readers:
        match message:
            case ReadingEnded():
                reader.on_reading_ended(message)
            case SubscriberJoined():
                reader.republish_current_page(message.owner_id)


def is_any_ready() -> bool:
    """Return whether a reader of this process is ready, or the process has no readers."""
    return not _readers or any(reader.is_ready for reader in _readers)
