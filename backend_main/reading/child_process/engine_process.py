"""An engine in a child process, with limits of time and memory.

Whatever an engine does to its process (crash, hang, fill the memory), the caller gets one ReadingError, and
the next read starts a new child.
"""

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import msgspec

from ...sandbox.measures import MeasureReport
from ..documents.page_jpeg import WHOLE_PAGE, Area
from ..errors import Cancelled, EngineCrashed, EngineFailed, ReadingError, UnreadableFile
from ..searchable_pdf.original_parts import PdfParts, receive_parts
from ..searchable_pdf.picture_copies import PdfPicture
from ..types import (
    FORMULA_ENGINE,
    BatchedEvent,
    FormulaOption,
    LinesRead,
    Options,
    PageDone,
    ReadEvent,
)
from .child import ChildExited, ChildProcess
from .child_policy import policy_for
from .ipc import (
    CancelRequest,
    Failed,
    FileRequest,
    OriginalPartsRequest,
    PageImageReply,
    PageImageRequest,
    ReadFinished,
    ReadRequest,
    Ready,
    Reply,
    message_to_error,
    part_messages,
)
from .page_budget import POLL_SECONDS, PageBudget, is_expected

CANCEL_GRACE_SECONDS = 0.5
"""Time for a child to react to a cancel before it is killed. A cancelled read ends within a second."""

UNEXPECTED_REPLY = "The OCR process sent an unexpected reply."

_DEFAULT_OPTIONS = Options()


