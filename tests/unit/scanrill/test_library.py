"""Tests of the package `scanrill`: sources, options, engines, errors and resources."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

import scanrill
from backend_main.reading.engines import lazy_engine
from scanrill import Line, LinesRead, PageDone, PageStarted
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import scripted_tiff

TEXTS = ["one", "two"]
MARKDOWN = "one\ntwo"


@pytest.fixture
def data() -> bytes:
    return scripted_png(lines=TEXTS)


@pytest.fixture
def path(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "page.png"
    path.write_bytes(data)
    return path


@pytest.fixture
def three_pages() -> bytes:
    return scripted_tiff([{"lines": [f"page {number}"]} for number in (1, 2, 3)])


class Unseekable(io.RawIOBase):
    """Binary file object without a position, such as a pipe or a response body."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


class OnlyRead:
    """Object whose only method is `read`. It returns a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._data.read(min(size, 100))


# ── sources ──


@pytest.mark.parametrize(
    "as_source",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: memoryview(data + data)[: len(data)],
        lambda data: memoryview(bytes(byte for pair in zip(data, data, strict=True) for byte in pair))[::2],
        io.BytesIO,
        Unseekable,
        OnlyRead,
        lambda data: io.BufferedReader(Unseekable(data)),
    ],
    ids=["bytes", "bytearray", "memoryview", "slice", "strided", "BytesIO", "raw", "read only", "buffered"],
)
def test_read_markdown_of_bytes_and_file_objects(data: bytes, as_source: Callable[[bytes], Any]) -> None:
    assert scanrill.read_markdown(as_source(data), engine="dummy") == MARKDOWN


@pytest.mark.parametrize("as_source", [str, Path])
def test_read_markdown_of_paths(path: Path, as_source: Callable[[Path], Any]) -> None:
    assert scanrill.read_markdown(as_source(path), engine="dummy") == MARKDOWN


def test_read_markdown_of_an_open_file(path: Path) -> None:
    with path.open("rb") as file:
        assert scanrill.read_markdown(file, engine="dummy") == MARKDOWN


def test_read_markdown_of_a_relative_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert scanrill.read_markdown(path.name, engine="dummy") == MARKDOWN


def test_file_object_is_read_from_its_position_and_stays_open(data: bytes) -> None:
    file = io.BytesIO(b"prefix" + data)
    file.seek(6)
    assert scanrill.read_markdown(file, engine="dummy") == MARKDOWN
    assert not file.closed
    assert file.tell() == len(file.getvalue())


def test_file_object_in_text_mode_raises_type_error(path: Path) -> None:
    with path.open("r", encoding="latin-1") as file, pytest.raises(TypeError, match='mode "rb"'):
        scanrill.read(file)  # type: ignore[arg-type]


def test_read_method_that_returns_text_raises_type_error() -> None:
    class ReturnsText:
        def read(self, _size: int, /) -> str:
            return "text"

    with pytest.raises(TypeError, match='mode "rb"'):
        scanrill.read_markdown(ReturnsText(), engine="dummy")  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 7, ["a.png"], object()])
def test_other_types_of_source_raise_type_error(source: Any) -> None:
    with pytest.raises(TypeError, match="Pass a path, bytes, or a file object"):
        scanrill.read(source)


def test_error_of_a_file_object_reaches_the_caller() -> None:
    class Broken(OnlyRead):
        def read(self, size: int, /) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        scanrill.read_markdown(Broken(b""), engine="dummy")


# ── events and options ──


def test_read_yields_start_lines_and_end_of_each_page(three_pages: bytes) -> None:
    events = list(scanrill.read(three_pages, engine="dummy"))
    assert [type(event) for event in events] == [PageStarted, Line, PageDone] * 3
    ends = [event for event in events if isinstance(event, PageDone)]
    assert [(end.number, end.markdown) for end in ends] == [(1, "page 1"), (2, "page 2"), (3, "page 3")]


def test_read_markdown_separates_pages_by_blank_lines(three_pages: bytes) -> None:
    assert scanrill.read_markdown(three_pages, engine="dummy") == "page 1\n\npage 2\n\npage 3"


def test_options_as_object_and_as_keywords_are_equal(three_pages: bytes) -> None:
    options = scanrill.Options(engine="dummy", pages="1,3")
    assert scanrill.read_markdown(three_pages, options) == "page 1\n\npage 3"
    assert scanrill.read_markdown(three_pages, options=options) == "page 1\n\npage 3"
    assert scanrill.read_markdown(three_pages, engine="dummy", pages="1,3") == "page 1\n\npage 3"


def test_keywords_take_precedence_over_options(three_pages: bytes) -> None:
    options = scanrill.Options(engine="nonesuch", pages="1,3")
    assert scanrill.read_markdown(three_pages, options, engine="dummy", pages="2") == "page 2"
    assert options.pages == "1,3"


def test_languages_may_be_a_list(data: bytes) -> None:
    assert scanrill.read_markdown(data, engine="dummy", languages=["en"]) == MARKDOWN


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"languages": "de"}, r"languages"),
        ({"pages": 3}, r"pages"),
        ({"threads": "4"}, r"threads"),
        ({"furniture": "some"}, r"furniture"),
        ({"formulas": "some"}, r"formulas"),
        ({"barcodes": "some"}, r"barcodes"),
        ({"dpi": 300}, r"dpi"),
        ({"options": {"pages": "3"}}, r"Pass scanrill\.Options"),
        ({"engine": 7}, r"Pass the name of an engine"),
        ({"engine": scanrill.Engine}, r"Pass the name of an engine"),
    ],
)
def test_invalid_arguments_raise_type_error_at_the_call(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        scanrill.read(b"", **fields)


def test_option_fields_are_the_fields_of_options_but_the_engine() -> None:
    fields = set(get_type_hints(scanrill.OptionFields)) | {"engine"}
    assert fields == set(scanrill.Options.__struct_fields__)


def test_read_markdown_logs_the_warnings_of_pages(
    three_pages: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "scanrill"):
        assert scanrill.read_markdown(three_pages, engine="dummy", pages="3-9") == "page 3"
    [record] = caplog.records
    assert "the file has 3 pages" in record.message


# ── errors ──


@pytest.mark.parametrize(
    ("source", "fields", "error"),
    [
        ("/nowhere/scan.pdf", {}, scanrill.UnreadableFile),
        (b"", {}, scanrill.UnreadableFile),
        (b"not an image", {}, scanrill.UnreadableFile),
        (scripted_png(), {"pages": "7"}, scanrill.NoSuchPage),
        (scripted_png(), {"engine": "nonesuch"}, scanrill.UnknownEngine),
        (scripted_png(), {"languages": ["ru"]}, scanrill.UnsupportedOption),
        (scripted_png(), {"pages": "x"}, scanrill.UnsupportedOption),
        (scripted_png(then="raise"), {}, scanrill.EngineFailed),
    ],
)
def test_read_raises_a_subclass_of_reading_error(source: Any, fields: dict[str, Any], error: type) -> None:
    with pytest.raises(error) as raised:
        scanrill.read_markdown(source, **({"engine": "dummy"} | fields))
    assert isinstance(raised.value, scanrill.ReadingError)


# ── resources ──


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the engines that were closed."""
    names: list[str] = []

    def load_engine(name: str, threads: int = 0) -> scanrill.Engine:
        engine = scanrill.load_engine(name, threads)
        engine.close = lambda: names.append(name)  # type: ignore[method-assign]
        return engine

    monkeypatch.setattr(lazy_engine, "load_engine", load_engine)
    return names


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def test_read_closed_early_releases_engine_and_temporary_file(
    data: bytes, closed: list[str], temporary: Path
) -> None:
    events = scanrill.read(data, engine="dummy")
    next(events)
    assert (closed, len(list(temporary.iterdir()))) == ([], 1)
    events.close()
    assert (closed, list(temporary.iterdir())) == (["dummy"], [])


