"""Tests of packed words: every word comes back, and pages of earlier versions have none."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main import reading
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.models import Page
from backend_main.core.uploads import page_content, usage
from backend_main.core.uploads.packed_words import pack_words, unpack_words
from backend_main.reading import Line
from backend_main.reading.types import Box, level_box
from backend_main.reading.words import even_words, make_word, word_spans
from tests.support.database import new_upload, new_user

BOX = level_box(1.0, 2.0, 30.0, 40.5)
TEXT = "Total 12.00 EUR"

_numbers = st.integers(-1_000, 1_000_000).map(lambda number: number / 10)
_points = st.tuples(_numbers, _numbers)
_levels = st.builds(level_box, _numbers, _numbers, _numbers, _numbers)
_boxes = st.none() | _levels | st.tuples(_points, _points, _points, _points)
_confidences = st.none() | st.floats(0, 1)


@st.composite
def _lines(draw: st.DrawFn) -> Line:
    text = draw(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs"]), max_size=30))
    spans = [span for span in word_spans(text) if draw(st.integers(0, 9))]
    words = [make_word(text, span, draw(_boxes), draw(_confidences)) for span in spans]
    return Line(1, text, text, words=tuple(words))


@given(st.lists(_lines(), max_size=4))
def test_packed_words_are_unpacked_as_they_were(lines: list[Line]) -> None:
    assert unpack_words(pack_words(lines), [line.text for line in lines]) == [line.words for line in lines]


def test_unpack_words_refuses_another_format() -> None:
    with pytest.raises(ValueError, match="format 9"):
        unpack_words(b"\x09" + pack_words([])[1:], [])


def _slanted(box: Box) -> Box:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = box
    return (x0, y0), (x1, y1 + 3), (x2 + 1, y2 + 3), (x3 + 1, y3)


def _saved_page(lines: list[Line]) -> Page:
    upload = new_upload(new_user())
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    results.save_page(claim, reading.PageDone(1, 1, 10, 10, "x", "x", lines, []))
    return Page.objects.get(upload=upload)


@pytest.mark.django_db
def test_page_lines_of_a_saved_page_have_their_words() -> None:
    words = even_words(TEXT, BOX, 0.875)
    slanted = Line(1, TEXT, TEXT, _slanted(BOX), 0.5, words=even_words(TEXT, _slanted(BOX)))
    lines = [Line(1, TEXT, TEXT, BOX, 0.875, words=words), Line(1, "", ""), slanted]
    page = _saved_page(lines)
    assert page_content.page_lines(page, with_words=True) == lines
    assert [line.words for line in page_content.page_lines(page)] == [(), (), ()]
    assert "words" not in page.lines[0]
    assert usage.page_bytes(page) - usage.page_bytes(_without_words(page)) == len(page.words or b"") > 0


@pytest.mark.django_db
def test_page_lines_of_an_earlier_version_have_no_words() -> None:
    page = _saved_page([Line(1, TEXT, TEXT, BOX, 0.5, words=even_words(TEXT, BOX))])
    page.words = None
    page.lines = [{key: page.lines[0][key] for key in ("text", "markdown", "box", "page")}]
    page.save()
    assert page_content.page_lines(Page.objects.get(), with_words=True) == [Line(1, TEXT, TEXT, BOX)]


@pytest.mark.django_db
def test_missing_page_bytes_are_counted_with_the_words() -> None:
    page = _saved_page([Line(1, TEXT, TEXT, BOX, 0.5, words=even_words(TEXT, BOX))])
    type(page.upload).objects.update(page_bytes=None)
    usage.count_missing()
    page.upload.refresh_from_db()
    assert page.upload.page_bytes is not None
    assert abs(page.upload.page_bytes - usage.page_bytes(page)) < len(msgspec.json.encode(page.lines)) / 5


def _without_words(page: Page) -> Page:
    return Page(markdown=page.markdown, text=page.text, lines=page.lines, blocks=page.blocks)
