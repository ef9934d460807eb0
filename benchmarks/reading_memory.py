"""The memory of a reader over 500 pages of all kinds, as a server has them read; drawn as a curve.

One host with one child on one thread, every page a file of its own. The child is weighed after each page.

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
"""The curve is flat when its last so many pages lie as high as those after the first so many."""
GOAL_GROWTH = 1.05
WIDTH, HEIGHT, MARGIN = 720, 260, 48


def measure_memory(paths: Sequence[Path], count: int) -> Iterator[float]:
    """The child's resident memory in MB after each page. It is never replaced meanwhile."""
    host = reading.EngineProcess("rapid", threads=1, recycle_pages=count + 1)
    try:
        for number, path in enumerate(itertools.islice(itertools.cycle(paths), count), start=1):
            for _ in host.read(path):
                pass
            assert host.pid is not None
            weight = psutil.Process(host.pid).memory_info().rss / MB
            if number % 25 == 0:
                print(f"page {number} of {count}: {weight:.0f} MB", file=sys.stderr)
            yield weight
    finally:
        host.stop()


def growth(weights: Sequence[float]) -> float:
    """Median of the last pages by that of the second hundred: the first hundred meet every size."""
    early = weights[GROWTH_PAGES : 2 * GROWTH_PAGES] or weights
    return statistics.median(weights[-GROWTH_PAGES:]) / statistics.median(early)


def draw_chart(weights: Sequence[float]) -> str:
    top = 500 * (int(max(weights) / 500) + 1)
    points = " ".join(
        f"{_x(number, len(weights)):.1f},{_y(weight, top):.1f}"
        for number, weight in enumerate(weights, start=1)
    )
    rules = "\n".join(_rule(megabytes, top) for megabytes in range(0, top + 1, 500))
    marks = "\n".join(_mark(page, len(weights)) for page in range(0, len(weights) + 1, 100))
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {view}>
<title>Memory of a reader, MB, over {len(weights)} pages</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
<text x="{MARGIN}" y="20" font-size="14">Memory of a reader, MB, over {len(weights)} pages of all kinds</text>
{rules}
{marks}
<polyline points="{points}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>
</svg>
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


def report(weights: Sequence[float], files: int, command: str) -> str:
    grown = growth(weights)
    met = "met" if grown <= GOAL_GROWTH else "MISSED"
    return "\n\n".join(
        [
            f"`{command}`, {datetime.now(UTC).date()}, load average {os.getloadavg()[0]:.1f} after.",
            f"![Memory over {len(weights)} pages]({CHART.name})",
            f"{len(weights)} pages of {files} files in turn: {weights[0]:.0f} MB after the first, "
            f"at most {max(weights):.0f}, {weights[-1]:.0f} after the last. Median of the last "
            f"{GROWTH_PAGES} ÷ that of the second {GROWTH_PAGES}: {grown:.2f} (goal ≤ {GOAL_GROWTH}): {met}.",
        ]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.reading_memory", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, default=PAGES, help="folder with one folder for each set")
    parser.add_argument("--count", type=int, default=COUNT, help=f"pages to read (default: {COUNT})")
    parser.add_argument("--write", action="store_true", help=f"draw {CHART.name}, and write {README.name}")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    sets = sorted(folder.name for folder in options.pages.glob("*/")) if options.pages.is_dir() else ["pages"]
    with pages(options.pages, sets) as found:
        paths = [page.path for page in interleave_sets(found)]
        weights = list(measure_memory(paths, options.count))
    text = report(weights, len(paths), ".venv/bin/python -m benchmarks.reading_memory --write")
    print(text)
    if options.write:
        CHART.write_text(draw_chart(weights))
        write("reading_memory", text)


if __name__ == "__main__":
    main()
