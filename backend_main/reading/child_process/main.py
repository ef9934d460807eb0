"""Step 10 - the engine's process: takes requests from one pipe, sends events into another.

It has no Django, no settings and no secrets, and it outlives nobody: when the host's end of the request pipe
closes, however the host died, a thread ends this process, also in the middle of a computation.

    python -m backend_main.reading.child_process.main REQUESTS_FD REPLIES_FD ENGINE THREADS

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

from ..documents.open_document import OpenDocumentCache
from ..documents.page_jpeg import render_page_jpeg
from ..engines import load_engine
from ..engines.base import Engine
from ..errors import Cancelled, EngineFailed, ReadingError
from ..fallback import FallbackEngines
from ..pipeline import read_document
from .batching import ReplyBatcher
from .ipc import (
    CancelRequest,
    FrameReader,
    PageImageReply,
    PageImageRequest,
    ReadFinished,
    ReadRequest,
    Ready,
    error_to_message,
    send,
)

_log = logging.getLogger("scanrill.reading")


class RequestReceiver:
    """Requests in their order; a cancel overtakes, since the thread that reads is busy when it comes."""

    def __init__(self, fd: int) -> None:
        self._frames = FrameReader(fd)
        self._reads: SimpleQueue[ReadRequest | PageImageRequest] = SimpleQueue()
        self.cancelled = threading.Event()
        threading.Thread(target=self._listen, daemon=True, name="requests").start()

    def take(self) -> ReadRequest | PageImageRequest:
        return self._reads.get()

    def _listen(self) -> NoReturn:
        try:
            while self._frames.fill():
                while request := self._frames.next_request():
                    self._accept(request)
        finally:
            _exit_process()

    def _accept(self, request: ReadRequest | PageImageRequest | CancelRequest) -> None:
        if isinstance(request, CancelRequest):
            self.cancelled.set()
        else:
            self.cancelled.clear()
            self._reads.put(request)


def main(requests_fd: int, replies_fd: int, engine_name: str, threads: int) -> None:
    _set_up_process()
    inbox = RequestReceiver(requests_fd)
    replies = ReplyBatcher(partial(send, replies_fd))
    try:
        engine = load_engine(engine_name, threads) if engine_name else None
    except ReadingError as error:
        _log.error("%s", error, exc_info=error)
        replies.send(error_to_message(error))
        return
    replies.send(Ready())
    worker = RequestHandler(engine, inbox, replies, threads)
    while True:
        worker.handle(inbox.take())


def _set_up_process() -> None:
    # Ctrl-C and a service manager's SIGTERM are the host's to answer; it ends us when it has done so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Whatever a library prints belongs into the log.
    os.dup2(2, 1)
    # When the machine runs out of memory, the kernel should take this process and not the server.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _exit_process() -> NoReturn:
    """With what an engine may have started: a program of its own outlives nobody either."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    # Not sys.exit: the main thread may be deep inside a model and would never hear of it.
    os._exit(0)


class RequestHandler:
    """What one request after the other is answered with."""

    def __init__(
        self, engine: Engine | None, inbox: RequestReceiver, replies: ReplyBatcher, threads: int
    ) -> None:
        self._engine, self._inbox, self._replies = engine, inbox, replies
        self._documents, self._fallback = OpenDocumentCache(), FallbackEngines(threads)

    def handle(self, request: ReadRequest | PageImageRequest) -> None:
        try:
            if isinstance(request, PageImageRequest):
                self._render(request)
            else:
                self._read(request)
        except ReadingError as error:
            self._documents.clear()
            if isinstance(error, EngineFailed):
                _log.error("%s", error, exc_info=error)
            self._replies.send(error_to_message(error))

    def _read(self, request: ReadRequest) -> None:
        if self._engine is None:
            raise EngineFailed("This process draws pictures only.")
        document = self._documents.open(request.path, request.options)
        for event in read_document(document, request.options, self._engine, self._fallback):
            if self._inbox.cancelled.is_set():
                raise Cancelled()
            self._replies.send(event)
        if request.options.last_page is None or request.options.last_page >= document.page_count:
            self._documents.clear()  # nothing of a document that is read stays open here
        self._replies.send(ReadFinished())

    def _render(self, request: PageImageRequest) -> None:
        try:
            document = self._documents.open(request.path, request.options)
            jpeg = render_page_jpeg(document, request.options.first_page, request.width)
        finally:
            self._documents.clear()
        self._replies.send(PageImageReply(jpeg))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
