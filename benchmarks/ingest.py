"""Benchmark of uploads of 10, 100 and 200 MB, by `create` and by POST, beside a simple consumer.

For each size, in one run and in turn:

- `create` of scanrill
- the baseline consumer of `baseline_server.py` (`json` and `base64`)
- the baseline server when it only receives the frame
- the lower bound: SHA-256 and a write in this process
- the file by POST

It measures CPU seconds and peak memory of the server process, and the slowest concurrent `list` on another
socket.

    .venv/bin/python -m benchmarks.ingest --write
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx
import psutil
import websockets

from benchmarks.readme_tables import write
from tests.support.accounts import Account
from tests.support.server import Server

MB = 1024**2
SIZES_MB = (10, 100, 200)
PROBE_SECONDS = 0.002
GOAL_CPU, GOAL_PEAK, GOAL_POST_MB, GOAL_STALL = 1.5, 2.5, 64, 0.1
CREATE, BASELINE, RECEIVE, LOWER_BOUND, POST = (
    "`create`",
    "baseline consumer",
    "receive only",
    "lower bound",
    "`POST`",
)

Settle = Callable[[], Awaitable[None]]
"""Function that waits until the server is idle, so that readers do not disturb the next measurement."""


@dataclass(frozen=True)
class Cost:
    """Wall seconds, CPU seconds, bytes above the start, and seconds of the slowest concurrent `list`."""

    wall: float
    cpu: float
    peak: float
    stall: float


def image(megabytes: int) -> bytes:
    """Return a BMP of random noise of this size."""
    width = 8192
    height = megabytes * MB // (3 * width)
    body = random.randbytes(width * height * 3)
    head = struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0) + body


def frame_of(content: bytes) -> str:
    return json.dumps({"type": "create", "data": {"image_base64": base64.b64encode(content).decode()}})


async def cost_of(work: Callable[[], Awaitable[Settle]], pid: int) -> Cost:
    """Measure time, CPU and memory without a concurrent request."""
    process = psutil.Process(pid)
    start_memory = reset_peak(pid)
    cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
    settle = await work()
    wall = time.perf_counter() - began
    cost = Cost(wall, sum(process.cpu_times()[:2]) - cpu, peak(pid) - start_memory, 0.0)
    await settle()
    return cost


async def stall_of(work: Callable[[], Awaitable[Settle]], probe_url: str) -> float:
    """Repeat the work beside continuous `list` requests, and return the slowest of them in seconds."""
    async with websockets.connect(probe_url, max_size=None) as probe:
        stalls: list[float] = []
        await request_list(probe)
        probe_task = asyncio.create_task(probe_stalls(probe, stalls))
        settle = await work()
        probe_task.cancel()
        await settle()
        return max(stalls, default=0.0)


async def probe_stalls(probe: websockets.ClientConnection, stalls: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await request_list(probe)
        stalls.append(time.perf_counter() - began)
        await asyncio.sleep(PROBE_SECONDS)


async def request_list(probe: websockets.ClientConnection) -> None:
    await probe.send('{"type": "list", "limit": 1}')
    while "processing" in str(await probe.recv()):
        pass


def reset_peak(pid: int) -> int:
    """Set the recorded peak to the memory in use (5 into clear_refs, see proc(5)), and return that."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return psutil.Process(pid).memory_info().rss


def peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError("/proc has no VmHWM. Run this benchmark on Linux.")


