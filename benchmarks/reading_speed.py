"""Benchmark of reading speed and CPU: scanrill's profiles beside RapidOCR's defaults and Tesseract.

Each reader is a process that has loaded its models before the measurement:

- one reader on one thread: CPU seconds per page, words, memory, first text, pages per minute
- two of these readers at once, on every other page, compared with one reader on the same pages
- one reader with all cores: the time of one of these pages

It also compares a page through a real server with a call of the library, and measures the overhead of the
server. On a shared machine, CPU seconds are the reliable figure.

Processors with bfloat16 have a separate table, because they need half the time.

    .venv/bin/python -m benchmarks.reading_speed --write
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from PIL import Image

from backend_main.reading.inference import OpenVinoSession, best_runtime
from benchmarks import end_to_end_latency
from benchmarks.end_to_end_latency import (
    PAGES,
    THREADS,
    Page,
    pages,
)
from benchmarks.reading_speed_worker import (
    ACCURATE,
    DEFAULTS,
    FAST,
    READERS,
    TESSERACT,
    missing,
)
from benchmarks.readme_tables import README, write
from tests.support.scoring import Score, score

SETS = {"sroie": "receipts", "funsd": "forms", "mdrender": "rendered pages"}
SERVED_PAGES, PAGES_OF_PAIR, SERVED_REPEATS = 12, 2, 4
OVERHEAD_PAGES = 100
SUBSET_STEP = 2
"""Every n-th page is also read by two readers and with all cores, so that a run takes ten minutes at most."""
GOAL_CPU_ACCURATE, GOAL_CPU_FAST, GOAL_FIRST, GOAL_TWO, GOAL_SERVER = 0.5, 1.3, 0.25, 1.8, 1.05


class Reading(NamedTuple):
    """Reading of a page: seconds to the first text and to the end, CPU seconds, and the text."""

    first: float
    wall: float
    cpu: float
    text: str


@dataclass(frozen=True)
class Run:
    """Readings of all pages by one process, and the peak of its memory in bytes."""

    readings: list[Reading]
    peak: int

    @property
    def wall(self) -> float:
        return sum(reading.wall for reading in self.readings)


class Process:
    """Reader process. After the constructor its models are loaded; it reads after `begin`."""

    def __init__(self, reader: str, threads: int, paths: Sequence[Path]) -> None:
        limits = {"OMP_NUM_THREADS": str(threads), "OMP_THREAD_LIMIT": str(threads)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reading_speed_worker", reader, str(threads), *map(str, paths)],
            env=os.environ | limits,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._line() != "ready\n":
            raise SystemExit(f"Cannot start the reader {reader}. See its output above.")

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def end(self) -> Run:
        found = json.loads(self._line())
        self._process.communicate()
        return Run([Reading(*reading) for reading in found["readings"]], found["peak"])

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def run(reader: str, threads: int, paths: Sequence[Path], *, beside: int = 1) -> list[Run]:
    processes = [Process(reader, threads, paths) for _ in range(beside)]
    for process in processes:
        process.begin()
    return [process.end() for process in processes]


# ── figures ──


@dataclass(frozen=True)
class Figures:
    """Figures of a reader. `cpu` and `word_f1` are by set; `latency` is in seconds, with all cores."""

    cpu: dict[str, float]
    word_f1: dict[str, float]
    first: float
    peak: int
    per_minute: float
    per_minute_two: float
    latency: float


def measure(reader: str, all_pages: Sequence[Page]) -> Figures:
    paths = [page.path for page in all_pages]
    print(f"{reader}: one reader", file=sys.stderr)
    (alone,) = run(reader, 1, paths)
    few = paths[::SUBSET_STEP]
    print(f"{reader}: two readers", file=sys.stderr)
    both = run(reader, 1, few, beside=2)
    print(f"{reader}: all cores", file=sys.stderr)
    (quick,) = run(reader, THREADS, few)
    return Figures(
        cpu=_by_set(all_pages, [reading.cpu for reading in alone.readings]),
        word_f1=_by_set(all_pages, [found.word_f1 for found in _scores(all_pages, alone)]),
        first=statistics.median(reading.first / reading.wall for reading in alone.readings),
        peak=alone.peak,
        per_minute=60 * len(few) / Run(alone.readings[::SUBSET_STEP], alone.peak).wall,
        per_minute_two=60 * 2 * len(few) / max(one.wall for one in both),
        latency=statistics.median(reading.wall for reading in quick.readings),
    )


def _scores(all_pages: Sequence[Page], found: Run) -> Iterator[Score]:
    for page, reading in zip(all_pages, found.readings, strict=True):
        yield score(reading.text, page.truth)


def _by_set(all_pages: Sequence[Page], values: Sequence[float]) -> dict[str, float]:
    groups = dict.fromkeys(page.group for page in all_pages)
    return {
        group: statistics.mean(
            value for page, value in zip(all_pages, values, strict=True) if page.group == group
        )
        for group in groups
    }


def server_ratio(all_pages: Sequence[Page]) -> float:
    """Return the median of server time ÷ library time over some pages of each set.

    Both have a loaded engine with all cores, and read a page directly after each other. After some pages,
    both are restarted: of two equal processes, one can be 5 % slower for its whole life.
    """
    few = end_to_end_latency.interleave_sets(list(all_pages))[:SERVED_PAGES]
    groups = [few[first : first + PAGES_OF_PAIR] for first in range(0, len(few), PAGES_OF_PAIR)]
    return statistics.median(ratio for group in groups for ratio in _ratios_of_new_pair(group))


def _ratios_of_new_pair(some: Sequence[Page]) -> Iterator[float]:
    with end_to_end_latency.server() as serving:
        library = end_to_end_latency.library()
        first, *others = (
            end_to_end_latency.over_the_websocket(_url(serving)) for _ in range(1 + SERVED_REPEATS)
        )
        for page in some:
            first(page), library(page)  # warm-up for the size of the page
            served, read = 0.0, 0.0
            for repeat, reader in enumerate(others):
                # The order alternates, so that a change of the load favours neither.
                if repeat % 2:
                    read, served = read + library(page).end, served + reader(page).end
                else:
                    served, read = served + reader(page).end, read + library(page).end
            yield served / read


def server_overhead() -> float:
    """Return the median seconds from `create` to the end on a real server whose engine needs no time."""
    noise = np.random.default_rng(1)
    with TemporaryDirectory() as folder, end_to_end_latency.server("dummy") as serving:
        read = end_to_end_latency.over_the_websocket(_url(serving))
        times = []
        for number in range(OVERHEAD_PAGES):
            path = Path(folder, f"{number}.png")
            Image.fromarray(noise.integers(0, 256, (300, 400), np.uint8)).save(path)
            times.append(read(Page("noise", path, "")).end)
    return statistics.median(times)


def _url(serving: end_to_end_latency.Server) -> str:
    return serving.url(token=serving.token(serving.user()))


# ── the report ──


def table(all_figures: dict[str, Figures], groups: Sequence[str]) -> str:
    lines = [
        "| read by | "
        + " | ".join(f"{SETS.get(group, group)}: CPU s, word F1" for group in groups)
        + " | first text ÷ full text | peak, MB | pages a minute | two at once | ÷ one "
        "| one page, all cores, s |",
        "|---|" + "---:|" * (len(groups) + 6),
    ]
    for reader, figures in all_figures.items():
        by_set = " | ".join(f"{figures.cpu[group]:.2f}, {figures.word_f1[group]:.3f}" for group in groups)
        lines.append(
            f"| {reader} | {by_set} | {figures.first:.2f} | {figures.peak / 2**20:.0f} "
            f"| {figures.per_minute:.0f} | {figures.per_minute_two:.0f} "
            f"| {figures.per_minute_two / figures.per_minute:.2f} | {figures.latency:.2f} |"
        )
    return "\n".join(lines)


def check_goals(all_figures: dict[str, Figures], served: float, around: float) -> str:
    accurate, fast = all_figures[ACCURATE], all_figures[FAST]
    two = accurate.per_minute_two / accurate.per_minute
    lines = [
        _compare_cpu("`accurate`", accurate, all_figures[DEFAULTS], "RapidOCR's defaults", GOAL_CPU_ACCURATE),
        *(
            [_compare_cpu("`fast`", fast, all_figures[TESSERACT], "Tesseract", GOAL_CPU_FAST)]
            if TESSERACT in all_figures
            else ["`fast`: *Tesseract is not installed and was not measured.*"]
        ),
        f"First text ÷ time of the page, `accurate`: {_check_max(accurate.first, GOAL_FIRST)}.",
        f"Two readers, `accurate`: {two:.2f} × one (goal ≥ {GOAL_TWO}): {_met_or_missed(two >= GOAL_TWO)}.",
        f"A page through the server ÷ through the library: {_check_max(served, GOAL_SERVER)}.",
        f"From `create` to the end of a page without OCR work: {1000 * around:.0f} ms.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _compare_cpu(name: str, mine: Figures, theirs: Figures, whose: str, goal: float) -> str:
    """Return a line that compares CPU seconds and words by set."""
    sets = []
    for group in mine.cpu:
        fewer = " with FEWER words" if mine.word_f1[group] < theirs.word_f1[group] else ""
        sets.append(
            f"{SETS.get(group, group)} {_check_max(mine.cpu[group] / theirs.cpu[group], goal)}{fewer}"
        )
    return f"{name}, CPU ÷ that of {whose}: " + "; ".join(sets) + "."


def _check_max(value: float, goal: float) -> str:
    return f"{value:.2f} (goal ≤ {goal}): {_met_or_missed(value <= goal)}"


def _met_or_missed(met: bool) -> str:
    return "met" if met else "MISSED"


def report(
    all_figures: dict[str, Figures], served: float, around: float, all_pages: Sequence[Page], load: float
) -> str:
    groups = list(dict.fromkeys(page.group for page in all_pages))
    return "\n\n".join(
        [
            f"`.venv/bin/python -m benchmarks.reading_speed --write`, {datetime.now(UTC).date()}.",
            f"{len(all_pages)} pages, load average {load:.1f} before, {os.getloadavg()[0]:.1f} after.",
            end_to_end_latency.machine(all_figures),
            table(all_figures, groups),
            check_goals(all_figures, served, around),
        ]
    )


# ── the command ──


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.reading_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, default=PAGES, help=f"directory with {', '.join(SETS)}")
    parser.add_argument("--every", type=int, default=1, help="read only every n-th page")
    parser.add_argument("--write", action="store_true", help=f"write the table to {README.name}")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    load = os.getloadavg()[0]
    with pages(options.pages, SETS) as found:
        all_pages = found[:: options.every]
        all_figures = {reader: measure(reader, all_pages) for reader in READERS if not missing(reader)}
        served = server_ratio(all_pages)
    text = report(all_figures, served, server_overhead(), all_pages, load)
    print(text)
    if options.write:
        write("reading_speed" if best_runtime() is OpenVinoSession else "reading_speed_float32", text)


if __name__ == "__main__":
    main()
