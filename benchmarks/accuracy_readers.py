"""Readers of `accuracy.py`, and a cache of their results."""

import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from backend_main import reading
from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine
from backend_main.reading.layout import reading_order
from backend_main.reading.output.markdown import MarkdownWriter
from backend_main.reading.types import Line, Options, PageDone

THREADS = 1
LANGUAGES = {"omni_zh": "chi_sim", "udhr_cmn": "chi_sim", "udhr_deu": "deu", "udhr_fra": "fra"}

SETS_WITH_FURNITURE = ("sroie", "funsd", "pdfpages", "omni_en", "omni_zh")
"""Sets whose known text contains headers, footers and page numbers."""


@dataclass(frozen=True)
class Page:
    """Page with known text. `markdown` is None if only the plain text is known."""

    group: str
    path: Path
    truth: str
    markdown: str | None


@dataclass(frozen=True)
class Reading:
    """Text of a page, CPU seconds, and seconds to the first text."""

    text: str
    cpu: float
    first: float


Reader = Callable[[Page], Reading]


class Cache:
    """Results of readers as JSON files, one per page. Without a directory, nothing is cached."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, reader: str, page: Page) -> Any:
        path = self._path(reader, page)
        return json.loads(path.read_bytes()) if path and path.exists() else None

    def put(self, reader: str, page: Page, result: Any) -> None:
        path = self._path(reader, page)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Rename a complete file, because another run may read the same page.
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(msgspec.json.encode(result))
        Path(file.name).replace(path)

    def _path(self, reader: str, page: Page) -> Path | None:
        return self._folder / reader / page.group / f"{page.path.stem}.json" if self._folder else None


def readers(cache: Cache) -> dict[str, Reader]:
    """Return the readers by name; Tesseract only if it is installed."""
    found = {"scanrill": _Scanrill(cache), "RapidOCR": _cached("RapidOCR", cache, _rapidocr)}
    if shutil.which("tesseract"):
        found["Tesseract"] = _cached("Tesseract", cache, _tesseract)
    return found


def missing_languages(sets: Iterable[str]) -> list[str]:
    """Return the languages of the sets that the installed Tesseract lacks."""
    if not shutil.which("tesseract"):
        return []
    done = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True)
    return sorted({LANGUAGES.get(name, "eng") for name in sets} - set(done.stdout.split()))


def _cached(name: str, cache: Cache, read: Reader) -> Reader:
    def read_cached(page: Page) -> Reading:
        if known := cache.get(name, page):
            return Reading(**known)
        found = read(page)
        cache.put(name, page, asdict(found))
        return found

    return read_cached


# ── scanrill ──


class _Scanrill:
    """Reader with scanrill. For cached lines, it repeats only the layout, and adds their recognition time."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def __call__(self, page: Page) -> Reading:
        if known := self._cache.get("scanrill", page):
            lines = msgspec.convert(known["lines"], list[Line])
            done, spent, _ = _read(page, _Replay(lines))
            return Reading(done.markdown, known["cpu"] + spent, known["first"])
        done, spent, first = _read(page, _engine())
        # The cache has the time without layout, because each run repeats the layout.
        _, layout_cpu, _ = _read(page, _Replay(done.lines))
        self._cache.put("scanrill", page, {"lines": done.lines, "cpu": spent - layout_cpu, "first": first})
        return Reading(done.markdown, spent, first)


def _options(page: Page) -> Options:
    return Options(threads=THREADS, furniture="keep" if page.group in SETS_WITH_FURNITURE else "drop")


def _read(page: Page, engine: Engine) -> tuple[PageDone, float, float]:
    began, spent, first, done = time.perf_counter(), time.process_time(), 0.0, None
    for event in reading.read(page.path, _options(page), engine):
        if isinstance(event, Line):
            first = first or time.perf_counter() - began
        elif isinstance(event, PageDone):
            done = event
    assert done is not None  # read() yields PageDone or raises
    return done, time.process_time() - spent, first


@cache
def _engine() -> Engine:
    return load_engine("rapid", THREADS)


class _Replay(Engine):
    """Engine that returns lines recognized before."""

    name = "replay"
    is_test_engine = True  # it cannot read parts of a page again
    has_final_markdown = True
    uses_layout_analysis = True

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        lines = [line for line in self._lines if line.box is not None]
        writer = MarkdownWriter()
        for place in reading_order.reading_order([line.box for line in lines if line.box is not None]):
            line = lines[place.index]
            yield msgspec.structs.replace(line, markdown=writer.write(place.prefix, line.text))


# ── other programs ──


@cache
def _default_rapidocr() -> Any:
    """Load RapidOCR with its own settings. Without the paths, it would download the models."""
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _rapidocr(page: Page) -> Reading:
    ocr = _default_rapidocr()
    began, spent = time.perf_counter(), time.process_time()
    result = ocr(str(page.path))
    text = "\n".join(result.txts or ())
    return Reading(text, time.process_time() - spent, time.perf_counter() - began)


def _tesseract(page: Page) -> Reading:
    began, spent = time.perf_counter(), _childrens_cpu()
    done = subprocess.run(
        ["tesseract", str(page.path), "-", "-l", LANGUAGES.get(page.group, "eng")],
        env=os.environ | {"OMP_THREAD_LIMIT": str(THREADS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Reading(done.stdout, _childrens_cpu() - spent, time.perf_counter() - began)


def _childrens_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
