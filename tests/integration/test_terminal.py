"""Command `read` in a terminal: the preview of a page, then its final Markdown."""

from __future__ import annotations

import os
import re
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.cli import read_output
from backend_main.cli.read_inputs import Input
from backend_main.reading import (
    Engine,
    Line,
    Options,
    PageImage,
)
from backend_main.reading.engines import LazyEngine
from tests.support.scripted_documents import scripted_tiff


class PausingEngine(Engine):
    """Engine that waits after its first line until the test has seen it."""

    name = "pausing"
    has_final_markdown = True

    def __init__(self) -> None:
        self.seen = threading.Semaphore(0)

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        yield Line(page.number, "first", f"first of {page.number}")
        assert self.seen.acquire(timeout=20), "the first line was not shown"
        yield Line(page.number, "second", "\nsecond")

    def final_markdown(self, page: PageImage, lines: object) -> str:
        return f"# Page {page.number}\n\nfirst and second"


class Terminal:
    """Reading end of a pseudo-terminal. `text` is the output so far, without control sequences."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._bytes = descriptor, b""

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._bytes.decode(errors="ignore")).replace("\r", "")

    def read_until(self, words: str) -> None:
        while words not in self.text:
            ready, _, _ = select.select([self._descriptor], [], [], 10)
            assert ready, f"no more output, and {words!r} is missing"
            self._bytes += os.read(self._descriptor, 4096)


def test_read_in_a_terminal_shows_the_preview_then_the_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two.tiff").write_bytes(scripted_tiff([{}, {}]))
    engine, (reading_end, writing_end) = PausingEngine(), os.openpty()
    terminal = Terminal(reading_end)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(read_output, "configured_engine", lambda options: LazyEngine(engine))
    with os.fdopen(writing_end, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        path = tmp_path / "two.tiff"
        inputs = [Input(path, str(path), Path(path.name))]
        reading = threading.Thread(
            target=lambda: read_output.write_inputs(
                inputs, output_format="md", output=None, options=Options(), is_batch=False
            ),
            daemon=True,
        )
        reading.start()
        for number in (1, 2):
            terminal.read_until(f"first of {number}")
            terminal.read_until(f"two.tiff, page {number} of 2")
            assert f"# Page {number}" not in terminal.text
            engine.seen.release()
            terminal.read_until(f"# Page {number}\n\nfirst and second\n")
        reading.join(20)
        assert not reading.is_alive()
    os.close(reading_end)
