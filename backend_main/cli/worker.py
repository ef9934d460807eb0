"""`scanrill worker`: reads what servers take in, on this machine or on others."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import StartRefused

from .data import DataDir, open_data
from .early import end_at_signals
from .serve import check_engine

if TYPE_CHECKING:
    from backend_main.core.events import Change
    from backend_main.core.redis_bell import Publisher

log = logging.getLogger(__name__)

COURIER_SECONDS = 1.0
END_SECONDS = 9.0


def worker(
    concurrency: Annotated[
        int | None, typer.Option(help="Jobs read at the same time. [default: SCANRILL_READERS]", min=1)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Start a reader for the servers that share database, storage and Redis; until Ctrl-C or SIGTERM."""
    end_at_signals()
    conf = open_data(data_dir)
    if not conf.broker:
        raise StartRefused("A worker needs SCANRILL_REDIS_URL; without it `scanrill serve` reads itself.")
    check_engine(conf)
    from backend_main.core.redis_bell import Publisher

    _Worker(Publisher(conf.redis_url, conf.redis_prefix), concurrency or conf.readers).run()


class _Worker:
    """What there is in the process beside the readers, from the first signal that may come to the end."""

    def __init__(self, bell: Publisher, count: int) -> None:
        self._bell, self._count = bell, count
        self._stopping = threading.Event()
        self._stopped: threading.Thread | None = None

    def run(self) -> None:
        from backend_main.backend import celery
        from backend_main.core import dispatch, events, sweep

        self._take_no_more = celery.stopper()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        events.listen(self._tell)
        dispatch.start_courier(celery.call)
        self._warm_up()
        threading.Thread(target=sweep.claims_until, args=(self._stopping,), daemon=True).start()
        threading.Thread(target=self._say_here, name="here", daemon=True).start()
        if not self._stopping.is_set():
            print(f"scanrill reads, {self._count} at a time; Ctrl-C ends it.", flush=True)
            celery.work(self._count, stop=self._stop)
        told_to = self._stopping.is_set()
        self._stop()
        if self._stopped is not None:
            self._stopped.join()
        dispatch.stop_courier(COURIER_SECONDS)
        self._bell.close()
        if not told_to:
            raise StartRefused("The worker's Celery ended by itself; the lines above say why.")

    def _say_here(self) -> None:
        """To servers, which say so where no worker is heard of."""
        from backend_main.core.bell import HERE_SECONDS, NOBODY, Here

        while not self._stopping.is_set():
            self._bell.say(Here(NOBODY))
            self._stopping.wait(HERE_SECONDS)

    def _warm_up(self) -> None:
        """No call is taken by who cannot carry it out yet."""
        from backend_main import reading
        from backend_main.core import readers

        try:
            readers.start_warm(self._bell, self._count)
        except reading.Cancelled:
            pass  # by a signal
        except reading.ReadingError as error:
            raise StartRefused(f"The engine does not start: {error}") from None

    def _tell(self, change: Change) -> None:
        from backend_main.core.bell import tell

        tell(self._bell, change.owner_id, change.seq, change.upload_id if change.last else None)

    def _stop(self, *_signal: object) -> None:
        """A signal's handler is no place to wait; nor is a worker to wait for what hangs."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._take_no_more()
            self._stopped = threading.Thread(target=_stop_readers, name="stop")
            self._stopped.start()
            last = threading.Timer(END_SECONDS, _end_at_last)
            last.daemon = True
            last.start()


def _stop_readers() -> None:
    from backend_main.core import readers

    readers.stop()


def _end_at_last() -> None:
    log.warning("what is left did not end in time, and is cut off")
    os._exit(0)  # what was read is given back, or its lease runs out
