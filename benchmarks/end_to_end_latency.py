"""Benchmark of end-to-end latency: from sending a page over the WebSocket to its first and full text.

Several readers read each page directly after each other, so that other load of the machine affects all of
them:

- the direct call: RapidOCR on the whole page without a server, on ONNX Runtime, which is its default; models,
  limits and threads are those of scanrill's engine
- scanrill: a real `scanrill serve`, from sending `create` to the first text and to `processed`
- the library: `backend_main.reading.read` in this process
- Tesseract, if it is installed

A ratio compares two times of one page, measured directly after each other. A set has the median of its pages.

    .venv/bin/python -m benchmarks.end_to_end_latency --write
"""

import argparse
import asyncio
import base64
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from backend_main import reading
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.rapid import engine as rapid_engine
from backend_main.reading.engines.rapid import model_files, recognizer
from backend_main.reading.inference import OpenVinoSession, best_runtime
from benchmarks.readme_tables import README, write
from tests.support.page_images import lines_of_text, page_png
from tests.support.scoring import score
from tests.support.server import Server
from tests.support.websocket_client import TERMINAL, WebSocketClient

PAGES = Path(__file__).parents[2] / "shared" / "data"
SETS = {"sroie": "receipts", "mdrender": "rendered pages"}
DRAWN_PAGES, DRAWN_LINES = 8, 30
GOAL_FIRST, GOAL_END = 0.55, 1.20
MAX_MINUTES = 7
THREADS = len(os.sched_getaffinity(0))
TESSERACT_THREADS = 1  # with more threads it takes five times as long

DIRECT, SCANRILL = "RapidOCR, called directly", "**scanrill, over the WebSocket**"
LIBRARY, TESSERACT, DEFAULTS = "`reading.read`", "Tesseract", "direct call, RapidOCR's own settings"


@dataclass(frozen=True)
class Page:
    group: str
    path: Path
    truth: str


@dataclass(frozen=True)
class Run:
    """One reading of a page: seconds to its first and to its full text, and the text."""

    first: float
    end: float
    text: str


Reader = Callable[[Page], Run]
Runs = dict[str, dict[Page, list[Run]]]
"""Runs by reader and page. Runs of a page with the same index were measured directly after each other."""


# ── pages ──


@contextmanager
def pages(folder: Path, sets: Iterable[str] = SETS) -> Iterator[list[Page]]:
    """Yield pages with known text; without them, rendered pages, which say nothing about accuracy."""
    if all((folder / group).is_dir() for group in sets):
        yield [page for group in sets for page in _pages_of(folder / group)]
        return
    print(f"\n*** PAGES ARE MISSING: no {' and '.join(sets)} in {folder}.", file=sys.stderr)
    print(
        "*** Rendered pages are used instead: clean print, no photographs. Set --pages DIR.\n",
        file=sys.stderr,
    )
    with tempfile.TemporaryDirectory(prefix="scanrill-pages-") as drawn:
        yield [_draw_page(Path(drawn), number) for number in range(DRAWN_PAGES)]


def _pages_of(folder: Path) -> list[Page]:
    files = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))
    return [Page(folder.name, path, path.with_name(path.stem + ".gt.txt").read_text()) for path in files]


def _draw_page(folder: Path, number: int) -> Page:
    lines = lines_of_text(DRAWN_LINES, seed=number)
    path = folder / f"{number}.png"
    path.write_bytes(page_png(lines))
    return Page("drawn here", path, "\n".join(lines))


# ── readers ──


def direct_call(**changes: Any) -> Reader:
    """Return a reader that calls RapidOCR directly: it returns all lines at the end."""
    ocr = _rapidocr(**changes)

    def read(page: Page) -> Run:
        began = time.perf_counter()
        result = ocr(str(page.path))
        took = time.perf_counter() - began
        return Run(took, took, "\n".join(result.txts or ()))

    return read