def test_read_abandoned_in_a_loop_releases_its_resources(
    data: bytes, closed: list[str], temporary: Path
) -> None:
    for _ in scanrill.read(data, engine="dummy"):
        break
    assert (closed, list(temporary.iterdir())) == (["dummy"], [])


def test_read_that_never_starts_creates_nothing(data: bytes, closed: list[str], temporary: Path) -> None:
    scanrill.read(data, engine="dummy")
    assert (closed, list(temporary.iterdir())) == ([], [])


@pytest.mark.parametrize("bad", [b"not an image", scripted_png(then="raise")])
def test_failed_read_removes_its_temporary_file(bad: bytes, temporary: Path) -> None:
    with pytest.raises(scanrill.ReadingError):
        scanrill.read_markdown(bad, engine="dummy")
    assert list(temporary.iterdir()) == []


def test_temporary_file_is_private_to_its_user(data: bytes, temporary: Path) -> None:
    events = scanrill.read(data, engine="dummy")
    next(events)
    [file] = temporary.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    events.close()


def test_loaded_engine_stays_open_after_a_read(data: bytes, closed: list[str]) -> None:
    engine = lazy_engine.load_engine("dummy")
    for _ in range(2):
        assert scanrill.read_markdown(data, engine=engine) == MARKDOWN
    assert closed == []


