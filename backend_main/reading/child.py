"""Step 10 - the engine's process: takes requests from one pipe, sends events into another.

It has no Django, no settings and no secrets, and it outlives nobody: when the host's end of the request pipe
closes, however the host died, a thread ends this process, also in the middle of a computation.

    python -m backend_main.reading.child REQUESTS_FD REPLIES_FD ENGINE THREADS

An empty ENGINE loads none: such a child draws pictures of pages and cannot read.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import NoReturn

from .engines import load_engine
from .engines.base import Engine
from .errors import Cancelled, EngineFailed, ReadingError
from .gathering import Gathering
from .helpers import Helpers
from .picture import draw
from .reader import read_document
from .shelf import Shelf
from .wire import (
    CancelRequest,
    Done,
    Frames,
    Picture,
    PictureRequest,
    ReadRequest,
    Ready,
    as_failed,
    send,
)

_log = logging.getLogger("scanrill.reading")


class Inbox:
    """Requests in their order; a cancel overtakes, since the thread that reads is busy when it comes."""

    def __init__(self, fd: int) -> None:
        self._frames = Frames(fd)
        self._reads: SimpleQueue[ReadRequest | PictureRequest] = SimpleQueue()
        self.cancelled = threading.Event()
        threading.Thread(target=self._listen, daemon=True, name="requests").start()

    def take(self) -> ReadRequest | PictureRequest:
        return self._reads.get()

    def _listen(self) -> NoReturn:
        try:
            while self._frames.fill():
                while request := self._frames.next_request():
                    self._accept(request)
        finally:
            _end()

    def _accept(self, request: ReadRequest | PictureRequest | CancelRequest) -> None:
        if isinstance(request, CancelRequest):
            self.cancelled.set()
        else:
            self.cancelled.clear()
            self._reads.put(request)


def main(requests_fd: int, replies_fd: int, engine_name: str, threads: int) -> None:
    _settle()
    inbox = Inbox(requests_fd)
    replies = Gathering(partial(send, replies_fd))
    try:
        engine = load_engine(engine_name, threads) if engine_name else None
    except ReadingError as error:
        _log.error("%s", error, exc_info=error)
        replies.say(as_failed(error))
        return
    replies.say(Ready())
    worker = Worker(engine, inbox, replies, threads)
    while True:
        worker.answer(inbox.take())


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


def _end() -> NoReturn:
    """With what an engine may have started: a program of its own outlives nobody either."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    # Not sys.exit: the main thread may be deep inside a model and would never hear of it.
    os._exit(0)


class Worker:
    """What one request after the other is answered with."""

    def __init__(self, engine: Engine | None, inbox: Inbox, replies: Gathering, threads: int) -> None:
        self._engine, self._inbox, self._replies = engine, inbox, replies
        self._shelf, self._helpers = Shelf(), Helpers(threads)

    def answer(self, request: ReadRequest | PictureRequest) -> None:
        try:
            if isinstance(request, PictureRequest):
                self._draw(request)
            else:
                self._read(request)
        except ReadingError as error:
            self._shelf.clear()
            if isinstance(error, EngineFailed):
                _log.error("%s", error, exc_info=error)
            self._replies.say(as_failed(error))

    def _read(self, request: ReadRequest) -> None:
        if self._engine is None:
            raise EngineFailed("This process draws pictures only.")
        document = self._shelf.open(request.path, request.options)
        for event in read_document(document, request.options, self._engine, self._helpers):
            if self._inbox.cancelled.is_set():
                raise Cancelled()
            self._replies.say(event)
        if request.options.last_page is None or request.options.last_page >= document.page_count:
            self._shelf.clear()  # nothing of a document that is read stays open here
        self._replies.say(Done())

    def _draw(self, request: PictureRequest) -> None:
        try:
            document = self._shelf.open(request.path, request.options)
            jpeg = draw(document, request.options.first_page, request.width)
        finally:
            self._shelf.clear()
        self._replies.say(Picture(jpeg))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
