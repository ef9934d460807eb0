"""Readers of `pdf.py`: scanrill, markitdown and pdftotext, with the CPU time of each file."""

import logging
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backend_main.reading import Options, PageDone, read
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine

SCANRILL, MARKITDOWN, PDFTOTEXT = "scanrill", "markitdown", "pdftotext -layout"
START_REPEATS = 9


@dataclass(frozen=True)
class Reading:
    """Text of a file, and the seconds of CPU time that reading it took."""

    text: str
    cpu: float


Reader = Callable[[Path], Reading]


def readers(warm_up: Path) -> dict[str, Reader]:
    """Return the installed readers by name. Each has read `warm_up`, so that its models are loaded."""
    found: dict[str, Reader] = {SCANRILL: partial(_read_with_scanrill, load_engine("rapid", 1))}
    if shutil.which("pdftotext"):
        found[PDFTOTEXT] = partial(_read_with_pdftotext, start=_start_of_pdftotext())
    if find_spec("markitdown"):
        found[MARKITDOWN] = partial(_read_with_markitdown, _load_markitdown())
    for reader in found.values():
        reader(warm_up)
    return found


def missing() -> list[str]:
    """Return how to install the readers that are missing."""
    hints = []
    if not shutil.which("pdftotext"):
        hints.append(f"{PDFTOTEXT}: install Debian's package poppler-utils.")
    if not find_spec("markitdown"):
        hints.append(f"{MARKITDOWN}: run `make .venv/.installed-bench`.")
    return hints


def _read_with_scanrill(engine: Engine, path: Path) -> Reading:
    start = time.process_time()
    pages = [
        event.markdown for event in read(path, Options(threads=1), engine) if isinstance(event, PageDone)
    ]
    return Reading("\n\n".join(pages), time.process_time() - start)


def _load_markitdown() -> Any:
    from markitdown import MarkItDown

    # pdfminer logs each font whose descriptor has no box.
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    return MarkItDown()


def _read_with_markitdown(converter: Any, path: Path) -> Reading:
    start = time.process_time()
    text = converter.convert(path).text_content
    return Reading(text, time.process_time() - start)


def _read_with_pdftotext(path: Path, *, start: float) -> Reading:
    before = _cpu_of_children()
    run = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True)
    return Reading(run.stdout, max(0.0, _cpu_of_children() - before - start))


def _start_of_pdftotext() -> float:
    """Return the CPU time of a start of pdftotext that reads nothing."""
    times = []
    for _ in range(START_REPEATS):
        before = _cpu_of_children()
        subprocess.run(["pdftotext", "-v"], check=True, capture_output=True)
        times.append(_cpu_of_children() - before)
    return statistics.median(times)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
