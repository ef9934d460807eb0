"""Entry point of the child process: receives requests from a socket, sends events into a pipe.

    python -m backend_main.sandbox POLICY backend_main.reading.child_process.main \
        REQUESTS_FD REPLIES_FD ENGINE THREADS

An empty ENGINE loads none; the process then renders pages and cannot read. The process has no Django, no
settings and no secrets. It exits with its parent: when the parent's end of the socket closes, a thread ends
the process, even in the middle of a computation.
"""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple, NoReturn

from ...sandbox import confinement
from ...sandbox.measures import MeasureReport
from ..documents.document import Document
from ..documents.open_document import OpenDocumentCache
from ..documents.page_jpeg import render_page_jpeg
from ..engines import Engine, LazyEngine, load_engine
from ..errors import Cancelled, EngineFailed, ReadingError
from ..fallback import FallbackEngines
from ..pipeline import read_document
from ..searchable_pdf.original_parts import original_parts
from .batching import ReplyBatcher
from .ipc import (
    CancelRequest,
    FileRequest,
    FrameReader,
    OriginalPart,
    OriginalPartsRequest,
    PageImageReply,
    PageImageRequest,
    ReadFinished,
    ReadRequest,
    Ready,
    error_to_message,
    send,
)

_log = logging.getLogger("scanrill.reading")


class ReceivedRequest(NamedTuple):
    """A request, and the descriptor of its file."""

    request: FileRequest
    file_fd: int


class RequestReceiver:
    """Queue of the requests. A thread receives them, so that a cancel arrives during a read."""

    def __init__(self, connection: socket.socket) -> None:
        self._frames = FrameReader(connection)
        self._requests: SimpleQueue[ReceivedRequest] = SimpleQueue()
        self.cancelled = threading.Event()
        threading.Thread(target=self._receive_loop, daemon=True, name="requests").start()

    def get(self) -> ReceivedRequest:
        """Wait for the next request."""
        return self._requests.get()

    def _receive_loop(self) -> NoReturn:
        try:
            while self._frames.fill():
                while request := self._frames.next_request():
                    if isinstance(request, CancelRequest):
                        self.cancelled.set()
                    else:
                        self.cancelled.clear()
                        self._requests.put(ReceivedRequest(request, self._frames.next_file()))
        finally:
            _exit_process()


class RequestHandler:
    """Handler of one request after the other. It keeps the document and the fallback engines between them."""

    def __init__(
        self, engine: Engine | None, receiver: RequestReceiver, replies: ReplyBatcher, threads: int
    ) -> None:
        self._engine = LazyEngine(engine) if engine else None
        self._receiver = receiver
        self._replies = replies
        self._documents = OpenDocumentCache()
        self._fallback = FallbackEngines(threads)

    def handle(self, request: FileRequest, file_fd: int) -> None:
        """Send the replies to a request, and close its file. Raises OSError if the parent has exited."""
        try:
            document = self._documents.open(file_fd, request.options)
            match request:
                case PageImageRequest():
                    self._render(document, request)
                case OriginalPartsRequest():
                    self._send_parts(file_fd, request)
                case _:
                    self._read(document, request)
        except ReadingError as error:
            self._documents.clear()
            if isinstance(error, EngineFailed):
                _log.error("%s", error, exc_info=error)
            self._replies.send(error_to_message(error))

    def _read(self, document: Document, request: ReadRequest) -> None:
        if self._engine is None:
            raise EngineFailed("This process renders pages only. Start it with an engine.")
        for event in read_document(document, request.options, self._engine, self._fallback):
            if self._receiver.cancelled.is_set():
                raise Cancelled()
            self._replies.send(event)
        if request.options.last_page is None or request.options.last_page >= document.page_count:
            self._documents.clear()  # a document that is read to its end must not stay open
        self._replies.send(ReadFinished())

    def _render(self, document: Document, request: PageImageRequest) -> None:
        try:
            jpeg = render_page_jpeg(document, request.options.first_page, request.width, request.area)
        finally:
            self._documents.clear()
        self._replies.send(PageImageReply(jpeg))

    def _send_parts(self, file_fd: int, request: OriginalPartsRequest) -> None:
        try:
            for message in original_parts(file_fd, request.options):
                self._replies.send(OriginalPart(message))
        finally:
            self._documents.clear()
        self._replies.send(ReadFinished())


def main(requests_fd: int, replies_fd: int, engine_name: str, threads: int) -> None:
    """Load the engine, then handle requests until the parent exits. Returns if the engine fails to load.

    Args:
        requests_fd: file descriptor of the socket to read requests from.
        replies_fd: file descriptor to write replies to.
        engine_name: name of the engine; empty for none.
        threads: number of threads; 0: one for each core.
    """
    _set_up_process()
    receiver = RequestReceiver(socket.socket(fileno=requests_fd))
    replies = ReplyBatcher(partial(send, replies_fd))
    try:
        engine = load_engine(engine_name, threads) if engine_name else None
        measures = _complete_confinement()
    except ReadingError as error:
        _log.error("%s", error, exc_info=error)
        replies.send(error_to_message(error))
        return
    replies.send(Ready(tuple(measures)))
    handler = RequestHandler(engine, receiver, replies, threads)
    while True:
        handler.handle(*receiver.get())


def _set_up_process() -> None:
    # The parent handles Ctrl-C and a service manager's SIGTERM; it ends this process afterwards.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _complete_confinement() -> list[MeasureReport]:
    """Take the last measures of the sandbox. Raises EngineFailed if a required one is not in force."""
    sandbox = confinement.current()
    if sandbox is None:
        return []
    measures = sandbox.complete()
    if missing := sandbox.missing():
        reasons = ", ".join(f"{measure.name} ({measure.reason})" for measure in missing)
        raise EngineFailed(f"The OCR process cannot be confined as required: {reasons}.")
    return measures


def _exit_process() -> NoReturn:
    """End this process and every program that an engine has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    # Not sys.exit: the main thread may be inside a model and would not see the exception.
    os._exit(0)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