# ── an engine process ──


@pytest.fixture
def process() -> Iterator[scanrill.EngineProcess]:
    with scanrill.EngineProcess("dummy") as process:
        yield process


def test_engine_process_reads_every_kind_of_source(
    process: scanrill.EngineProcess, path: Path, data: bytes
) -> None:
    for source in (path, str(path), data, io.BytesIO(data), Unseekable(data)):
        assert scanrill.read_markdown(source, engine=process) == MARKDOWN
    assert process.is_ready


def test_engine_process_is_usable_after_a_crash(process: scanrill.EngineProcess, data: bytes) -> None:
    with pytest.raises(scanrill.EngineCrashed):
        scanrill.read_markdown(scripted_png(then="crash"), engine=process)
    assert scanrill.read_markdown(data, engine=process) == MARKDOWN


def test_engine_process_is_usable_after_a_read_closed_early(
    process: scanrill.EngineProcess, data: bytes, temporary: Path
) -> None:
    events = scanrill.read(scripted_png(lines=["x"] * 1000, line_seconds=0.01), engine=process)
    next(events)
    events.close()
    assert list(temporary.iterdir()) == []
    assert scanrill.read_markdown(data, engine=process) == MARKDOWN


def test_engine_process_enforces_the_time_limit_of_a_page(process: scanrill.EngineProcess) -> None:
    process.start()
    with pytest.raises(scanrill.EngineTimeout):
        scanrill.read_markdown(scripted_png(then="hang"), engine=process, page_seconds=0.2)


def test_engine_process_stops_at_the_end_of_its_block() -> None:
    with scanrill.EngineProcess("dummy") as process:
        process.start()
        assert process.pid is not None
    assert process.pid is None


def test_engine_process_yields_lines_in_batches(process: scanrill.EngineProcess, path: Path) -> None:
    batches = [event for event in process.read_batched(path) if isinstance(event, LinesRead)]
    assert [line.text for batch in batches for line in batch.lines] == TEXTS


# ── engines ──


def test_known_engines_and_their_descriptions() -> None:
    assert {"rapid", "tesseract", "vision"} <= set(scanrill.known_engines())
    info = scanrill.engine_info("rapid")
    assert (info.name, info.installed, info.unavailable_reason) == ("rapid", True, None)
    assert "de" in info.languages
    with pytest.raises(scanrill.UnknownEngine):
        scanrill.engine_info("nonesuch")


# ── the package ──


def test_package_exports_each_name_once_and_each_exists() -> None:
    assert len(set(scanrill.__all__)) == len(scanrill.__all__)
    assert all(hasattr(scanrill, name) for name in scanrill.__all__)


def test_package_exports_every_reading_error() -> None:
    def subclasses(kind: type) -> Iterator[type]:
        for sub in kind.__subclasses__():
            yield sub
            yield from subclasses(sub)

    names = {kind.__name__ for kind in subclasses(scanrill.ReadingError) if "backend_main" in kind.__module__}
    assert names <= set(scanrill.__all__)


def test_import_loads_neither_django_nor_a_model_runtime() -> None:
    code = "import sys, scanrill; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    top_level = {name.partition(".")[0] for name in done.stdout.split()}
    assert "scanrill" in top_level
    assert not top_level & {"django", "channels", "onnxruntime", "openvino", "cv2", "rapidocr", "pypdfium2"}
    assert "backend_main.core" not in done.stdout.split()


def test_events_are_plain_data(data: bytes) -> None:
    for event in scanrill.read(data, engine="dummy"):
        kind = type(event)
        assert msgspec.json.decode(msgspec.json.encode(event), type=kind) == event


def test_package_is_typed() -> None:
    for package in ("scanrill", "backend_main"):
        assert (Path(scanrill.__file__).parents[1] / package / "py.typed").exists()
