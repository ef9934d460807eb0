"""Step 10 - the engine's process: takes requests from one pipe, sends events into another.

It has no Django, no settings and no secrets, and it outlives nobody: when the host's end of the request pipe
closes, however the host died, a thread ends this process, also in the middle of a computation.

    python -m backend_main.reading.child REQUESTS_FD REPLIES_FD ENGINE THREADS
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import NoReturn

from .engines import load_engine
from .engines.base import Engine
from .errors import Cancelled, EngineFailed, ReadingError
from .reader import read
from .wire import CancelRequest, Done, Frames, ReadRequest, Ready, as_failed, send

_log = logging.getLogger("scanrill.reading")


class Inbox:
    """Requests in their order; a cancel overtakes, since the thread that reads is busy when it comes."""

    def __init__(self, fd: int) -> None:
        self._frames = Frames(fd)
        self._reads: SimpleQueue[ReadRequest] = SimpleQueue()
        self.cancelled = threading.Event()
        threading.Thread(target=self._listen, daemon=True, name="requests").start()

    def take(self) -> ReadRequest:
        return self._reads.get()

    def _listen(self) -> NoReturn:
        try:
            while self._frames.fill():
                while request := self._frames.next_request():
                    self._accept(request)
        finally:
            # Not sys.exit: the main thread may be deep inside a model and would never hear of it.
            os._exit(0)

    def _accept(self, request: ReadRequest | CancelRequest) -> None:
        if isinstance(request, CancelRequest):
            self.cancelled.set()
        else:
            self.cancelled.clear()
            self._reads.put(request)


def main(requests_fd: int, replies_fd: int, engine_name: str, threads: int) -> None:
    _settle()
    inbox = Inbox(requests_fd)
    try:
        engine = load_engine(engine_name, threads)
    except ReadingError as error:
        _log.error("%s", error, exc_info=error)
        send(replies_fd, as_failed(error))
        return
    send(replies_fd, Ready())
    while True:
        _answer(engine, inbox, inbox.take(), replies_fd)


def _settle() -> None:
    # Ctrl-C and a service manager's SIGTERM are the host's to answer; it ends us when it has done so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Whatever a library prints belongs into the log.
    os.dup2(2, 1)
    # When the machine runs out of memory, the kernel should take this process and not the server.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _answer(engine: Engine, inbox: Inbox, request: ReadRequest, replies_fd: int) -> None:
    try:
        for event in read(request.path, request.options, engine):
            if inbox.cancelled.is_set():
                raise Cancelled()
            send(replies_fd, event)
    except ReadingError as error:
        if isinstance(error, EngineFailed):
            _log.error("%s", error, exc_info=error)
        send(replies_fd, as_failed(error))
    else:
        send(replies_fd, Done())


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