async def send_frame(url: str, frame: str, reply: str) -> Settle:
    """Send a frame from another process, so that its work affects neither server nor probe."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(frame)
        file.flush()
        client = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.ingest",
            "--send",
            file.name,
            url,
            reply,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert client.stdout
        assert client.stdin
        await client.stdout.readline()  # it is connected and has loaded the frame
        client.stdin.write(b"\n")
        await client.stdout.readline()
        client.stdin.close()
        await client.wait()
    return nothing_to_settle


async def nothing_to_settle() -> None:
    pass


async def run_sender(path: str, url: str, reply: str) -> None:
    """Connect, wait for a line, send the frame, and wait for the reply."""
    frame = Path(path).read_text()
    async with websockets.connect(url, max_size=None, compression=None) as client:
        print("ready", flush=True)
        sys.stdin.readline()
        await client.send(frame)
        while reply not in str(await client.recv()):
            pass
        print("done", flush=True)


def lower_bound(content: bytes, folder: Path) -> Cost:
    """Measure SHA-256 and a write of the file."""
    cpu, began = time.process_time(), time.perf_counter()
    (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)
    return Cost(time.perf_counter() - began, time.process_time() - cpu, 0, 0)


async def post(server: Server, content: bytes) -> Settle:
    account = Account.create(server)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        client = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.ingest",
            "--post",
            file.name,
            f"{server.http}/api/uploads/",
            account.mint(),
            stdout=subprocess.DEVNULL,
        )
        await client.wait()
    return partial(read_all, server, account)


def run_poster(path: str, url: str, token: str) -> None:
    with open(path, "rb") as file:
        reply = httpx.post(url, content=file, headers={"Authorization": f"Bearer {token}"}, timeout=300)
    reply.raise_for_status()


async def measure_round(
    size: int, server: Server, baseline_url: str, baseline_pid: int, folder: Path
) -> dict[str, Cost]:
    content = image(size)
    frame = frame_of(content)
    costs = {LOWER_BOUND: lower_bound(content, folder)}
    for name, path in ((RECEIVE, "receive"), (BASELINE, "baseline")):
        url = f"{baseline_url}/{path}/"
        costs[name] = await measure_cost(partial(send_frame, url, frame, "{"), baseline_pid, url)
    probe = server.url(token=Account.create(server).mint())  # of a user who gets no events of these uploads
    for name, work in ((CREATE, partial(create, server, frame)), (POST, partial(post, server, content))):
        costs[name] = await measure_cost(work, server.process.pid, probe)
    return costs


async def measure_cost(work: Callable[[], Awaitable[Settle]], pid: int, probe_url: str) -> Cost:
    cost = await cost_of(work, pid)
    return replace(cost, stall=await stall_of(work, probe_url))


async def create(server: Server, frame: str) -> Settle:
    """Upload as a new user, because a second upload of a user would be a duplicate."""
    account = Account.create(server)
    await send_frame(server.url(token=account.mint()), frame, "Upload.created")
    return partial(read_all, server, account)


async def read_all(server: Server, account: Account) -> None:
    """Wait until all uploads are read."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {account.mint()}"}) as http:
        while True:
            rows = (await http.get(f"{server.http}/api/uploads/")).json()["list"]
            if all(row["status"] in ("processed", "error") for row in rows):
                return
            await asyncio.sleep(0.2)


def table(results: dict[int, list[dict[str, Cost]]]) -> str:
    lines = [
        "| image | request | wall, s | CPU, s | peak, MB | slowest concurrent `list`, ms |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    goals = []
    for size, rounds in results.items():
        costs = {name: median_of_rounds([one[name] for one in rounds]) for name in rounds[0]}
        for name, cost in costs.items():
            stall = f"{cost.stall * 1000:.0f}" if name != LOWER_BOUND else ""
            memory = f"{cost.peak / MB:.0f}" if name != LOWER_BOUND else ""
            lines.append(f"| {size} MB | {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {memory} | {stall} |")
        goals.append(check_goals(size, costs))
    return "\n".join([*lines, "", *goals])


def median_of_rounds(costs: list[Cost]) -> Cost:
    fields = ("wall", "cpu", "peak", "stall")
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in fields))


def check_goals(size: int, costs: dict[str, Cost]) -> str:
    create, baseline, receive = costs[CREATE], costs[BASELINE], costs[RECEIVE]
    cpu = (create.cpu - receive.cpu) / costs[LOWER_BOUND].cpu
    memory = create.peak / (size * MB * 4 / 3)
    stall = max(0.0, create.stall - receive.stall) / max(1e-9, baseline.stall - receive.stall)
    return (
        f"- {size} MB: CPU beyond receiving {cpu:.2f} × the lower bound (goal {GOAL_CPU}); "
        f"peak {memory:.2f} × the message (goal {GOAL_PEAK}), "
        f"with POST {costs[POST].peak / MB:.0f} MB (goal {GOAL_POST_MB}); "
        f"stall beyond receiving {stall:.2f} × the baseline consumer's (goal {GOAL_STALL})."
    )


async def measure(repeat: int) -> dict[int, list[dict[str, Cost]]]:
    results: dict[int, list[dict[str, Cost]]] = {size: [] for size in SIZES_MB}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        baseline = subprocess.Popen([sys.executable, "-m", "benchmarks.baseline_server", str(port), name])
        server = Server(folder / "data").start()
        try:
            await warm_up(server, f"ws://127.0.0.1:{port}")
            for _ in range(repeat):
                for size in SIZES_MB:
                    url = f"ws://127.0.0.1:{port}"
                    results[size].append(await measure_round(size, server, url, baseline.pid, folder))
        finally:
            server.stop()
            baseline.terminate()
            baseline.wait()
    return results


async def warm_up(server: Server, baseline_url: str) -> None:
    while True:
        try:
            await send_frame(f"{baseline_url}/baseline/", frame_of(image(1)), "{")
            break
        except OSError:
            await asyncio.sleep(0.1)
    url = server.url(token=Account.create(server).mint())
    await send_frame(url, frame_of(image(1)), "Upload.created")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--send", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--post", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        asyncio.run(run_sender(*options.send))
    elif options.post:
        run_poster(*options.post)
    else:
        load = os.getloadavg()[0]
        text = table(asyncio.run(measure(options.repeat)))
        command = f".venv/bin/python -m benchmarks.ingest --repeat {options.repeat} --write"
        head = f"`{command}`, medians, load average {load:.1f} before."
        print(f"{head}\n\n{text}")
        if options.write:
            write("ingest", f"{head}\n\n{text}")


if __name__ == "__main__":
    main()
