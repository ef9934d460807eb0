"""Tests of the fallback to another engine, for unreadable scripts and for failed pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np
import pytest

from backend_main.reading import (
    Engine,
    EngineFailed,
    Line,
    Options,
    PageDone,
    PageFailed,
    PageRestarted,
    UnknownEngine,
    WarningCode,
    fallback,
    read,
    script_readings,
)
from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines import DetectedScript, load_engine, tesseract
from backend_main.reading.engines.tesseract import TesseractEngine
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.page_assembly import AssemblySettings
from backend_main.reading.page_reader import PageReader
from backend_main.reading.types import level_box
from tests.support.fonts import TEXTS, page_png_in
from tests.support.page_warnings import codes_of, messages_of
from tests.support.scoring import score
from tests.support.tesseract import skip_without_tesseract

from .sample_lines import BAD, GOOD, lines

BLANK = PageImage(1, np.full((100, 500, 3), 255, np.uint8), 500, 100)


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def read_in(language: str, engine: Engine, tmp_path: Path) -> tuple[str, PageDone]:
    """Return the Markdown that streamed of a page in this language, and the finished page."""
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
def test_unreadable_page_has_a_warning(language: str, rapid: Engine, tmp_path: Path) -> None:
    _, done = read_in(language, rapid, tmp_path)
    [warning] = messages_of(done)
    assert "The engine “rapid” could not read most of page 1" in warning
    assert "apt install tesseract-ocr" in warning


@pytest.mark.parametrize(("is_sure", "verb"), [(True, "is"), (False, "may be")])
def test_warning_names_a_script_that_no_engine_reads(
    *, is_sure: bool, verb: str, rapid: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_tesseract()
    script = DetectedScript("Arabic", is_sure)
    monkeypatch.setattr(FallbackEngines, "detect_script", lambda *_: script)
    monkeypatch.setattr(TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"en"})))
    monkeypatch.setattr(tesseract, "_pack_by_code", lambda: {"en": "eng"})
    _, done = read_in("ar", rapid, tmp_path)
    [warning] = messages_of(done)
    assert f"Page 1 {verb} in Arabic script" in warning
    assert "the text is not what is printed" in warning
    assert "tesseract-ocr-ara or tesseract-ocr-fas or tesseract-ocr-urd" in warning


def test_unreadable_page_does_not_name_a_script_that_an_engine_failed_to_read(
    rapid: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The detection called Georgian Arabic."""
    skip_without_tesseract("ar", "ko")
    monkeypatch.setattr(FallbackEngines, "detect_script", lambda *_: DetectedScript("Arabic"))
    monkeypatch.setattr(script_readings, "MIN_MEDIAN_CONFIDENCE", 2.0)
    _, done = read_in("ko", rapid, tmp_path)
    [warning] = messages_of(done)
    assert "Arabic" not in warning
    assert codes_of(done) == ["unread-ink"]


