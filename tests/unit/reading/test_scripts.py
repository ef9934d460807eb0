"""A script that the engine cannot read is noticed, and told, and read by another where one can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from backend_main.reading import (
    Engine,
    Line,
    Options,
    PageDone,
    PageRestarted,
    fallback,
    read,
)
from backend_main.reading.confidence import ReadabilityMonitor, share_of
from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.tesseract import TesseractEngine
from tests.support.fonts import TEXTS, page_png_in
from tests.support.scoring import score
from tests.support.tesseract import skip_without_tesseract


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def read_in(language: str, engine: Engine, tmp_path: Path) -> tuple[str, PageDone]:
    """What streamed of a page in this language, and the page in the end."""
    path = tmp_path / "page.png"
    path.write_bytes(page_png_in(language))
    events = list(read(path, Options(), engine))
    streamed = "".join(event.markdown for event in events if isinstance(event, Line))
    [done] = [event for event in events if isinstance(event, PageDone)]
    return streamed, done


@pytest.fixture
def no_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.mark.parametrize("language", ["ru", "ko", "ar"])
@pytest.mark.usefixtures("no_tesseract")
def test_a_page_that_makes_no_sense_is_never_silent(language: str, rapid: Engine, tmp_path: Path) -> None:
    _, done = read_in(language, rapid, tmp_path)
    [warning] = done.warnings
    assert "made no sense to the engine “rapid”" in warning
    assert "apt install tesseract-ocr" in warning


@pytest.mark.parametrize(("language", "script"), [("ko", "Korean"), ("ar", "Arabic")])
def test_a_script_that_nobody_here_reads_is_named(
    language: str, script: str, rapid: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_tesseract()
    monkeypatch.setattr(TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"en"})))
    _, done = read_in(language, rapid, tmp_path)
    [warning] = done.warnings
    assert f"Page 1 is in {script} script" in warning
    assert "what it shows is not what is printed" in warning
    assert "tesseract-ocr-" in warning


def test_another_engine_reads_the_page_where_one_can(rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("ru")
    streamed, done = read_in("ru", rapid, tmp_path)
    assert score(done.markdown, TEXTS["ru"][1] * 2).word_f1 > 0.6
    assert set(done.text.split()) <= set(TEXTS["ru"][1].split())
    assert streamed == done.markdown
    assert all(line.box for line in done.lines)
    assert done.warnings == [
        "Page 1 is in Cyrillic script, which the engine “rapid” does not read; "
        "“tesseract” read it, as ru (Russian)."
    ]


def test_tesseract_told_nothing_of_the_language_finds_it_out(tmp_path: Path) -> None:
    skip_without_tesseract("ru", "en")
    _, done = read_in("ru", load_engine("tesseract"), tmp_path)
    assert set(done.text.split()) <= set(TEXTS["ru"][1].split())
    assert done.warnings == ["Page 1 is in Cyrillic script; “tesseract” read it, as ru (Russian)."]


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_is_said_of_a_page_that_is_read(language: str, rapid: Engine, tmp_path: Path) -> None:
    _, done = read_in(language, rapid, tmp_path)
    assert done.warnings == []
    assert set(done.text.split()) <= set(TEXTS[language][1].split())


class Hesitant(Engine):
    """Begins to read a page, and then anew."""

    name = "hesitant"

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        yield from lines(*[BAD] * 5)
        yield PageRestarted()
        yield from lines(GOOD)


def test_of_a_page_that_a_helper_begins_anew_only_what_comes_then_counts() -> None:
    blank = PageImage(1, np.full((100, 500, 3), 255, np.uint8), 500, 100)
    read_with = fallback._read_with(Hesitant(), blank, 1)
    assert read_with is not None
    told, written, _ = read_with
    assert [line.text for line in told] == [GOOD[0]]
    assert written.text == GOOD[0]


# ── the weighing ──


def lines(*told: tuple[str, float], width: float = 400.0) -> list[Line]:
    """Lines of 20 pixels' height, with these texts and confidences."""
    box = ((0.0, 0.0), (width, 0.0), (width, 20.0), (0.0, 20.0))
    return [Line(1, text, text, box, confidence) for text, confidence in told]


GOOD, BAD, LOST = ("a line of twenty and more letters", 0.97), ("in d d'n Da Dlli in l u D", 0.6), (".", 0.92)


def test_good_lines_are_shown_at_once() -> None:
    doubt = ReadabilityMonitor()
    for line in lines(*[GOOD] * 5):
        assert doubt.add(line) == [line]
    assert doubt.low_confidence_share == 0
    assert not doubt.is_unreadable


@pytest.mark.parametrize("bad", [BAD, LOST, ("", 0.0)])
def test_lines_in_doubt_wait_until_there_are_enough_to_judge(bad: tuple[str, float]) -> None:
    doubt = ReadabilityMonitor()
    told = lines(*[bad] * 4)
    assert [doubt.add(line) for line in told[:3]] == [[], [], []]
    assert doubt.is_unreadable
    assert doubt.accept_all() == [line for line in told[:3] if line.text]
    assert doubt.add(told[3]) == [line for line in told[3:] if line.text]
    assert not doubt.is_unreadable


def test_one_bad_line_waits_for_the_next_good_one() -> None:
    doubt = ReadabilityMonitor()
    first, second = lines(BAD, GOOD)
    assert doubt.add(first) == []
    assert doubt.add(second) == [first, second]


@pytest.mark.parametrize(
    ("told", "share"),
    [
        ([GOOD] * 3, 0.0),
        ([GOOD, BAD], 0.5),
        ([BAD, LOST, ("", 0.0)], 1.0),
        ([], 0.0),
    ],
)
def test_the_share_in_doubt_is_of_what_is_printed(told: Sequence[tuple[str, float]], share: float) -> None:
    assert share_of(lines(*told)) == share


@pytest.mark.parametrize(("bad", "partly"), [(2, False), (3, True), (7, False)])
def test_a_page_that_is_partly_in_doubt_is_told_of(bad: int, partly: bool) -> None:
    doubt = ReadabilityMonitor()
    for line in lines(*[GOOD] * 6, *[BAD] * bad):
        doubt.add(line)
    assert doubt.is_partly_unreadable == partly


def test_a_scribble_is_no_script() -> None:
    assert share_of(lines(("~", 0.3), width=100)) == 0.0


def test_a_short_figure_is_no_lost_line() -> None:
    assert share_of(lines(*[("7", 0.99)] * 20, width=70)) == 0.0


def test_engines_without_boxes_are_not_doubted() -> None:
    doubt = ReadabilityMonitor()
    piece = Line(1, "a", "a")
    assert doubt.add(piece) == [piece]
