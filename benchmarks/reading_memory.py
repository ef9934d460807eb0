"""Benchmark of the memory of a reader over 500 pages of all sets, with a chart.

One OCR process with one thread reads the pages, each a file, as for a server. Its memory is measured after
each page.

    .venv/bin/python -m benchmarks.reading_memory --write
"""

import argparse
import itertools
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from backend_main import reading
from benchmarks.end_to_end_latency import PAGES, interleave_sets, pages
from benchmarks.readme_tables import README, write

CHART = Path(__file__).with_name("reading_memory.svg")
COUNT = 500
MB = 1 << 20
GROWTH_PAGES = 100
"""Number of pages at the end that are compared with the second hundred. A flat curve has equal medians."""
GOAL_GROWTH = 1.05
WIDTH, HEIGHT, MARGIN = 720, 260, 48


def measure_memory(paths: Sequence[Path], count: int) -> Iterator[float]:
    """Yield the resident memory of the OCR process in MB after each page. It is never recycled."""
    host = reading.EngineProcess("rapid", threads=1, recycle_pages=count + 1)
    try:
        for number, path in enumerate(itertools.islice(itertools.cycle(paths), count), start=1):
            for _ in host.read(path):
                pass
            assert host.pid is not None
            memory = psutil.Process(host.pid).memory_info().rss / MB
            if number % 25 == 0:
                print(f"page {number} of {count}: {memory:.0f} MB", file=sys.stderr)
            yield memory
    finally:
        host.stop()


def growth(measurements: Sequence[float]) -> float:
    """Return the median of the last pages ÷ that of the second hundred. The first hundred have all sizes."""
    early = measurements[GROWTH_PAGES : 2 * GROWTH_PAGES] or measurements
    return statistics.median(measurements[-GROWTH_PAGES:]) / statistics.median(early)


def draw_chart(measurements: Sequence[float]) -> str:
    top = 500 * (int(max(measurements) / 500) + 1)
    points = " ".join(
        f"{_x(number, len(measurements)):.1f},{_y(memory, top):.1f}"
        for number, memory in enumerate(measurements, start=1)
    )
    rules = "\n".join(_rule(megabytes, top) for megabytes in range(0, top + 1, 500))
    marks = "\n".join(_mark(page, len(measurements)) for page in range(0, len(measurements) + 1, 100))
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {view}>
<title>Memory of a reader, MB, over {len(measurements)} pages</title> <rect width="{WIDTH}" height="{HEIGHT}"
fill="white"/> <text x="{MARGIN}" y="20" font-size="14">Memory of a reader, MB, over {len(measurements)} pages
of all sets</text> {rules} {marks} <polyline points="{points}" fill="none" stroke="#1f6feb"
stroke-width="1.5"/> </svg>
"""


def _rule(megabytes: int, top: int) -> str:
    y = _y(megabytes, top)
    return (
        f'<line x1="{MARGIN}" x2="{WIDTH - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{megabytes}</text>'
    )


def _mark(page: int, count: int) -> str:
    return f'<text x="{_x(page, count):.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{page}</text>'


def _x(page: int, count: int) -> float:
    return MARGIN + (WIDTH - MARGIN - 12) * page / count


def _y(megabytes: float, top: int) -> float:
    return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN + 12) * megabytes / top


def report(measurements: Sequence[float], files: int, command: str) -> str:
    grown = growth(measurements)
    met = "met" if grown <= GOAL_GROWTH else "MISSED"
    return "\n\n".join(
        [
            f"`{command}`, {datetime.now(UTC).date()}, load average {os.getloadavg()[0]:.1f} after.",
            f"![Memory over {len(measurements)} pages]({CHART.name})",
            f"{len(measurements)} pages of {files} files in turn: {measurements[0]:.0f} MB after the first, "
            f"at most {max(measurements):.0f}, {measurements[-1]:.0f} after the last. Median of the last "
            f"{GROWTH_PAGES} ÷ that of the second {GROWTH_PAGES}: {grown:.2f} (goal ≤ {GOAL_GROWTH}): {met}.",
        ]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.reading_memory", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, default=PAGES, help="directory with a directory for each set")
    parser.add_argument("--count", type=int, default=COUNT, help=f"number of pages (default: {COUNT})")
    parser.add_argument(
        "--write", action="store_true", help=f"write the table to {README.name} and the chart to {CHART.name}"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    sets = sorted(folder.name for folder in options.pages.glob("*/")) if options.pages.is_dir() else ["pages"]
    with pages(options.pages, sets) as found:
        paths = [page.path for page in interleave_sets(found)]
        measurements = list(measure_memory(paths, options.count))
    text = report(measurements, len(paths), ".venv/bin/python -m benchmarks.reading_memory --write")
    print(text)
    if options.write:
        CHART.write_text(draw_chart(measurements))
        write("reading_memory", text)


if __name__ == "__main__":
    main()
