"""Trust in a text layer whose script the engine of the request does not read."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from backend_main.reading import Engine, Line, Options, PageDone, PageImage, WarningCode, read
from backend_main.reading.documents.document import Document
from backend_main.reading.documents.pdf_text_layer import MAX_LAYOUT_RUNS, TextLayer
from backend_main.reading.documents.styled_text import TextStyle
from backend_main.reading.engines import LazyEngine
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.page_assembly import AssemblySettings
from backend_main.reading.text_layer_reader import TextLayerReader
from backend_main.reading.types import level_box
from backend_main.reading.unread_text import text_run
from tests.support.drawn_pdfs import drawn_page, text_at
from tests.support.fake_engines import FakeEngine
from tests.support.page_warnings import codes_of

KOREAN = "감염병의 예방 및 관리에 관한 법률 개정"
ROUGH = "감염병의 예방 및 관리에 과한 법룰 계정"
BOX = level_box(20, 20, 300, 45)


class LatinEngine(FakeEngine):
    """Engine that reads English only: it is sure of look-alikes."""

    languages = frozenset({"en"})


class OnePage:
    """Document of one blank page."""

    def page(self, number: int) -> PageImage:
        return PageImage(number, np.full((300, 400, 3), 255, np.uint8), 400, 300)


def reader(monkeypatch: pytest.MonkeyPatch, *engines: Engine) -> TextLayerReader:
    """Return the reader of a suspect Korean line, with engines for its script."""

    def engines_for_script(*_: object, **__: object) -> Iterator[Engine]:
        return iter(engines)

    monkeypatch.setattr(FallbackEngines, "engines_for_script", engines_for_script)
    monkeypatch.setattr(FallbackEngines, "detect_script", lambda *_: None)
    run = text_run(Line(1, KOREAN, "", BOX), BOX, TextStyle())
    layer = TextLayer(400, 300, (run,), sample=(0,))
    engine = LazyEngine(LatinEngine("ZteHol oE u", confidence=0.95))
    document = cast("Document", OnePage())
    return TextLayerReader(layer, 1, document, engine, Options(), FallbackEngines(), AssemblySettings())


def test_layer_in_another_script_is_compared_by_an_engine_for_that_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reader(monkeypatch, FakeEngine(ROUGH, confidence=0.9)).is_trusted()
    assert not reader(monkeypatch, FakeEngine("전혀 다른 글자가 보인다", confidence=0.9)).is_trusted()


def test_layer_in_a_script_that_no_engine_reads_is_kept_with_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = reader(monkeypatch)
    assert kept.is_trusted()
    assert len(kept.warnings) == 1


def test_page_with_too_many_runs_has_every_word_in_rows_and_a_warning(tmp_path: Path) -> None:
    """Fragments at random places take the square of their number to lay out."""
    place = random.Random(1)
    texts = [f"w{number}" for number in range(MAX_LAYOUT_RUNS + 1000)]
    draw = [text_at(place.uniform(20, 540), place.uniform(20, 800), text, size=4) for text in texts]
    path = tmp_path / "page.pdf"
    path.write_bytes(drawn_page("\n".join(draw)))
    *_, done = read(path, Options(), FakeEngine())
    assert isinstance(done, PageDone)
    assert len(done.lines) > MAX_LAYOUT_RUNS
    assert sorted(done.text.split()) == sorted(word for line in done.lines for word in line.text.split())
    assert codes_of(done) == [WarningCode.LAYOUT_FAILED]
    tops = [line.box[0][1] for line in done.lines if line.box is not None]
    assert all(below > above - 30 for above, below in pairwise(tops))
