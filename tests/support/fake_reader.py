"""Job reader with a scripted engine and a publisher that records what it publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend_main import reading
from backend_main.core import tasks
from backend_main.core.event_log import UploadChange
from backend_main.core.models import Upload
from backend_main.core.pubsub.messages import PageState, PageTextUpdate, ReadingStarted
from tests.support.database import new_upload, new_user

Action = Callable[[], None]
Step = reading.BatchedEvent | Exception | Action
BOX = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class FakeEngineProcess:
    """Engine process that plays its scripts, one page per read.

    A step is an event, a function to call, or an exception to raise.
    """

    is_ready = True

    def __init__(self, *scripts: list[Step]) -> None:
        self.scripts = [list(script) for script in scripts]
        self.requested_options: list[reading.Options] = []
        self.cancelled = False
        self.stopped = False
        self.starts = 0

    def start(self) -> None:
        self.starts += 1

    def read_batched(self, _path: Path, options: reading.Options) -> Iterator[reading.BatchedEvent]:
        self.requested_options.append(options)
        script = self.scripts[0]
        try:
            while script:
                step = script.pop(0)
                if isinstance(step, Exception):
                    script.clear()
                    raise step
                if callable(step):
                    step()
                    continue
                yield step
                if isinstance(step, reading.PageDone):
                    break
        finally:
            if not script:
                self.scripts.remove(script)

    def cancel(self) -> None:
        self.cancelled = True

    def stop(self) -> None:
        self.stopped = True


class FakePublisher:
    """Publisher that records started readings and live text."""

    def __init__(self) -> None:
        self.started: list[ReadingStarted] = []
        self.texts: list[tuple[int, str]] = []
        self.pages: list[tuple[int, str]] = []
        self.snapshots: list[PageState] = []

    def publish(self, item: ReadingStarted | PageTextUpdate) -> None:
        if isinstance(item, ReadingStarted):
            self.started.append(item)
            return
        (self.pages if item.page.done else self.texts).append((item.attempt, item.page.text))
        self.snapshots.append(item.page)


def page(number: int, count: int, *lines: str, warnings: list[str] | None = None) -> list[Step]:
    """Return the steps of one page, whose lines arrive one by one."""
    recorded = [
        reading.Line(number, text, ("\n" if at else "") + text, BOX, 0.9) for at, text in enumerate(lines)
    ]
    reported = [reading.PageWarning("unspecified", message) for message in warnings or []]
    return [
        reading.PageStarted(number, count, 10, 20),
        *(reading.LinesRead((line,)) for line in recorded),
        reading.PageDone(
            number,
            count,
            10,
            20,
            "\n".join(lines),
            " ".join(lines),
            recorded,
            reported,
        ),
    ]


def long_document(pages: int, *, first: int = 1) -> list[Step]:
    """Return the steps of a document with one line on each page."""
    return [step for number in range(first, pages + 1) for step in page(number, pages, f"page {number}")]


@pytest.fixture(autouse=True)
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test's connection, and its transaction: a reader closes old connections of its thread."""
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


def new_reader(*scripts: list[Step]) -> tuple[tasks.JobReader, FakeEngineProcess, FakePublisher]:
    """Return a job reader with its engine process and publisher; each script is for one document."""
    publisher = FakePublisher()
    engines = FakeEngineProcess(*scripts)
    return tasks.JobReader(publisher, engines), engines, publisher  # type: ignore[arg-type]


def reload(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def terminal_changes(changes: list[UploadChange]) -> list[UploadChange]:
    return [event for event in changes if event.ends_reading]
