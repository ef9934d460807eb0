"""Step 8 — the readers of this process, a server's or a worker's: started with it, ended with it.

A reader is used by whoever is told that there is work: the threads of this process, and in a worker those of
Celery too. Each takes one that is idle for one job, and so on until there is none: there is one way to read.
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

STOP_SECONDS = 5.0

_readers: list[tasks.JobReader] = []
# The one used last is the next: where there is little to read, the others' memory may be swapped out.
_idle: queue.LifoQueue[tasks.JobReader] = queue.LifoQueue()


def start(bell: Publisher, count: int) -> None:
    """Voids the claims of readers that died; then so many warm up and read. Uses the database."""
    _prepare(bell, count)
    notify.start_local([read_next] * count)


def start_and_wait(bell: Publisher, count: int) -> None:
    """The same, returning when all are warm. Raises reading.ReadingError where the engine does not start."""
    _prepare(bell, count)
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(tasks.JobReader.warm_up, _readers))
    notify.start_local([read_next] * count)


def _prepare(bell: Publisher, count: int) -> None:
    _recover_claims()
    threads = conf.reader_threads or max(1, (os.cpu_count() or 1) // max(1, count))
    for _ in range(count):
        host = reading.EngineProcessPool(conf.engine, threads, max_memory_bytes=conf.reader_memory_bytes)
        reader = tasks.JobReader(bell, host)
        event_log.add_listener(reader.on_change)
        _readers.append(reader)
        _idle.put(reader)


def _recover_claims() -> None:
    if conf.embedded:
        # This process is the only one of its data directory, and no upload is coming in yet.
        job_queue.release_all_claims()
        maintenance.remove_orphan_files(grace_seconds=0)
    else:
        maintenance.recover_expired_claims()


def stop() -> None:
    """Gives back what is being read; returns when the threads have ended, or after `STOP_TIMEOUT_SECONDS`."""
    for reader in _readers:
        event_log.remove_listener(reader.on_change)
        reader.stop()
    notify.stop_local(STOP_SECONDS)
    page_images.stop()
    _readers.clear()


def read_next(*, wait: bool = False) -> bool:
    """A reader that is idle reads a job; False when there is none, or, unless it waits for one, no reader."""
    try:
        reader = _idle.get(wait)
    except queue.Empty:
        return False
    try:
        return reader.read_next()
    finally:
        _idle.put(reader)


def read_until_empty() -> None:
    """What a worker does when it is called."""
    try:
        while read_next(wait=True):
            pass
    except DatabaseUnavailable as error:  # the next sweep calls again
        log.warning("reading waits: %s", error)


def on_reader_message(message: AnySharedMessage | PossibleGap) -> None:
    """Handle a message of another process on the readers' channel; quick, and called on the event loop."""
    for reader in _readers:
        match message:
            case ReadingEnded():
                reader.on_reading_ended(message)
            case SubscriberJoined():
                reader.republish_current_page(message.owner_id)


def is_any_ready() -> bool:
    """Whether what comes in is read at once, as far as this process knows: it need not have readers."""
    return not _readers or any(reader.is_ready for reader in _readers)
