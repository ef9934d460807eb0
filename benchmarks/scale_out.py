"""What more readers bring: a long document read by one and by two, and how soon a reader begins.

Each way of running scanrill is a `Mode`: it starts a real `scanrill serve` with so many readers. The document
is one of 60 pages. The `dummy` engine takes the same time for each and no processor, so that what is measured
is how the work is shared, on any machine; with `--real PAGES` the default engine reads drawn pages as well, a
thread to each reader. A start is from sending `create` to the message that a reader has the upload.

    .venv/bin/python -m benchmarks.scale_out --write
"""

import argparse
import asyncio
import base64
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.report import write
from tests.support.accounts import Account
from tests.support.documents import scripted_tiff
from tests.support.drawing import lines_of_text, page_png, scripted_png
from tests.support.server import Server

PAGES, PAGE_SECONDS = 60, 0.25
WARM_UP_PAGES = 12
DRAWN_LINES = 20
STARTS = 100
READERS = (1, 2)
GOAL_SPEEDUP, GOAL_START_MS = 1.8, 50.0


@dataclass(frozen=True)
class Mode:
    """`start` gives a directory, a number of readers and an engine a running server, and ends it."""

    name: str
    start: Callable[[Path, int, str], Server]


def _embedded(directory: Path, readers: int, engine: str) -> Server:
    server = Server(directory / "data", READERS=str(readers), READER_THREADS="1", ENGINE=engine)
    return server.start()


MODES = [Mode("embedded", _embedded)]


@dataclass(frozen=True)
class Shared:
    """Seconds that a document took with each number of readers."""

    mode: str
    engine: str
    pages: int
    seconds: dict[int, float]

    @property
    def speedup(self) -> float:
        return self.seconds[1] / self.seconds[2]

    def rows(self) -> Iterator[str]:
        for readers, seconds in self.seconds.items():
            times = f"{self.seconds[1] / seconds:.2f}"
            rate = f"{60 * self.pages / seconds:,.0f}"
            what = f"{self.mode} | {self.engine} | {self.pages}"
            yield f"| {what} | {readers} | {seconds:.2f} | {rate} | {times} |"


@dataclass(frozen=True)
class Starts:
    """Milliseconds from `create` to a reader's beginning."""

    mode: str
    p50: float
    p99: float


@contextmanager
def running(mode: Mode, readers: int, engine: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="scanrill-scale-") as directory:
        server = mode.start(Path(directory), readers, engine)
        try:
            yield server
        finally:
            server.stop()


# ── documents ──


def scripted(pages: int) -> bytes:
    return scripted_tiff(
        [{"lines": [f"page {n}"], "line_seconds": PAGE_SECONDS} for n in range(1, pages + 1)]
    )


def drawn(pages: int) -> bytes:
    seeds = range(1000 * pages, 1001 * pages)
    images = [Image.open(io.BytesIO(page_png(lines_of_text(DRAWN_LINES, seed=seed)))) for seed in seeds]
    file = io.BytesIO()
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], compression="tiff_deflate")
    return file.getvalue()


# ── measuring ──


async def read(account: Account, document: bytes, warm_up: bytes) -> float:
    """Seconds from a reader's beginning to the end, when all have read pages of another document."""
    async with account.client() as client:
        await client.end_of((await client.create(warm_up))["instance"]["id"])
        key = (await client.create(document))["instance"]["id"]
        await client.heard(lambda m: m.get("id") == key and m["status"] == "processing")
        began = time.perf_counter()
        end = await client.end_of(key)
        assert end["status"] == "processed", end
        return time.perf_counter() - began


def shared(mode: Mode, engine: str, drawing: Callable[[int], bytes], pages: int) -> Shared:
    document, warm_up, seconds = drawing(pages), drawing(WARM_UP_PAGES), {}
    for readers in READERS:
        with running(mode, readers, engine) as server:
            seconds[readers] = asyncio.run(read(Account.on(server), document, warm_up))
    return Shared(mode.name, engine, pages, seconds)


async def start_times(account: Account) -> list[float]:
    """Milliseconds; each upload has ended before the next comes, so a reader always waits for it."""
    times = []
    async with account.client() as client:
        for number in range(STARTS + 1):
            image = base64.b64encode(scripted_png(lines=[f"scan {number}"])).decode()
            began = time.perf_counter()
            await client.send_text(json.dumps({"type": "create", "data": {"image_base64": image}}))
            partial = await client.until(lambda m: m.get("status") == "processing")
            times.append(1000 * (time.perf_counter() - began))
            await client.end_of(partial["id"])
    return times[1:]  # the first one waits for the engine


def starts(mode: Mode) -> Starts:
    with running(mode, 1, "dummy") as server:
        times = asyncio.run(start_times(Account.on(server)))
    hundredths = statistics.quantiles(times, n=100)
    return Starts(mode.name, hundredths[49], hundredths[98])


# ── the report ──


def report(command: str, load: float, documents: list[Shared], begun: list[Starts]) -> str:
    lines = [f"`{command}`, load average {load:.1f} before; {os.cpu_count()} cores.", ""]
    lines += ["| mode | engine | pages | readers | seconds | pages a minute | × one reader |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|"]
    lines += [row for document in documents for row in document.rows()]
    lines += ["", "| mode | create → start, p50 ms | p99 ms |", "|---|---:|---:|"]
    lines += [f"| {each.mode} | {each.p50:.1f} | {each.p99:.1f} |" for each in begun]
    lines += [""]
    for document in documents:
        met = "met" if document.speedup >= GOAL_SPEEDUP else "missed"
        what = f"{document.mode}, {document.engine}: two readers are"
        lines += [f"- {what} {document.speedup:.2f} × one (goal {GOAL_SPEEDUP}): {met}."]
    for each in begun:
        met = "met" if each.p50 <= GOAL_START_MS else "missed"
        lines += [f"- {each.mode}: half begin within {each.p50:.1f} ms (goal {GOAL_START_MS:.0f}): {met}."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--real", type=int, default=0, metavar="PAGES", help="so many with the default engine"
    )
    parser.add_argument("--write", action="store_true", help="put the result into README.md")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    documents, begun = [], []
    for mode in MODES:
        documents.append(shared(mode, "dummy", scripted, PAGES))
        if asked.real:
            documents.append(shared(mode, "rapid", drawn, asked.real))
        begun.append(starts(mode))
    real = f" --real {asked.real}" if asked.real else ""
    text = report(f".venv/bin/python -m benchmarks.scale_out --write{real}", load, documents, begun)
    print(text)
    if asked.write:
        write("scale_out", text)


if __name__ == "__main__":
    main()
