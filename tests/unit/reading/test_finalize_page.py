"""A page that cannot be laid out has its text: the lines as they were shown, a warning, a line in the log."""

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
from tests.file_corpus.pdfs import LINES, build_pdf
from tests.support.scripted_documents import scripted_tiff
from tests.unit.reading.sample_layouts import box

WARNING = "The layout analysis of page {} failed. Its lines are in plain order, without tables and headings."


class TwoLines(Engine):
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
    def arrange(*_: object) -> None:
        raise ZeroDivisionError("a shape that nobody thought of")

    monkeypatch.setattr(page_assembly, "assemble_page", arrange)


def pages_of(path: Path) -> list[PageDone]:
    return [event for event in read(path, Options(), TwoLines()) if isinstance(event, PageDone)]


@pytest.mark.usefixtures("broken_layout")
def test_its_lines_stand_in_plain_order_and_the_other_pages_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "two.tiff").write_bytes(scripted_tiff([{}, {}]))
    pages = pages_of(tmp_path / "two.tiff")
    assert [page.markdown for page in pages] == ["first\nsecond"] * 2
    assert [page.text for page in pages] == ["first second"] * 2
    assert [page.warnings for page in pages] == [[WARNING.format(1)], [WARNING.format(2)]]
    assert "The layout analysis of page 1 failed" in caplog.text
    assert "a shape that nobody thought of" in caplog.text


@pytest.mark.usefixtures("broken_layout")
def test_nor_does_a_page_lose_the_text_that_it_brings(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(build_pdf("text"))
    page = pages_of(tmp_path / "x.pdf")[0]
    assert all(line in page.markdown for line in LINES)
    assert page.warnings == [WARNING.format(1)]
