"""Loading of an engine when a page first needs it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import (
    EngineUnavailable,
    Options,
    PageDone,
    UnknownEngine,
    UnsupportedOption,
    load_engine,
    pipeline,
)
from backend_main.reading.engines import Engine, LazyEngine, lazy_engine
from backend_main.reading.engines.dummy import DummyEngine

from .conftest import Scripted


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the engines that were loaded, and `close NAME` for those that were closed."""
    names: list[str] = []

    def load(name: str, threads: int = 0) -> Engine:
        names.append(name)
        engine = load_engine(name, threads)
        monkeypatch.setattr(engine, "close", lambda: names.append(f"close {name}"))
        return engine

    monkeypatch.setattr(lazy_engine, "load_engine", load)
    return names


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """PDF of two pages with a text layer."""
    data = io.BytesIO()
    canvas = Canvas(data)
    for number in (1, 2):
        canvas.drawString(72, 700, f"This is the text of page {number}.")
        canvas.showPage()
    canvas.save()
    path = tmp_path / "printed.pdf"
    path.write_bytes(data.getvalue())
    return path


def test_read_of_text_layer_loads_no_engine(printed: Path, loads: list[str]) -> None:
    pages = [
        event for event in pipeline.read(printed, Options(engine="dummy")) if isinstance(event, PageDone)
    ]
    assert [page.text.strip() for page in pages] == [f"This is the text of page {n}." for n in (1, 2)]
    assert loads == []


def test_read_of_image_loads_engine_once_and_closes_it(scripted: Scripted, loads: list[str]) -> None:
    list(pipeline.read(scripted(), Options(engine="dummy")))
    assert loads == ["dummy", "close dummy"]


def test_lazy_engine_stays_loaded_over_files(scripted: Scripted, loads: list[str]) -> None:
    engine = LazyEngine("dummy")
    for name in ("a.png", "b.png"):
        list(pipeline.read(scripted(name), Options(), engine))
    assert loads == ["dummy"]
    engine.close()
    assert loads == ["dummy", "close dummy"]


def test_lazy_engine_is_configured_once_for_each_read(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured: list[Options] = []
    monkeypatch.setattr(DummyEngine, "configure", lambda self, options: configured.append(options))
    engine = LazyEngine("dummy")
    engine.configure(Options(first_page=1))
    assert configured == []
    for _ in range(2):
        engine.get()
    engine.configure(Options(first_page=2))
    engine.get()
    assert [options.first_page for options in configured] == [1, 2]


def test_unknown_engine_is_refused_before_any_page(printed: Path) -> None:
    with pytest.raises(UnknownEngine):
        next(pipeline.read(printed, Options(engine="none")))


def test_unavailable_engine_is_refused_before_any_page(
    printed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DummyEngine, "unavailable_reason", lambda: "Install it.")
    with pytest.raises(EngineUnavailable, match="Install it"):
        next(pipeline.read(printed, Options(engine="dummy")))


def test_unsupported_option_is_refused_before_any_page(printed: Path, loads: list[str]) -> None:
    with pytest.raises(UnsupportedOption):
        next(pipeline.read(printed, Options(engine="dummy", pages="x")))
    assert loads == []
