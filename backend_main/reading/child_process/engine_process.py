"""Step 10 - an engine in a child process: limits, time-outs, recycling, and cancelling from outside.

Whatever an engine does to its process (crash, hang, fill the memory), here it is one ReadingError, and the
next read starts a new child.
"""

import contextlib
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec

from ..errors import Cancelled, EngineCrashed, EngineTimeout
from ..types import (
    BatchedEvent,
    Options,
    PageDone,
    ReadEvent,
)
from .child import ChildExited, ChildProcess
from .ipc import (
    CancelRequest,
    Failed,
    Lines,
    PageImageReply,
    PageImageRequest,
    ReadFinished,
    ReadRequest,
    Ready,
    Reply,
    message_to_error,
)

POLL_SECONDS = 0.1
CANCEL_GRACE_SECONDS = 0.5
"""How long a child may take to hear a cancel before it is killed; a cancelled read ends within a second."""

_DEFAULT_OPTIONS = Options()


class EngineProcess:
    """Hosts one child with one loaded engine. One thread at a time, except `cancel` and `stop`: any thread.

    `threads` 0 means all cores. A child is replaced, at the next `start` or `read`, once it has read
    `recycle_pages` pages or holds `recycle_memory_bytes` at rest; call `start` after a read to have that
    happen while nobody waits. One that passes `max_memory_bytes` is ended in the middle of its page.
    """

    def __init__(
        self,
        engine: str = "rapid",
        threads: int = 0,
        recycle_pages: int = 500,
        recycle_memory_bytes: int = 2 << 30,
        start_seconds: float = 60.0,
        max_memory_bytes: int = 4 << 30,
    ) -> None:
        self.engine = engine
        self.threads = threads
        self._recycle_pages = recycle_pages
        self._recycle_memory_bytes = recycle_memory_bytes
        self._start_seconds = start_seconds
        self._max_memory_bytes = max_memory_bytes
        self._child: ChildProcess | None = None
        self._ready = False
        self._pages = 0
        self._reading = False
        self._cancelled = threading.Event()
        self._last: weakref.ref[Generator[BatchedEvent]] | None = None

    def __repr__(self) -> str:
        return f"Host(engine={self.engine!r}, threads={self.threads}, pid={self.pid}, warm={self.is_ready})"

    @property
    def is_ready(self) -> bool:
        """A child lives and its engine is loaded."""
        child = self._child
        return self._ready and child is not None and child.alive()

    @property
    def pid(self) -> int | None:
        child = self._child
        return child.pid if child is not None and child.alive() else None

    @property
    def resident_bytes(self) -> int:
        """Memory of its process; 0 while it has none."""
        child = self._child
        return child.resident_bytes() if child is not None else 0

    def start(self) -> None:
        """Have a warm child; returns at once when there is one. Raises ReadingError subclasses."""
        self._cancelled.clear()
        self._start()

    def read(self, path: Path | str, options: Options = _DEFAULT_OPTIONS) -> Iterator[ReadEvent]:
        """Yield a file's events; engine and threads are the host's. Raises ReadingError subclasses.

        `Options.page_seconds` bounds the time waited for each page; the caller's own time does not count.
        """
        return _flatten(self.read_batched(path, options))

    def read_batched(self, path: Path | str, options: Options = _DEFAULT_OPTIONS) -> Iterator[BatchedEvent]:
        """The same, with a page's lines as they come: its first at once, then some ten times a second."""
        self._close_previous_read()
        # Cleared here and not in the generator: a cancel between this call and the first event must count.
        self._cancelled.clear()
        events = self._events(ReadRequest(str(Path(path).absolute()), options))
        self._last = weakref.ref(events)
        return events

    def render_page(
        self, path: Path | str, number: int, width: int, options: Options = _DEFAULT_OPTIONS
    ) -> bytes:
        """A page as a JPEG, at most `width` pixels wide. Raises NoSuchPage and other ReadingErrors."""
        self._close_previous_read()
        self._cancelled.clear()
        self._start()
        page = msgspec.structs.replace(options, first_page=number)
        self._send(PageImageRequest(str(Path(path).absolute()), width, page))
        reply = self._receive(WaitBudget(options.page_seconds, "Drawing the page took too long."))
        if isinstance(reply, PageImageReply):
            self._pages += 1
            return reply.jpeg
        if isinstance(reply, Failed):
            raise message_to_error(reply)
        self._discard()
        raise EngineCrashed("The drawing process lost its way.")

    def cancel(self) -> None:
        """Make the running read raise Cancelled within a second. Nothing happens when none is running."""
        self._cancelled.set()

    def stop(self) -> None:
        """End the child. A running read raises Cancelled."""
        self._cancelled.set()
        if (child := self._child) is not None:
            child.kill()
        if not self._reading:
            self._discard()

    def _start(self) -> None:
        if self._child is not None and (not self._child.alive() or self._needs_recycling(self._child)):
            self._discard()
        if self._child is None:
            self._child = ChildProcess(self.engine, self.threads)
        if not self._ready:
            self._await_ready()

    def _needs_recycling(self, child: ChildProcess) -> bool:
        """Whether it has done its share. One that has read nothing yet gets no smaller by being replaced."""
        if not self._pages:
            return False
        return self._pages >= self._recycle_pages or child.resident_bytes() > self._recycle_memory_bytes

    def _await_ready(self) -> None:
        reply = self._receive(WaitBudget(self._start_seconds, "The reading engine did not start in time."))
        if isinstance(reply, Ready):
            self._ready = True
            return
        self._discard()
        raise (
            message_to_error(reply)
            if isinstance(reply, Failed)
            else EngineCrashed("The reading engine did not start.")
        )

    def _close_previous_read(self) -> None:
        """A read that its caller left in the middle, and that an error's traceback may still hold: what the
        child says of it would be taken for the end of the next one."""
        last = self._last() if self._last is not None else None
        if last is not None:
            last.close()

    def _events(self, request: ReadRequest) -> Generator[BatchedEvent]:
        self._reading = True
        try:
            self._start()
            yield from self._exchange(request)
        finally:
            self._reading = False
            if self._cancelled.is_set() and self._child is not None and not self._child.alive():
                self._discard()  # stop() killed it while we held the pipes

    def _exchange(self, request: ReadRequest) -> Iterator[BatchedEvent]:
        ended = False
        try:
            self._send(request)
            seconds = request.options.page_seconds
            patience = WaitBudget(seconds, f"A page took longer than {seconds:g} seconds.")
            while not isinstance(reply := self._receive(patience), ReadFinished):
                if isinstance(reply, Failed):
                    ended = True
                    raise message_to_error(reply)
                if isinstance(reply, Ready | PageImageReply):
                    raise EngineCrashed("The reading engine lost its way.")
                if isinstance(reply, PageDone):
                    self._pages += 1
                    patience.waited = 0.0
                yield reply.lines if isinstance(reply, Lines) else reply
            ended = True
        finally:
            # Also when the caller dropped the generator: the child is brought to rest, or killed.
            if not ended:
                self._cancel_or_kill()

    def _send(self, request: ReadRequest | PageImageRequest) -> None:
        try:
            self._running_child().send(request)
        except ChildExited as error:
            raise self._crashed() from error

    def _receive(self, patience: "WaitBudget") -> Reply:
        """The child's next reply, while watching the caller's cancel, the time and the memory."""
        child = self._running_child()
        while True:
            if self._cancelled.is_set():
                raise Cancelled()
            began = time.monotonic()
            try:
                reply = child.receive(POLL_SECONDS)
            except ChildExited as error:
                raise self._crashed() from error
            if reply is not None:
                return reply
            patience.waited += time.monotonic() - began
            self._check_limits(child, patience)

    def _check_limits(self, child: ChildProcess, patience: "WaitBudget") -> None:
        if patience.waited > patience.seconds:
            self._discard()
            raise EngineTimeout(patience.message)
        if child.resident_bytes() > self._max_memory_bytes:
            self._discard()
            raise EngineCrashed("The reading engine used too much memory.")

    def _crashed(self) -> EngineCrashed | Cancelled:
        self._discard()
        if self._cancelled.is_set():  # stop() killed it
            return Cancelled()
        return EngineCrashed("The reading engine stopped unexpectedly.")

    def _cancel_or_kill(self) -> None:
        """Bring the child to rest; one that does not listen in time is killed."""
        if self._child is None:
            return
        until = time.monotonic() + CANCEL_GRACE_SECONDS
        with contextlib.suppress(ChildExited):
            self._child.send(CancelRequest())
            while time.monotonic() < until:
                if isinstance(self._child.receive(POLL_SECONDS), ReadFinished | Failed):
                    return
        self._discard()

    def _running_child(self) -> ChildProcess:
        if self._child is None:
            raise EngineCrashed("The reading engine is not running.")
        return self._child

    def _discard(self) -> None:
        child, self._child = self._child, None
        self._ready = False
        self._pages = 0
        if child is not None:
            child.discard()


def _flatten(events: Iterator[BatchedEvent]) -> Iterator[ReadEvent]:
    for event in events:
        if isinstance(event, tuple):
            yield from event
        else:
            yield event


class WaitBudget:
    """How long to wait, and how long was waited: only waiting counts, not the time a slow caller takes."""

    def __init__(self, seconds: float, message: str) -> None:
        self.seconds = seconds
        self.message = message
        self.waited = 0.0
