"""`scanrill read` at a terminal: a page's text is there before the page is, and its Markdown in the end."""

from __future__ import annotations

import os
import re
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.cli import read_output
from backend_main.reading import (
    Engine,
    Line,
    Options,
    PageImage,
)
from tests.support.scripted_documents import scripted_tiff


class Waiting(Engine):
    """Reads a line, and the next only when somebody has seen it."""

    name = "waiting"
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
    """The other end of one; `text` is all that came, without what moves the cursor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._bytes = descriptor, b""

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._bytes.decode(errors="ignore")).replace("\r", "")

    def read_until(self, words: str) -> None:
        while words not in self.text:
            ready, _, _ = select.select([self._descriptor], [], [], 10)
            assert ready, f"nothing more came, and no {words!r}"
            self._bytes += os.read(self._descriptor, 4096)


def test_the_text_comes_while_it_is_read_and_the_markdown_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two.tiff").write_bytes(scripted_tiff([{}, {}]))
    engine, (ours, theirs) = Waiting(), os.openpty()
    terminal = Terminal(ours)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(read_output, "_load_engine", lambda options: engine)
    with os.fdopen(theirs, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        files = [tmp_path / "two.tiff"]
        reading = threading.Thread(
            target=lambda: read_output.write_files(files, form="md", options=Options()), daemon=True
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
    os.close(ours)
