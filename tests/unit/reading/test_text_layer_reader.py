"""Trust in a text layer whose script the engine of the request does not read."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest

from backend_main.reading import Engine, Line, Options, PageImage
from backend_main.reading.documents.document import Document
from backend_main.reading.documents.pdf_text_layer import TextLayer
from backend_main.reading.documents.styled_text import TextStyle
from backend_main.reading.engines import LazyEngine
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.page_assembly import AssemblySettings
from backend_main.reading.text_layer_reader import TextLayerReader
from backend_main.reading.types import level_box
from backend_main.reading.unread_text import text_run
from tests.support.fake_engines import FakeEngine

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
