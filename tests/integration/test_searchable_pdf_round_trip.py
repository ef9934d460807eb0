"""A searchable PDF that is read again has the text that was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend_main.reading import Options, PageDone, read
from backend_main.reading.engines import LazyEngine
from backend_main.reading.searchable_pdf import TextPage
from tests.support.searchable_pdfs import page_text, searchable_pdf
from tests.support.word_pages import draw_words


@pytest.mark.parametrize(("code", "degrees"), [("en", 3.0), ("zh", 0.0)])
def test_pdf_read_again_has_the_text_that_was_read(code: str, degrees: float, tmp_path: Path) -> None:
    page = draw_words(code, degrees=degrees)
    if page is None:
        pytest.skip("The font is not installed.")
    picture, pdf = tmp_path / "page.png", tmp_path / "page.pdf"
    page.image.save(picture, dpi=(150, 150))
    engine = LazyEngine("rapid")
    try:
        first = _page(picture, engine)
        pdf.write_bytes(searchable_pdf(picture, [TextPage(1, first.width, first.height, first.lines)]))
        again = _page(pdf, engine)
    finally:
        engine.close()
    assert again.text == first.text
    copied = page_text(pdf.read_bytes())
    assert "".join(copied.split()) == "".join(line.text for line in first.lines).replace(" ", "")


def _page(path: Path, engine: LazyEngine) -> PageDone:
    (done,) = (event for event in read(path, Options(), engine) if isinstance(event, PageDone))
    return done
