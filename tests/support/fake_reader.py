"""One of the server's readers whose engine is a script, and whose bell notes what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend_main import reading
from backend_main.core import tasks
from backend_main.core.event_log import UploadChange
from backend_main.core.models import Upload
from backend_main.core.pubsub.messages import PageSnapshot, PageTextUpdate, ReadingStarted
from tests.support.database import new_upload, new_user

Act = Callable[[], None]
Step = reading.BatchedEvent | Exception | Act
BOX = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class FakeEngineProcess:
    """Plays the scripts in turn, a page at each read; a function is called, an exception raised."""

    is_ready = True

    def __init__(self, *scripts: list[Step]) -> None:
        self.scripts = [list(script) for script in scripts]
        self.asked: list[reading.Options] = []
        self.cancelled = self.stopped = False
        self.starts = 0

    def start(self) -> None:
        self.starts += 1

    def read_batched(self, _path: Path, options: reading.Options) -> Iterator[reading.BatchedEvent]:
        self.asked.append(options)
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
    """Notes the live text."""

    def __init__(self) -> None:
        self.taken: list[ReadingStarted] = []
        self.texts: list[tuple[int, str]] = []
        self.pages: list[tuple[int, str]] = []
        self.drafts: list[PageSnapshot] = []

    def publish(self, item: ReadingStarted | PageTextUpdate) -> None:
        if isinstance(item, ReadingStarted):
            self.taken.append(item)
            return
        (self.pages if item.snapshot.done else self.texts).append((item.attempt, item.snapshot.text))
        self.drafts.append(item.snapshot)


def page(number: int, count: int, *lines: str, warnings: list[str] | None = None) -> list[Step]:
    """The events of one page, whose lines come one by one."""
    told = [
        reading.Line(number, text, ("\n" if at else "") + text, BOX, 0.9) for at, text in enumerate(lines)
    ]
    return [
        reading.PageStarted(number, count, 10, 20),
        *(reading.LinesRead((line,)) for line in told),
        reading.PageDone(number, count, 10, 20, "\n".join(lines), " ".join(lines), told, warnings or []),
    ]


def long_document(pages: int, *, first: int = 1) -> list[Step]:
    return [step for number in range(first, pages + 1) for step in page(number, pages, f"page {number}")]


@pytest.fixture(autouse=True)
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader looks at its thread's connection first; here that is the test's, inside its transaction."""
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


def reader(*scripts: list[Step]) -> tuple[tasks.JobReader, FakeEngineProcess, FakePublisher]:
    bell, host = FakePublisher(), FakeEngineProcess(*scripts)
    return tasks.JobReader(bell, host), host, bell  # type: ignore[arg-type]


def reload(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def terminals(upload_changes: list[UploadChange]) -> list[UploadChange]:
    return [event for event in upload_changes if event.ends_reading]
