"""What more readers bring: a long document read by one and by two, and how soon a reader begins.

Each way of running scanrill is a `Mode`. The document is one of 60 pages. The `dummy` engine takes the same
time for each and no processor, so that what is measured is how the work is shared, on any machine; with
`--real PAGES` the default engine reads drawn pages as well, a thread to each reader. A start is from sending
`create` to the message that a reader has the upload. What is accepted is counted while the only reader is
busy with a page that takes long. At rest a reader's process has its engine loaded, and nothing to do.

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

from benchmarks.deployment_modes import MODES, Mode, Running
from benchmarks.readme_tables import write
from tests.support.accounts import Account
from tests.support.page_images import lines_of_text, page_png, scripted_png
from tests.support.scripted_documents import scripted_tiff

PAGES, PAGE_SECONDS = 60, 0.25
WARM_UP_PAGES = 12
DRAWN_LINES = 20
STARTS = 100
# Of one so short that it is over before its beginning is told, nobody would hear that it began.
READING_SECONDS = 0.1
READERS = (1, 2)
GOAL_SPEEDUP = 1.8
SENDERS, SENT_EACH = 16, 40
IDLE_SECONDS = 30.0


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

    mode: Mode
    p50: float
    p99: float


@dataclass(frozen=True)
class Idle:
    """A process with one reader at rest: milliseconds of processor a second, and bytes."""

    mode: str
    engine: str
    cpu_ms: float
    memory: int


@contextmanager
def running(mode: Mode, readers: int, engine: str) -> Iterator[Running]:
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
    """Seconds from a reader's beginning to the end, when all have read pages of another document."""
    async with account.client() as client:
        await client.terminal_message((await client.create(warm_up))["instance"]["id"])
        key = (await client.create(document))["instance"]["id"]
        await client.received(lambda m: m.get("id") == key and m["status"] == "processing")
        began = time.perf_counter()
        end = await client.terminal_message(key)
        assert end["status"] == "processed", end
        return time.perf_counter() - began


def shared(mode: Mode, engine: str, drawing: Callable[[int], bytes], pages: int) -> Shared:
    document, warm_up, seconds = drawing(pages), drawing(WARM_UP_PAGES), {}
    for readers in READERS:
        with running(mode, readers, engine) as started:
            seconds[readers] = asyncio.run(read(Account.create(started.server), document, warm_up))
    return Shared(mode.name, engine, pages, seconds)


async def start_times(account: Account) -> list[float]:
    """Milliseconds; each upload has ended before the next comes, so a reader always waits for it."""
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
    return times[1:]  # the first one waits for the engine


def starts(mode: Mode) -> Starts:
    with running(mode, 1, "dummy") as started:
        times = asyncio.run(start_times(Account.create(started.server)))
    hundredths = statistics.quantiles(times, n=100)
    return Starts(mode, hundredths[49], hundredths[98])


async def send(account: Account, name: str) -> None:
    """One scan after the other, each when the one before is accepted."""
    async with account.client() as client:
        for number in range(SENT_EACH):
            await client.create(scripted_png(lines=[f"scan {number} of {name}"]))


async def accept(account: Account, others: Sequence[Account]) -> float:
    """Uploads a second that were accepted of all who sent at once."""
    async with account.client() as client:
        busy = await client.create(scripted_png(lines=["busy"], line_seconds=600))
        await client.receive_until(
            lambda m: m.get("id") == busy["instance"]["id"] and m["status"] == "processing"
        )
        began = time.perf_counter()
        await asyncio.gather(*(send(other, other.name) for other in others))
        took = time.perf_counter() - began
        await client.send({"type": "cancel", "instance_id": busy["instance"]["id"]})
    return len(others) * SENT_EACH / took


def accepted(mode: Mode) -> float:
    with running(mode, 1, "dummy") as started:
        accounts = [Account.create(started.server) for _ in range(SENDERS + 1)]
        return asyncio.run(accept(accounts[0], accounts[1:]))


async def one_page(account: Account, image: bytes) -> None:
    async with account.client() as client:
        await client.terminal_message((await client.create(image))["instance"]["id"])


def idle(mode: Mode, engine: str, image: bytes) -> Idle:
    """After a first page: an engine loads some of its parts only then."""
    with running(mode, 1, engine) as started:
        asyncio.run(one_page(Account.create(started.server), image))
        began = started.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        cpu_ms = 1000 * (started.cpu_seconds() - began) / IDLE_SECONDS
        return Idle(mode.name, engine, cpu_ms, started.memory_bytes())


# ── the report ──


@dataclass
class Results:
    documents: list[Shared] = field(default_factory=list)
    begun: list[Starts] = field(default_factory=list)
    accepted: dict[str, float] = field(default_factory=dict)
    idle: list[Idle] = field(default_factory=list)


def report(command: str, load: float, found: Results) -> str:
    lines = [f"`{command}`, load average {load:.1f} before; {os.cpu_count()} cores.", ""]
    lines += ["| mode | engine | pages | readers | seconds | pages a minute | × one reader |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|"]
    lines += [row for document in found.documents for row in document.rows()]
    lines += [
        "",
        "| mode | create → start, p50 ms | p99 ms | uploads accepted a second |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {each.mode.name} | {each.p50:.1f} | {each.p99:.1f} | {found.accepted[each.mode.name]:.0f} |"
        for each in found.begun
    ]
    lines += ["", "| mode | engine | idle, CPU ms a second | memory, MB |", "|---|---|---:|---:|"]
    lines += [
        f"| {each.mode} | {each.engine} | {each.cpu_ms:.1f} | {each.memory / 2**20:.0f} |"
        for each in found.idle
    ]
    return "\n".join([*lines, "", *(f"- {verdict}" for verdict in verdicts(found))])


def verdicts(found: Results) -> Iterator[str]:
    for document in found.documents:
        met = "met" if document.speedup >= GOAL_SPEEDUP else "missed"
        what = f"{document.mode}, {document.engine}: two readers have"
        yield f"{what} {document.speedup:.2f} × the speed of one (goal {GOAL_SPEEDUP}): {met}."
    for each in found.begun:
        goal = each.mode.goal_start_ms
        met = "met" if each.p50 <= goal else "missed"
        yield f"{each.mode.name}: median start after {each.p50:.1f} ms (goal {goal:.0f}): {met}."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--real", type=int, default=0, metavar="PAGES", help="so many with the default engine"
    )
    parser.add_argument("--write", action="store_true", help="put the result into README.md")
    asked = parser.parse_args()
    load, found = os.getloadavg()[0], Results()
    for mode in MODES:
        found.documents.append(shared(mode, "dummy", scripted, PAGES))
        if asked.real:
            found.documents.append(shared(mode, "rapid", drawn, asked.real))
        found.begun.append(starts(mode))
        found.accepted[mode.name] = accepted(mode)
        found.idle.append(idle(mode, "dummy", scripted_png(lines=["a scan"])))
        if asked.real:
            found.idle.append(idle(mode, "rapid", drawn(1)))
    real = f" --real {asked.real}" if asked.real else ""
    text = report(f".venv/bin/python -m benchmarks.scale_out --write{real}", load, found)
    print(text)
    if asked.write:
        write("scale_out", text)


if __name__ == "__main__":
    main()