def _rapidocr(**changes: Any) -> Any:
    """Load RapidOCR on ONNX Runtime with the settings of `RapidEngine`. A None in `changes`: its default."""
    import rapidocr

    models = model_files.small()
    settings: dict[str, Any] = {
        "Global.log_level": "error",
        "Global.use_cls": False,
        "Global.text_score": rapid_engine.MIN_CONFIDENCE,
        "Global.max_side_len": rapid_engine.IMAGE_SIDE,
        "Det.model_path": str(models.detection),
        "Det.limit_type": "max",
        "Det.limit_side_len": rapid_engine.DETECTION_SIDE,
        "Rec.model_path": str(models.recognition),
        "Rec.rec_img_shape": [3, recognizer.LINE_HEIGHT, recognizer.MIN_LINE_WIDTH],
        "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    settings |= changes
    return rapidocr.RapidOCR(params={name: value for name, value in settings.items() if value is not None})


def library_defaults() -> Reader:
    own = ("Global.max_side_len", "Det.limit_type", "Det.limit_side_len", "Rec.rec_img_shape")
    return direct_call(**dict.fromkeys(own))


def library() -> Reader:
    engine = load_engine("rapid", THREADS)

    def read(page: Page) -> Run:
        began = time.perf_counter()
        first, text = 0.0, ""
        for event in reading.read(page.path, engine=engine):
            if isinstance(event, reading.Line) and event.markdown.strip():
                first = first or time.perf_counter() - began
            elif isinstance(event, reading.PageDone):
                text = event.markdown
        return _run(first, time.perf_counter() - began, text)

    return read


def over_the_websocket(url: str) -> Reader:
    """Return a reader over the WebSocket. The user of the token in `url` must not have uploaded the pages."""

    def read(page: Page) -> Run:
        image = base64.b64encode(page.path.read_bytes()).decode()
        message = {"type": "create", "data": {"image_base64": image, "image_path": page.path.name}}
        return asyncio.run(_create(url, json.dumps(message)))

    return read


async def _create(url: str, message: str) -> Run:
    async with WebSocketClient(url) as client:
        began = time.perf_counter()
        await client.send_text(message)
        first = 0.0
        while (answer := await client.receive()).get("status") not in TERMINAL:
            if answer.get("streamed_text"):
                first = first or time.perf_counter() - began
            elif "error" in answer or answer.get("duplicate"):
                raise SystemExit(f"The server did not read the page: {answer}")
        end = time.perf_counter() - began
    if answer["status"] != "processed":
        raise SystemExit(f"The server could not read the page: {answer}")
    return _run(first, end, answer["raw_text"])


def tesseract(program: str) -> Reader:
    environment = os.environ | {"OMP_THREAD_LIMIT": str(TESSERACT_THREADS)}

    def read(page: Page) -> Run:
        began = time.perf_counter()
        done = subprocess.run(
            [program, page.path, "stdout"], env=environment, capture_output=True, text=True, check=True
        )
        took = time.perf_counter() - began
        return Run(took, took, done.stdout)

    return read


def _run(first: float, end: float, text: str) -> Run:
    """Return a run; without a partial text, the full text is the first text."""
    return Run(first or end, end, text)


@contextmanager
def server(engine: str = "rapid") -> Iterator[Server]:
    """Run `scanrill serve` on a temporary data directory."""
    with tempfile.TemporaryDirectory(prefix="scanrill-bench-") as folder:
        running = Server(Path(folder) / "data", ENGINE=engine, READERS="1", READER_THREADS=str(THREADS))
        try:
            yield running.start()
        finally:
            if running.process.poll() is None:
                running.stop()


# ── measuring ──


def measure(
    all_pages: list[Page], serving: Server, readers: dict[str, Reader], *, repeat: int, minutes: float
) -> Runs:
    """Measure `repeat` rounds over all pages, or as many pages as `minutes` allow."""
    runs: Runs = {name: {page: [] for page in all_pages} for name in [DIRECT, SCANRILL, *readers]}
    until = time.monotonic() + minutes * 60
    for number in range(repeat):
        # A new user for each round: a second upload would be a duplicate.
        fresh = over_the_websocket(serving.url(token=serving.token(serving.user())))
        if not _round(all_pages, _ordered_readers(readers, fresh), runs, number, until):
            print(
                f"*** TIME LIMIT of {minutes:g} minutes reached in round {number + 1} of {repeat}.",
                file=sys.stderr,
            )
            break
    return {name: {page: found for page, found in mine.items() if found} for name, mine in runs.items()}


def _ordered_readers(readers: dict[str, Reader], fresh: Reader) -> dict[str, Reader]:
    """Return the readers with the direct call and scanrill next to each other: their ratio is the figure."""
    others = {name: reader for name, reader in readers.items() if name != DIRECT}
    return {DIRECT: readers[DIRECT], SCANRILL: fresh, **others}


def _round(all_pages: list[Page], readers: dict[str, Reader], runs: Runs, number: int, until: float) -> bool:
    """Measure every page with every reader.

    Returns:
        False if the time limit was reached before the end.
    """
    for index, page in enumerate(interleave_sets(all_pages)):
        if time.monotonic() > until:
            return False
        # Every other time in reverse order, so that a change of the load favours no reader.
        for name in list(readers)[:: -1 if (index // 2 + number) % 2 else 1]:
            runs[name][page].append(readers[name](page))
        print(f"round {number + 1}, page {index + 1} of {len(all_pages)}", file=sys.stderr)
    return True


def interleave_sets(all_pages: list[Page]) -> list[Page]:
    """Return the pages of all sets in turn, so that each set has its share at the time limit."""
    ranks = Counter[str]()
    ranked = []
    for page in all_pages:
        ranks[page.group] += 1
        ranked.append((ranks[page.group], page))
    return [page for _, page in sorted(ranked, key=lambda entry: entry[0])]


def warm_up(all_pages: list[Page], serving: Server, readers: dict[str, Reader]) -> None:
    fresh = over_the_websocket(serving.url(token=serving.token(serving.user())))
    for page in {page.group: page for page in all_pages}.values():
        for reader in _ordered_readers(readers, fresh).values():
            reader(page)


# ── figures ──


@dataclass(frozen=True)
class Row:
    """Figures of a set and a reader: medians of seconds and of ratios to the direct call, mean word F1."""

    first: float
    end: float
    first_ratio: float
    end_ratio: float
    word_f1: float


def row(runs: Runs, name: str, group: str) -> Row:
    mine = {page: found for page, found in runs[name].items() if page.group == group}
    return Row(
        first=_median(_median(run.first for run in found) for found in mine.values()),
        end=_median(_median(run.end for run in found) for found in mine.values()),
        first_ratio=_median(_ratio(found, runs[DIRECT][page], "first") for page, found in mine.items()),
        end_ratio=_median(_ratio(found, runs[DIRECT][page], "end") for page, found in mine.items()),
        word_f1=statistics.mean(score(found[0].text, page.truth).word_f1 for page, found in mine.items()),
    )


def _ratio(mine: list[Run], plain: list[Run], what: str) -> float:
    return _median(getattr(run, what) / whole.end for run, whole in zip(mine, plain, strict=True))


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


def table(runs: Runs) -> str:
    lines = [
        "| pages | read by | first text, s | ÷ direct call | full text, s | ÷ direct call | word F1 |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for group, count in _groups(runs).items():
        for name in runs:
            figures = row(runs, name, group)
            lines.append(
                f"| {count} {SETS.get(group, 'pages')} ({group}) | {name} | {figures.first:.2f} "
                f"| {figures.first_ratio:.2f} | {figures.end:.2f} | {figures.end_ratio:.2f} "
                f"| {figures.word_f1:.3f} |"
            )
    return "\n".join(lines)


def check_goals(runs: Runs) -> str:
    """Return a sentence for each set that says whether the goal is met."""
    sentences = [f"Goal: first text ≤ {GOAL_FIRST:.2f}, full text ≤ {GOAL_END:.2f} of the direct call."]
    for group in _groups(runs):
        figures = row(runs, SCANRILL, group)
        met = figures.first_ratio <= GOAL_FIRST and figures.end_ratio <= GOAL_END
        sentences.append(
            f"{group}: {figures.first_ratio:.2f} and {figures.end_ratio:.2f}, {'met' if met else 'MISSED'}."
        )
    return " ".join(sentences)


def _groups(runs: Runs) -> dict[str, int]:
    groups = [page.group for page in runs[DIRECT]]
    return {group: groups.count(group) for group in dict.fromkeys(groups)}


# ── the report ──


def report(runs: Runs, total: int, load_before: float, command: str) -> str:
    counts = [len(found) for found in runs[DIRECT].values()]
    rounds = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    load = f"load average {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    return "\n\n".join(
        [
            f"`{command}`, {datetime.now(UTC).date()}.",
            f"{len(counts)} of {total} pages, each read {rounds} × by each program, {load}.",
            machine(runs),
            table(runs),
            check_goals(runs),
        ]
    )


def machine(readers: Iterable[str]) -> str:
    versions = [f"{name} {version(name)}" for name in ("scanrill", "rapidocr", "onnxruntime")]
    versions.append(_openvino())
    if TESSERACT in readers:
        versions.append(_tesseract_version())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{THREADS} cores of {_cpu()}, {platform.system()}, {python}; {', '.join(versions)}."


def _openvino() -> str:
    try:
        used = "" if best_runtime() is OpenVinoSession else ", not used"
        return f"openvino {version('openvino')}{used}"
    except PackageNotFoundError:
        return "no openvino"


def _tesseract_version() -> str:
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return f"{done.stdout.splitlines()[0]} (OMP_THREAD_LIMIT={TESSERACT_THREADS})"


def _cpu() -> str:
    """Return the name of the processor, from proc(5) or from `platform`."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


# ── the command ──


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.end_to_end_latency", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--pages", type=Path, default=PAGES, help="directory with sroie/ and mdrender/")
    parser.add_argument("--repeat", type=int, default=2, help="rounds over all pages (default: 2)")
    parser.add_argument(
        "--minutes", type=float, default=MAX_MINUTES, help=f"time limit (default: {MAX_MINUTES})"
    )
    parser.add_argument("--defaults", action="store_true", help="also measure RapidOCR with its own settings")
    parser.add_argument("--write", action="store_true", help=f"write the table to {README.name}")
    return parser.parse_args()


def shown_command(options: argparse.Namespace) -> str:
    """Return the command that repeats this run, without the path of the pages."""
    words = [".venv/bin/python -m benchmarks.end_to_end_latency", f"--repeat {options.repeat}"]
    words += ["--pages DIR"] if options.pages != PAGES else []
    words += [f"--minutes {options.minutes:g}"] if options.minutes != MAX_MINUTES else []
    words += ["--defaults"] if options.defaults else []
    return " ".join([*words, "--write"])


def all_readers(*, defaults: bool) -> dict[str, Reader]:
    """Return all readers except scanrill's server, which gets a new user each round.

    scanrill's engine sets the threads of OpenCV for this process.
    """
    readers = {DIRECT: direct_call(), LIBRARY: library()}
    if program := shutil.which("tesseract"):
        readers[TESSERACT] = tesseract(program)
    if defaults:
        readers[DEFAULTS] = library_defaults()
    return readers


def main() -> None:
    options = arguments()
    load_before = os.getloadavg()[0]
    with pages(options.pages) as all_pages, server() as serving:
        readers = all_readers(defaults=options.defaults)
        warm_up(all_pages, serving, readers)
        runs = measure(all_pages, serving, readers, repeat=options.repeat, minutes=options.minutes)
    text = report(runs, len(all_pages), load_before, shown_command(options))
    print(text)
    if options.write:
        write("end_to_end_latency", text)


if __name__ == "__main__":
    main()
