"""Step 8 — the readers of this process: started with the server, ended with it."""

from __future__ import annotations

import os

from .. import reading
from . import dispatch, events, jobs, pictures, sweep, tasks
from .conf import conf
from .live import hub

STOP_SECONDS = 5.0

_readers: list[tasks.Reader] = []


def start() -> None:
    """Voids the claims of readers that died, then warms up and reads. Uses the database."""
    if conf.embedded:
        # This process is the only one of its data directory, and no upload is coming in yet.
        jobs.void_claims()
        sweep.files(grace_seconds=0)
    else:
        sweep.claims()
    threads = conf.reader_threads or max(1, (os.cpu_count() or 1) // conf.readers)
    for _ in range(conf.readers):
        host = reading.Hosts(conf.engine, threads, max_memory_bytes=conf.reader_memory_bytes)
        reader = tasks.Reader(hub.bell, host)
        events.listen(reader.heed)
        _readers.append(reader)
    dispatch.start_local([reader.read_next for reader in _readers])


def stop() -> None:
    """Gives back what is being read; returns when the threads have ended, or after `STOP_SECONDS`."""
    for reader in _readers:
        events.unlisten(reader.heed)
        reader.stop()
    dispatch.stop_local(STOP_SECONDS)
    pictures.stop()
    _readers.clear()


def any_warm() -> bool:
    return any(reader.warm for reader in _readers)
