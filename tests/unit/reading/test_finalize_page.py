"""Layout failure: the page keeps its streamed text, with a warning and a log message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.reading import (
    Engine,
    Line,
    Options,
    PageDone,
    PageImage,
    page_assembly,
    read,
)
from backend_main.reading.born_digital.assembly import DigitalAssembly
from tests.file_corpus.pdfs import LINES, build_pdf
from tests.support.page_warnings import messages_of
from tests.support.scripted_documents import scripted_tiff
from tests.unit.reading.sample_layouts import box

WARNING = "The layout analysis of page {} failed. Its lines are in plain order, without tables and headings."


class TwoLineEngine(Engine):
    name = "two-lines"
    has_final_markdown = True
    uses_layout_analysis = True

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        yield Line(page.number, "first", "first", box(10, 10, 100), 0.99)
        yield Line(page.number, "second", "\nsecond", box(10, 40, 100), 0.99)


@pytest.fixture
def broken_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("an unexpected shape")

    monkeypatch.setattr(page_assembly, "assemble_page", fail)
    monkeypatch.setattr(DigitalAssembly, "formatted", fail)


def read_pages(path: Path) -> list[PageDone]:
    return [event for event in read(path, Options(), TwoLineEngine()) if isinstance(event, PageDone)]


@pytest.mark.usefixtures("broken_layout")
def test_layout_failure_gives_streamed_lines_and_other_pages_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "two.tiff").write_bytes(scripted_tiff([{}, {}]))
    pages = read_pages(tmp_path / "two.tiff")
    assert [page.markdown for page in pages] == ["first\nsecond"] * 2
    assert [page.text for page in pages] == ["first second"] * 2
    assert [messages_of(page) for page in pages] == [[WARNING.format(1)], [WARNING.format(2)]]
    assert "The layout analysis of page 1 failed" in caplog.text
    assert "an unexpected shape" in caplog.text


@pytest.mark.usefixtures("broken_layout")
def test_layout_failure_keeps_text_layer_of_pdf_page(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(build_pdf("text"))
    page = read_pages(tmp_path / "x.pdf")[0]
    assert all(line in page.markdown for line in LINES)
    assert messages_of(page) == [WARNING.format(1)]
