"""Benchmark of several readers: a long document with one and with two, and the delay until a reader starts.

Each deployment is a `Mode`. The document has 60 pages. The `dummy` engine takes the same time for each page
and no CPU, so the benchmark measures the distribution of work on any machine. With `--real PAGES`, the
default engine reads rendered pages as well, with one thread per reader.

A start is the time from sending `create` to the first message of status `processing`. Accepted uploads are
counted while the only reader is busy with a long page. An idle reader process has a loaded engine.

    .venv/bin/python -m benchmarks.scale_out --write --real 60
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks.deployment_modes import MODES, Mode, RunningDeployment
from benchmarks.readme_tables import write
from tests.support.accounts import Account
from tests.support.page_images import lines_of_text, page_png, scripted_png
from tests.support.scripted_documents import scripted_tiff

PAGES, PAGE_SECONDS = 60, 0.25
WARM_UP_PAGES = 12
DRAWN_LINES = 20
STARTS = 100
# A shorter reading could end before the server sends that it has started.
READING_SECONDS = 0.1
READERS = (1, 2)
GOAL_SPEEDUP = 1.8
SENDERS, UPLOADS_PER_SENDER = 16, 40
IDLE_SECONDS = 30.0


@dataclass(frozen=True)
class DocumentTimes:
    """Seconds for a document with each number of readers."""

    mode: str
    engine: str
    pages: int
    seconds: dict[int, float]

    @property
    def speedup(self) -> float:
        return self.seconds[1] / self.seconds[2]

    def run_query(self) -> Iterator[str]:
        for readers, seconds in self.seconds.items():
            times = f"{self.seconds[1] / seconds:.2f}"
            rate = f"{60 * self.pages / seconds:,.0f}"
            key = f"{self.mode} | {self.engine} | {self.pages}"
            yield f"| {key} | {readers} | {seconds:.2f} | {rate} | {times} |"


@dataclass(frozen=True)
class Starts:
    """Milliseconds from `create` to the start of a reader."""

    mode: Mode
    p50: float
    p99: float


@dataclass(frozen=True)
class Idle:
    """Idle process with one reader: milliseconds of CPU per second, and bytes of memory."""

    mode: str
    engine: str
    cpu_ms: float
    memory: int


@contextmanager
def run_mode(mode: Mode, readers: int, engine: str) -> Iterator[RunningDeployment]:
    with (
        tempfile.TemporaryDirectory(prefix="scanrill-scale-") as directory,
        mode.running(Path(directory), readers, engine) as started,
    ):
        yield started


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
    """Return the seconds from the start of a reader to the end, after all readers are warm."""
    async with account.client() as client:
        await client.terminal_message((await client.create(warm_up))["instance"]["id"])
        key = (await client.create(document))["instance"]["id"]
        await client.received(lambda m: m.get("id") == key and m["status"] == "processing")
        began = time.perf_counter()
        end = await client.terminal_message(key)
        assert end["status"] == "processed", end
        return time.perf_counter() - began


def measure_document(mode: Mode, engine: str, drawing: Callable[[int], bytes], pages: int) -> DocumentTimes:
    document, warm_up, seconds = drawing(pages), drawing(WARM_UP_PAGES), {}
    for readers in READERS:
        with run_mode(mode, readers, engine) as started:
            seconds[readers] = asyncio.run(read(Account.create(started.server), document, warm_up))
    return DocumentTimes(mode.name, engine, pages, seconds)


async def start_times(account: Account) -> list[float]:
    """Return start times in ms. An upload ends before the next one, so a reader is always idle."""
    times = []
    async with account.client() as client:
        for number in range(STARTS + 1):
            image = base64.b64encode(
                scripted_png(lines=[f"scan {number}"], line_seconds=READING_SECONDS)
            ).decode()
            began = time.perf_counter()
            await client.send_text(json.dumps({"type": "create", "data": {"image_base64": image}}))
            partial = await client.receive_until(lambda m: m.get("status") == "processing")
            times.append(1000 * (time.perf_counter() - began))
            await client.terminal_message(partial["id"])
    return times[1:]  # the first upload waits for the engine to load


def measure_starts(mode: Mode) -> Starts:
    with run_mode(mode, 1, "dummy") as started:
        times = asyncio.run(start_times(Account.create(started.server)))
    hundredths = statistics.quantiles(times, n=100)
    return Starts(mode, hundredths[49], hundredths[98])


async def send(account: Account, name: str) -> None:
    """Upload scans, each after the server has accepted the one before."""
    async with account.client() as client:
        for number in range(UPLOADS_PER_SENDER):
            await client.create(scripted_png(lines=[f"scan {number} of {name}"]))


async def accept(account: Account, others: Sequence[Account]) -> float:
    """Return the accepted uploads per second of all senders together."""
    async with account.client() as client:
        busy = await client.create(scripted_png(lines=["busy"], line_seconds=600))
        await client.receive_until(
            lambda m: m.get("id") == busy["instance"]["id"] and m["status"] == "processing"
        )
        began = time.perf_counter()
        await asyncio.gather(*(send(other, other.name) for other in others))
        took = time.perf_counter() - began
        await client.send({"type": "cancel", "instance_id": busy["instance"]["id"]})
    return len(others) * UPLOADS_PER_SENDER / took


def accepted_per_second(mode: Mode) -> float:
    with run_mode(mode, 1, "dummy") as started:
        accounts = [Account.create(started.server) for _ in range(SENDERS + 1)]
        return asyncio.run(accept(accounts[0], accounts[1:]))


async def one_page(account: Account, image: bytes) -> None:
    async with account.client() as client:
        await client.terminal_message((await client.create(image))["instance"]["id"])


def measure_idle(mode: Mode, engine: str, image: bytes) -> Idle:
    """Measure an idle reader after a first page, which loads the last parts of an engine."""
    with run_mode(mode, 1, engine) as started:
        asyncio.run(one_page(Account.create(started.server), image))
        began = started.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        cpu_ms = 1000 * (started.cpu_seconds() - began) / IDLE_SECONDS
        return Idle(mode.name, engine, cpu_ms, started.memory_bytes())


# ── the report ──


@dataclass
class Results:
    documents: list[DocumentTimes] = field(default_factory=list)
    starts: list[Starts] = field(default_factory=list)
    accepted: dict[str, float] = field(default_factory=dict)
    idle: list[Idle] = field(default_factory=list)


def report(command: str, load: float, results: Results) -> str:
    lines = [f"`{command}`, load average {load:.1f} before; {os.cpu_count()} cores.", ""]
    lines += ["| mode | engine | pages | readers | seconds | pages a minute | × one reader |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|"]
    lines += [row for document in results.documents for row in document.run_query()]
    lines += [
        "",
        "| mode | create → start, p50 ms | p99 ms | uploads accepted a second |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {each.mode.name} | {each.p50:.1f} | {each.p99:.1f} | {results.accepted[each.mode.name]:.0f} |"
        for each in results.starts
    ]
    lines += ["", "| mode | engine | idle, CPU ms a second | memory, MB |", "|---|---|---:|---:|"]
    lines += [
        f"| {each.mode} | {each.engine} | {each.cpu_ms:.1f} | {each.memory / 2**20:.0f} |"
        for each in results.idle
    ]
    return "\n".join([*lines, "", *(f"- {goal}" for goal in check_goals(results))])


def check_goals(results: Results) -> Iterator[str]:
    for document in results.documents:
        met = "met" if document.speedup >= GOAL_SPEEDUP else "missed"
        key = f"{document.mode}, {document.engine}: two readers have"
        yield f"{key} {document.speedup:.2f} × the speed of one (goal {GOAL_SPEEDUP}): {met}."
    for each in results.starts:
        goal = each.mode.goal_start_ms
        met = "met" if each.p50 <= goal else "missed"
        yield f"{each.mode.name}: median start after {each.p50:.1f} ms (goal {goal:.0f}): {met}."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--real", type=int, default=0, metavar="PAGES", help="number of pages for the default engine"
    )
    parser.add_argument("--write", action="store_true", help="write the result to README.md")
    options = parser.parse_args()
    load, results = os.getloadavg()[0], Results()
    for mode in MODES:
        results.documents.append(measure_document(mode, "dummy", scripted, PAGES))
        if options.real:
            results.documents.append(measure_document(mode, "rapid", drawn, options.real))
        results.starts.append(measure_starts(mode))
        results.accepted[mode.name] = accepted_per_second(mode)
        results.idle.append(measure_idle(mode, "dummy", scripted_png(lines=["a scan"])))
        if options.real:
            results.idle.append(measure_idle(mode, "rapid", drawn(1)))
    real = f" --real {options.real}" if options.real else ""
    text = report(f".venv/bin/python -m benchmarks.scale_out --write{real}", load, results)
    print(text)
    if options.write:
        write("scale_out", text)


if __name__ == "__main__":
    main()
