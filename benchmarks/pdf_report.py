"""Measurement of a long report and of the time to the first text, by the command and by the server.

Chromium prints the report: prose, headings and tables, with running heads. The server has its default
settings. It has read a page before, so that its models are loaded.
"""

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pypdfium2

from benchmarks import pdf_tables
from benchmarks.end_to_end_latency import Page, Run, over_the_websocket
from benchmarks.install import time_reading
from benchmarks.pdf_layouts import RUNNING_HEADS, document, sections
from tests.support.pdf_printers import ChromiumPrinter
from tests.support.printed_documents import Block, Heading
from tests.support.sentences import title
from tests.support.server import Server

PAGES = 500
CHAPTERS_PER_PRINT = 30
FIRST_TEXT_REPEATS = 10
GOAL_SECONDS, GOAL_FIRST_MS = 60, 200


@dataclass(frozen=True)
class Figures:
    """Seconds of the report by the command and by the server, and runs of a single page."""

    command: float
    served: Run
    singles: list[Run]


def write_report(path: Path, pages: int) -> None:
    """Write a PDF with `pages` pages, each with its own text."""
    report = pypdfium2.PdfDocument.new()
    with ChromiumPrinter() as chromium:
        seed = 0
        while (missing := pages - len(report)) > 0:
            with pypdfium2.PdfDocument(_print_chapters(chromium, seed)) as part:
                report.import_pages(part, range(min(len(part), missing)))
            seed += 1
    report.save(path)
    report.close()


def _print_chapters(chromium: ChromiumPrinter, seed: int) -> bytes:
    random = Random(seed)
    blocks: list[Block] = []
    for _ in range(CHAPTERS_PER_PRINT):
        blocks += [Heading(title(random)), *sections(random, 4), pdf_tables.figures(random, 6, 3)]
    css = RUNNING_HEADS + "td,th{border:1px solid #555}h1{break-before:page}"
    return chromium.print(document(random, blocks, css).html())


def measure(pages: int = PAGES) -> Figures:
    with tempfile.TemporaryDirectory(prefix="scanrill-bench-") as folder:
        report, single = Path(folder, "report.pdf"), Path(folder, "single.pdf")
        write_report(report, pages)
        write_report(single, 1)
        _, command = time_reading([Path(sys.executable).with_name("scanrill"), "read", report])
        server = Server(Path(folder, "data"), ENGINE="rapid").start()
        try:
            # Each read has a new user, because a second upload of a file by one user is a duplicate.
            _read(server, single)
            singles = [_read(server, single) for _ in range(FIRST_TEXT_REPEATS)]
            return Figures(command, _read(server, report), singles)
        finally:
            server.stop()


def _read(server: Server, path: Path) -> Run:
    return over_the_websocket(server.url(token=server.token(server.user())))(Page("", path, ""))


def report(pages: int = PAGES) -> str:
    """Measure, and return the text for README.md."""
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    found = measure(pages)
    first = 1000 * statistics.median(run.first for run in found.singles)
    end = 1000 * statistics.median(run.end for run in found.singles)
    # A shorter report, for a trial, has a proportional goal.
    goal = GOAL_SECONDS * pages / PAGES
    lines = [
        f"Report of {pages} pages on {cores} cores, load average {load:.1f} before:",
        "",
        f"- `scanrill read`, with its start: {_check(found.command, goal, 's')}",
        f"- Server with its default settings: {_check(found.served.end, goal, 's')}",
        f"- Server, first text of the report: {_check(1000 * found.served.first, GOAL_FIRST_MS, 'ms')}",
        f"- Server, first text of a file of one page: {_check(first, GOAL_FIRST_MS, 'ms')}",
        f"- Server, full text of a file of one page: {end:.0f} ms.",
        "",
        "The times of the server begin with sending `create`: they include the transfer on the same machine.",
    ]
    return "\n".join(lines)


def _check(value: float, goal: float, unit: str) -> str:
    return f"{value:.0f} {unit} (goal ≤ {goal:.0f}): {'met' if value <= goal else 'MISSED'}."