def test_page_in_a_script_that_the_detection_is_unsure_of_is_read(rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("ko")
    streamed, done = read_in("ko", rapid, tmp_path)
    words = set(TEXTS["ko"][1].split())
    assert len(words & set(done.text.split())) > 0.9 * len(words)
    assert streamed.split() == done.text.split()
    [message] = messages_of(done)
    assert message == "8 lines on page 1 are in Korean script; “tesseract” read them, as ko (Korean)."


def test_reread_page_uses_an_engine_that_reads_the_script(rapid: Engine, tmp_path: Path) -> None:
    skip_without_tesseract("ru")
    streamed, done = read_in("ru", rapid, tmp_path)
    assert score(done.markdown, TEXTS["ru"][1] * 2).word_f1 > 0.6
    assert set(done.text.split()) <= set(TEXTS["ru"][1].split())
    assert streamed == done.markdown
    assert all(line.box for line in done.lines)
    assert messages_of(done) == [
        "Page 1 is in Cyrillic script, which the engine “rapid” does not read; "
        "“tesseract” read it, as ru (Russian)."
    ]


def test_tesseract_without_languages_detects_the_script(tmp_path: Path) -> None:
    skip_without_tesseract("ru", "en")
    _, done = read_in("ru", load_engine("tesseract"), tmp_path)
    assert set(done.text.split()) <= set(TEXTS["ru"][1].split())
    assert messages_of(done) == ["Page 1 is in Cyrillic script; “tesseract” read it, as ru (Russian)."]


@pytest.mark.parametrize("language", ["en", "de"])
def test_readable_page_has_no_warning(language: str, rapid: Engine, tmp_path: Path) -> None:
    _, done = read_in(language, rapid, tmp_path)
    assert done.warnings == []
    assert set(done.text.split()) <= set(TEXTS[language][1].split())


class RestartingEngine(Engine):
    """Engine that restarts a page after five lines."""

    name = "restarting"

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        yield from lines(*[BAD] * 5)
        yield PageRestarted()
        yield from lines(GOOD)


def test_reread_discards_lines_before_a_restart() -> None:
    read_lines = fallback._read_lines(RestartingEngine(), BLANK)
    reread = fallback._assembled(RestartingEngine(), BLANK, read_lines, AssemblySettings(), 1.0)
    assert reread is not None
    assert [line.text for line in reread.lines] == [GOOD[0]]
    assert reread.formatted.text == GOOD[0]


# ── with engines that are lists of lines ──


class ListEngine(Engine):
    """Engine that yields the lines of its class, then raises its failure."""

    yields: ClassVar[list[Line | PageRestarted]] = []
    failure: ClassVar[Exception | None] = None
    options = Options()
    closed = False

    def load(self, threads: int) -> None:
        pass

    def configure(self, options: Options) -> None:
        self.options = options

    def configured_languages(self) -> frozenset[str]:
        return self.languages.intersection(self.options.languages) or self.languages

    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        yield from self.yields
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        self.closed = True


class LatinEngine(ListEngine):
    name = "latin"
    languages = frozenset({"de", "en"})
    yields = [*lines(*[BAD] * 6)]


class CyrillicEngine(ListEngine):
    name = "cyrillic"
    languages = frozenset({"ru", "uk"})
    detects_scripts = True
    yields = [*lines(GOOD, GOOD)]

    def detect_script(self, page: PageImage) -> DetectedScript:
        return DetectedScript("Cyrillic")


class FailingEngine(ListEngine):
    name = "failing"
    failure = PageFailed("the model failed")
    named: str | None = None

    @property
    def fallback_engine(self) -> str | None:
        return self.named


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the loaded engines; exactly the engines of this module are installed."""
    kinds: dict[str, type[Engine]] = {
        kind.name: kind for kind in (LatinEngine, CyrillicEngine, FailingEngine)
    }
    names: list[str] = []

    def load_engine(name: str, threads: int = 0) -> Engine:
        names.append(name)
        if name not in kinds:
            raise UnknownEngine(name, kinds)
        return kinds[name]()

    monkeypatch.setattr(fallback, "known_engines", lambda: sorted(kinds))
    monkeypatch.setattr(fallback, "engine_class", kinds.__getitem__)
    monkeypatch.setattr(fallback, "load_engine", load_engine)
    return names


def stream(engine: Engine, options: Options | None = None) -> tuple[str, PageReader]:
    """Return the Markdown that streamed, and the reader of the page."""
    options = options or Options()
    engine.configure(options)
    reader = PageReader(engine, BLANK, options, FallbackEngines())
    return "".join(line.markdown for line in reader.stream()), reader


def test_reread_page_replaces_the_unreadable_text(loads: list[str]) -> None:
    streamed, reader = stream(LatinEngine())
    assert streamed == reader.formatted.markdown == GOOD[0] * 2
    assert messages_of(reader) == [
        "Page 1 is in Cyrillic script, which the engine “latin” does not read; "
        "“cyrillic” read it, as ru (Russian), uk (Ukrainian)."
    ]
    assert loads == ["cyrillic"]


def test_reread_page_detected_and_found_in_one_script_reads_it_once(
    loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[PageImage] = []

    class UncertainEngine(CyrillicEngine):
        """Engine that is too uncertain for a detected script, but not for one in which lines were read."""

        def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
            pages.append(page)
            yield from lines(*[BAD] * 6)

    monkeypatch.setattr(fallback, "load_engine", lambda *_: UncertainEngine())
    result = FallbackEngines().reread_page(
        BLANK, LatinEngine(), Options(), AssemblySettings(), lambda: "Cyrillic"
    )
    assert result.page is not None
    assert len(pages) == 2  # as it is, and upside down


class UpsideDownEngine(CyrillicEngine):
    """Engine that reads a page whose top left pixel is black, and garbage from the others."""

    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        is_upright = not page.pixels[0, 0].any()
        yield from lines(*[GOOD if is_upright else BAD] * 6)


def test_reread_page_upside_down_is_read_upright(loads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CyrillicEngine, "read_page", UpsideDownEngine.read_page)
    pixels = BLANK.pixels.copy()
    pixels[-1, -1] = 0
    page = PageImage(1, pixels, BLANK.width, BLANK.height)
    reader = PageReader(LatinEngine(), page, Options(), FallbackEngines())
    list(reader.stream())
    assert [line.text for line in reader.lines] == [GOOD[0]] * 6
    assert reader.lines[0].box == ((500, 100), (100, 100), (100, 80), (500, 80))


@pytest.mark.parametrize("number", [0, 5])
def test_reread_page_with_an_uncertain_line_names_its_place(
    number: int, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    confidences = [BAD if place == number else GOOD for place in range(6)]
    read = [
        msgspec.structs.replace(line, box=level_box(0, 30 * place, 400, 30 * place + 20))
        for place, line in enumerate(lines(*confidences))
    ]
    monkeypatch.setattr(CyrillicEngine, "yields", read)
    _, reader = stream(LatinEngine())
    assert reader.warnings[-1].code == WarningCode.LOW_CONFIDENCE
    assert reader.warnings[-1].boxes == (read[number].box,)


@pytest.mark.usefixtures("loads")
def test_reread_page_that_stays_uncertain_has_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CyrillicEngine, "yields", [*lines((BAD[0], 0.6), width=200.0)])
    _, reader = stream(LatinEngine())
    assert codes_of(reader) == ["script-reread", "low-confidence"]


def test_reread_page_prefers_the_requested_languages(loads: list[str]) -> None:
    _, reader = stream(LatinEngine(), Options(languages=("en", "uk")))
    assert reader.warnings[0].message.endswith("“cyrillic” read it, as uk (Ukrainian).")


def test_reread_page_in_a_script_of_the_engine_keeps_its_text(loads: list[str]) -> None:
    class Unsure(CyrillicEngine):
        yields = [*lines(*[BAD] * 6)]

    streamed, reader = stream(Unsure())
    assert streamed == BAD[0] * 6
    assert messages_of(reader) == ["The engine “cyrillic” read most of page 1 with low confidence."]


def test_reread_page_without_confidences_decides_no_script(
    loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unscored(CyrillicEngine):
        yields = [*lines(("Комитет решил отвечать", None), ("на все письма", None))]

        def detect_script(self, page: PageImage) -> None:
            return None

    monkeypatch.setattr(fallback, "load_engine", lambda *_: Unscored())
    streamed, reader = stream(LatinEngine())
    assert streamed == BAD[0] * 6
    assert codes_of(reader) == ["unread-ink"]


def test_page_whose_few_words_are_all_uncertain_has_a_warning(loads: list[str]) -> None:
    """The texture of a photograph is read as letters."""

    class ReadsTexture(LatinEngine):
        yields = [*lines(("qme", 0.55), ("000", 0.82), width=40.0)]

    streamed, reader = stream(ReadsTexture())
    assert streamed == "qme000"
    assert messages_of(reader) == ["All the print on page 1 was read with low confidence."]


def test_reread_page_does_not_load_a_failed_engine_twice(
    loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, threads: int = 0) -> Engine:
        loads.append(name)
        raise EngineFailed("It failed.")

    monkeypatch.setattr(fallback, "load_engine", fail)
    engines = FallbackEngines()
    for _ in range(2):
        result = engines.reread_page(BLANK, LatinEngine(), Options(), AssemblySettings())
        assert result.page is None
        assert result.warning.message.startswith("The engine “latin” could not read most of page 1: ")
    assert loads == ["cyrillic"]


def test_close_closes_loaded_engines(loads: list[str]) -> None:
    engines = FallbackEngines()
    engine = FailingEngine()
    engine.named = "latin"
    loaded = engines.for_failed_page(engine, Options())
    assert isinstance(loaded, LatinEngine)
    engines.close()
    assert loaded.closed


def test_for_failed_page_passes_only_supported_languages(loads: list[str]) -> None:
    engine = FailingEngine()
    engine.named = "latin"
    loaded = FallbackEngines().for_failed_page(engine, Options(languages=("ru", "de"), profile="x"))
    assert isinstance(loaded, LatinEngine)
    assert (loaded.options.languages, loaded.options.profile) == (("de",), "")


@pytest.mark.parametrize("named", [None, "failing"])
def test_for_failed_page_without_another_name_returns_none(named: str | None, loads: list[str]) -> None:
    engine = FailingEngine()
    engine.named = named
    assert FallbackEngines().for_failed_page(engine, Options()) is None
    assert loads == []


def test_failed_page_is_read_by_the_named_engine(loads: list[str]) -> None:
    engine = FailingEngine()
    engine.named = "cyrillic"
    streamed, reader = stream(engine)
    assert streamed == reader.formatted.markdown == GOOD[0] * 2
    assert messages_of(reader) == ["Page 1: the model failed; “cyrillic” read it instead."]


def test_failed_page_unreadable_to_the_named_engine_is_reread(loads: list[str]) -> None:
    engine = FailingEngine()
    engine.named = "latin"
    _, reader = stream(engine)
    assert reader.formatted.markdown == GOOD[0] * 2
    assert loads == ["latin", "cyrillic"]
    assert len(reader.warnings) == 2


def test_failed_page_keeps_its_text_if_the_named_engine_is_unknown(loads: list[str]) -> None:
    class Partial(FailingEngine):
        yields = [*lines(GOOD)]
        named = "nonesuch"

    streamed, reader = stream(Partial())
    assert streamed == GOOD[0]
    assert messages_of(reader) == ["Page 1: the model failed; its text up to there is kept."]


def test_failed_page_without_text_and_fallback_raises_engine_failed(loads: list[str]) -> None:
    with pytest.raises(EngineFailed, match=r"^Page 1 could not be read: the model failed\.$"):
        stream(FailingEngine())
