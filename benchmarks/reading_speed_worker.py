"""Process of `reading_speed.py`: it loads a reader, waits for a line, reads all pages, prints the figures.

python -m benchmarks.reading_speed_worker READER THREADS PAGE...
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from backend_main import reading
from backend_main.reading.engines import load_engine

ACCURATE, FAST = "scanrill, `accurate`", "scanrill, `fast`"
DEFAULTS, TESSERACT = "RapidOCR, its defaults", "Tesseract"
READERS = (ACCURATE, FAST, DEFAULTS, TESSERACT)

Texts = Callable[[Path], Iterator[str]]
"""Function that yields the partial texts of a page; the last is the full text."""


def missing(reader: str) -> bool:
    absent = reader == TESSERACT and shutil.which("tesseract") is None
    if absent:
        print("*** TESSERACT IS NOT INSTALLED and is not measured.", file=sys.stderr)
    return absent


def scanrill(profile: str, threads: int) -> Texts:
    engine = load_engine("rapid", threads)
    options = reading.Options(profile=profile)

    def read(path: Path) -> Iterator[str]:
        for event in reading.read(path, options, engine):
            if isinstance(event, reading.Line):
                yield event.text
            elif isinstance(event, reading.PageDone):
                yield event.markdown

    return read


def defaults(threads: int) -> Texts:
    """Return a reader with RapidOCR's defaults and models, on the given number of threads."""
    import cv2
    import rapidocr

    cv2.setNumThreads(threads)
    settings = {"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": threads}
    ocr = rapidocr.RapidOCR(params=settings)

    def read(path: Path) -> Iterator[str]:
        yield "\n".join(ocr(str(path)).txts or ())

    return read


def tesseract(threads: int) -> Texts:
    environment = os.environ | {"OMP_THREAD_LIMIT": str(threads)}

    def read(path: Path) -> Iterator[str]:
        command = ["tesseract", str(path), "stdout"]
        yield subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    return read


LOADERS: dict[str, Callable[[int], Texts]] = {
    ACCURATE: lambda threads: scanrill("accurate", threads),
    FAST: lambda threads: scanrill("fast", threads),
    DEFAULTS: defaults,
    TESSERACT: tesseract,
}


def timed(read: Texts, path: Path) -> tuple[float, float, float, str]:
    """Return seconds to the first text and to the end, CPU seconds, and the text."""
    began, cpu = time.perf_counter(), _cpu_seconds()
    first, text = 0.0, ""
    for text in read(path):
        if text.strip():
            first = first or time.perf_counter() - began
    took = time.perf_counter() - began
    return first or took, took, _cpu_seconds() - cpu, text


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its child processes."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_bytes() -> int:
    """Return the peak memory of this process or of its largest child; getrusage(2) counts in KiB."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return 1024 * max(resource.getrusage(who).ru_maxrss for who in whose)


def main(reader: str, threads: int, paths: list[Path]) -> None:
    read = LOADERS[reader](threads)
    for path in paths[:: max(1, len(paths) // 4)]:
        timed(read, path)
    print("ready", flush=True)
    sys.stdin.readline()
    readings = [timed(read, path) for path in paths]
    print(json.dumps({"readings": readings, "peak": _peak_bytes()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]])