class EngineProcess:
    """A loaded engine in a child process, for files of strangers. `start` or the first read loads the engine.

    One thread at a time uses it; any thread may call `cancel` and `stop`. As a context manager it stops at
    the end of the block. `start` and each read replace a child that has read `recycle_pages` pages, or whose
    memory exceeds `recycle_memory_bytes`. Call `start` after a read: the next one then need not wait for it.

    Args:
        engine: name of the engine; empty: none, to render pages only.
        threads: number of threads; 0: one for each core.
        recycle_pages: number of pages after which the child is replaced.
        recycle_memory_bytes: memory above which the child is replaced between two reads.
        start_seconds: time limit to start the child and to load the engine.
        max_memory_bytes: memory above which the child is killed during a read.
        formulas: `vision` gives the child the configuration of that engine, which may contain a key.
            Otherwise the first read with this option starts a new child that has it.
        required_measures: measures of the sandbox without which no child starts.
    """

    def __init__(
        self,
        engine: str = "rapid",
        threads: int = 0,
        recycle_pages: int = 500,
        recycle_memory_bytes: int = 2 << 30,
        start_seconds: float = 60.0,
        max_memory_bytes: int = 4 << 30,
        formulas: FormulaOption = "text",
        required_measures: Iterable[str] = (),
    ) -> None:
        self.engine = engine
        self.threads = threads
        self.formulas: FormulaOption = formulas
        self._recycle_pages = recycle_pages
        self._recycle_memory_bytes = recycle_memory_bytes
        self._start_seconds = start_seconds
        self._max_memory_bytes = max_memory_bytes
        self._required_measures = tuple(required_measures)
        self.measures: tuple[MeasureReport, ...] = ()
        """Measures of the sandbox, and which are in force, of the last child; empty: it is not confined."""
        self._child: ChildProcess | None = None
        self._is_loaded = False
        self._pages_read = 0
        self._is_reading = False
        self._cancelled = threading.Event()
        self._last_read: weakref.ref[Generator[BatchedEvent]] | None = None

    def __repr__(self) -> str:
        return f"EngineProcess(engine={self.engine!r}, threads={self.threads}, pid={self.pid})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_ready(self) -> bool:
        """The child runs and has loaded its engine."""
        child = self._child
        return self._is_loaded and child is not None and child.is_alive()

    @property
    def pid(self) -> int | None:
        """Process id of the child; None without one."""
        child = self._child
        return child.pid if child is not None and child.is_alive() else None

    @property
    def resident_bytes(self) -> int:
        """Memory of the child; 0 without one."""
        child = self._child
        return child.resident_bytes() if child is not None else 0

    def start(self) -> None:
        """Start the child and load the engine, unless both are done.

        Raises:
            ReadingError: UnknownEngine, EngineUnavailable, EngineFailed, EngineCrashed, EngineTimeout or
                Cancelled.
        """
        self._cancelled.clear()
        self._start()

    def read(self, path: Path | str, options: Options = _DEFAULT_OPTIONS) -> Generator[ReadEvent]:
        """Yield the events of a file, as `scanrill.read` does.

        `Options.page_seconds` limits the time that the parent waits for each page; the time of the caller
        between two events does not count.

        Args:
            path: file to read.
            options: options of the read. `engine` and `threads` have no effect.

        Raises:
            ReadingError: any of its subclasses.
        """
        return _flatten(self.read_batched(path, options))

    def read_batched(self, path: Path | str, options: Options = _DEFAULT_OPTIONS) -> Generator[BatchedEvent]:
        """Yield the events of a file with its lines in batches, about ten a second.

        Args:
            path: file to read.
            options: options of the read. `engine` and `threads` have no effect.

        Raises:
            ReadingError: any of its subclasses.
        """
        self._close_previous_read()
        # Not in the generator: a cancel between this call and the first event must take effect.
        self._cancelled.clear()
        events = self._events(ReadRequest(options), Path(path).absolute())
        self._last_read = weakref.ref(events)
        return events

    def render_page(
        self,
        path: Path | str,
        number: int,
        width: int,
        options: Options = _DEFAULT_OPTIONS,
        area: Area = WHOLE_PAGE,
    ) -> bytes:
        """Render a page, or an area of it, as a JPEG.

        Args:
            path: file with the page.
            number: number of the page, from 1.
            width: maximum width in pixels.
            options: limits.
            area: the part of the page.

        Raises:
            ReadingError: UnreadableFile, NoSuchPage, or an error of the process.
        """
        self._begin()
        options = msgspec.structs.replace(options, first_page=number)
        budget = self._budget(options.page_seconds, "Rendering the page took too long.")
        self._send(PageImageRequest(width, options, area), Path(path))
        reply = self._receive(budget)
        if isinstance(reply, PageImageReply):
            self._pages_read += 1
            return reply.jpeg
        if isinstance(reply, Failed):
            raise message_to_error(reply)
        self._discard_child()
        raise EngineCrashed(UNEXPECTED_REPLY)

    def original_parts(self, path: Path | str, options: Options = _DEFAULT_OPTIONS) -> PdfParts | PdfPicture:
        """Return the parts of a file that a searchable PDF needs.

        Args:
            path: the file.
            options: limits; of a PDF the pages to keep, of an image file the first page alone.
        """
        self._begin()
        budget = self._budget(options.page_seconds, "The file took too long.")
        self._send(OriginalPartsRequest(options), Path(path))
        self._pages_read += 1
        try:
            return receive_parts(part_messages(partial(self._receive, budget), budget.start_page))
        except ValueError:
            self._discard_child()
            raise EngineCrashed(UNEXPECTED_REPLY) from None

    def cancel(self) -> None:
        """Make the running read raise Cancelled within a second. Without one, it has no effect."""
        self._cancelled.set()

    def stop(self) -> None:
        """Kill the child. A running read raises Cancelled. A later `start` or read starts a new child."""
        self._cancelled.set()
        if (child := self._child) is not None:
            child.kill()
        if not self._is_reading:
            self._discard_child()

    def _begin(self) -> None:
        """Start a request that is answered before the call returns."""
        self._close_previous_read()
        self._cancelled.clear()
        self._start()

    def _start(self) -> None:
        if self._child is not None and (not self._child.is_alive() or self._needs_recycling(self._child)):
            self._discard_child()
        if self._child is None:
            other_engines = [FORMULA_ENGINE] if self.formulas == FORMULA_ENGINE else []
            policy = policy_for(
                filter(None, [self.engine, *other_engines]),
                max_memory_bytes=self._max_memory_bytes,
                required=self._required_measures,
            )
            if policy is None and self._required_measures:
                raise EngineFailed(f"The engine “{self.engine}” cannot be confined, as the settings require.")
            self._child = ChildProcess(self.engine, self.threads, other_engines, policy)
        if self._is_loaded:
            return

        reply = self._receive(self._budget(self._start_seconds, "The reading engine did not start in time."))
        if not isinstance(reply, Ready):
            self._discard_child()
            if isinstance(reply, Failed):
                raise message_to_error(reply)
            raise EngineCrashed("The reading engine did not start.")
        self.measures = reply.measures
        self._is_loaded = True

    def _needs_recycling(self, child: ChildProcess) -> bool:
        """Return whether a child has done its share. One without a read would not shrink by a restart."""
        if not self._pages_read:
            return False
        return self._pages_read >= self._recycle_pages or child.resident_bytes() > self._recycle_memory_bytes

    def _close_previous_read(self) -> None:
        """Close a read that its caller abandoned; its replies would otherwise count for the next one.

        The traceback of an error can keep its generator alive.
        """
        events = self._last_read() if self._last_read is not None else None
        if events is not None:
            events.close()

    def _events(self, request: ReadRequest, path: Path) -> Generator[BatchedEvent]:
        self._is_reading = True
        try:
            if request.options.formulas == FORMULA_ENGINE != self.formulas:
                self.formulas = FORMULA_ENGINE
                self._discard_child()
            self._start()
            yield from self._exchange(request, path)
        finally:
            self._is_reading = False
            if self._cancelled.is_set() and self._child is not None and not self._child.is_alive():
                self._discard_child()  # `stop` killed it and left the pipes to this thread

    def _exchange(self, request: ReadRequest, path: Path) -> Iterator[BatchedEvent]:
        is_finished = False
        try:
            seconds = request.options.page_seconds
            budget = self._budget(seconds, f"A page took longer than {seconds:g} seconds.")
            self._send(request, path)
            previous_page = 0
            while not isinstance(reply := self._receive(budget), ReadFinished):
                if isinstance(reply, Failed):
                    is_finished = True
                    raise message_to_error(reply)
                if not is_expected(reply, previous_page, request.options):
                    raise EngineCrashed(UNEXPECTED_REPLY)
                if isinstance(reply, PageDone):
                    self._pages_read += 1
                    previous_page = reply.number
                    budget.start_page()
                yield cast("BatchedEvent", reply)
            is_finished = True
        finally:
            # The caller can also close the generator in the middle of the read.
            if not is_finished:
                self._cancel_or_kill()

    def _send(self, request: FileRequest, path: Path) -> None:
        try:
            # A named pipe would block this process; it is not a file that can be read.
            file_fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise UnreadableFile("The file could not be opened.") from error
        try:
            self._running_child().send(request, file_fd)
        except ChildExited as error:
            raise self._crashed() from error
        finally:
            os.close(file_fd)

    def _budget(self, seconds: float, message: str) -> PageBudget:
        """Start the limits of a page. Call it before `_send`: what the child prints then counts once."""
        return PageBudget(self._running_child(), seconds, message, self._max_memory_bytes)

    def _receive(self, budget: PageBudget) -> Reply:
        """Wait for a reply. Raises a ReadingError on a cancel, at a limit, or if the child has exited."""
        while True:
            if self._cancelled.is_set():
                raise Cancelled()
            try:
                reply = budget.receive()
            except ChildExited as error:
                raise self._crashed() from error
            except ReadingError:
                self._discard_child()
                raise
            if reply is not None:
                return reply

    def _crashed(self) -> EngineCrashed | Cancelled:
        self._discard_child()
        if self._cancelled.is_set():  # `stop` killed it
            return Cancelled()
        return EngineCrashed("The reading engine stopped unexpectedly.")

    def _cancel_or_kill(self) -> None:
        """Cancel the read in the child; kill the child if it does not react in time."""
        if self._child is None:
            return
        deadline = time.monotonic() + CANCEL_GRACE_SECONDS
        with contextlib.suppress(ChildExited):
            self._child.send(CancelRequest())
            while time.monotonic() < deadline:
                if isinstance(self._child.receive(POLL_SECONDS), ReadFinished | Failed):
                    return
        self._discard_child()

    def _running_child(self) -> ChildProcess:
        if self._child is None:
            raise EngineCrashed("The reading engine is not running.")
        return self._child

    def _discard_child(self) -> None:
        child = self._child
        self._child = None
        self._is_loaded = False
        self._pages_read = 0
        if child is not None:
            child.discard()


def _flatten(events: Generator[BatchedEvent]) -> Generator[ReadEvent]:
    with contextlib.closing(events):
        for event in events:
            if isinstance(event, LinesRead):
                yield from event.lines
            else:
                yield event
