"""How images come in: 10, 100, 200 MB by `create` and by POST, beside a plain consumer and the floor.

For each size, in one run and in turn: scanrill's `create`; the plain consumer of `baseline_server.py` (`json`
and `base64`); the same server only receiving the frame; the floor, SHA-256 and a write; the file by POST. Of
the server's process: processor seconds, the peak of its memory above where it stood, and the worst time that
`list` on another socket took meanwhile.

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
CREATE, PLAIN, RECEIVE, FLOOR, POST = "`create`", "baseline consumer", "receive only", "lower bound", "`POST`"


# What is to be waited for before the next measurement: the reader's work is not to fall into it.
Settle = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Cost:
    """Seconds, processor seconds, bytes above the start, and the worst `list` beside it in seconds."""

    wall: float
    cpu: float
    peak: float
    stall: float


def image(megabytes: int) -> bytes:
    """A BMP of noise of this size, no two alike."""
    width = 8192
    height = megabytes * MB // (3 * width)
    body = random.randbytes(width * height * 3)
    head = struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0) + body


def frame_of(content: bytes) -> str:
    return json.dumps({"type": "create", "data": {"image_base64": base64.b64encode(content).decode()}})


async def cost_of(work: Callable[[], Awaitable[Settle]], pid: int) -> Cost:
    """Time, processor and memory, with nothing else to do."""
    process = psutil.Process(pid)
    start_memory = reset_peak(pid)
    cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
    settle = await work()
    wall = time.perf_counter() - began
    cost = Cost(wall, sum(process.cpu_times()[:2]) - cpu, peak(pid) - start_memory, 0.0)
    await settle()
    return cost


async def stall_of(work: Callable[[], Awaitable[Settle]], probe_url: str) -> float:
    """The same again, beside somebody who asks for a list all the time, which costs time of its own."""
    async with websockets.connect(probe_url, max_size=None) as probe:
        stalls: list[float] = []
        await ask_list(probe)
        watching = asyncio.create_task(watch(probe, stalls))
        settle = await work()
        watching.cancel()
        await settle()
        return max(stalls, default=0.0)


async def watch(probe: websockets.ClientConnection, stalls: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await ask_list(probe)
        stalls.append(time.perf_counter() - began)
        await asyncio.sleep(PROBE_SECONDS)


async def ask_list(probe: websockets.ClientConnection) -> None:
    await probe.send('{"type": "list", "limit": 1}')
    while "processing" in str(await probe.recv()):
        pass


def reset_peak(pid: int) -> int:
    """Linux: 5 into clear_refs sets the peak to what is in use now; see proc(5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return psutil.Process(pid).memory_info().rss


def peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmHWM")


async def send_frame(url: str, frame: str, answer: str) -> Settle:
    """From a process of its own: the client's work is not the server's, nor the probe's."""
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
            answer,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert client.stdout
        assert client.stdin
        await client.stdout.readline()  # connected, and the frame is in its memory
        client.stdin.write(b"\n")
        await client.stdout.readline()
        client.stdin.close()
        await client.wait()
    return nothing_to_settle


async def nothing_to_settle() -> None:
    pass


async def sender(path: str, url: str, answer: str) -> None:
    frame = Path(path).read_text()
    async with websockets.connect(url, max_size=None, compression=None) as client:
        print("ready", flush=True)
        sys.stdin.readline()
        await client.send(frame)
        while answer not in str(await client.recv()):
            pass
        print("done", flush=True)


def floor(content: bytes, folder: Path) -> Cost:
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


def poster(path: str, url: str, token: str) -> None:
    with open(path, "rb") as file:
        reply = httpx.post(url, content=file, headers={"Authorization": f"Bearer {token}"}, timeout=300)
    reply.raise_for_status()


async def round_of(
    size: int, server: Server, plain_url: str, plain_pid: int, folder: Path
) -> dict[str, Cost]:
    content = image(size)
    frame = frame_of(content)
    costs = {FLOOR: floor(content, folder)}
    for name, path in ((RECEIVE, "receive"), (PLAIN, "plain")):
        url = f"{plain_url}/{path}/"
        costs[name] = await measured(partial(send_frame, url, frame, "{"), plain_pid, url)
    probe = server.url(token=Account.create(server).mint())  # of a user who hears nothing of the uploads
    for name, way in ((CREATE, partial(create, server, frame)), (POST, partial(post, server, content))):
        costs[name] = await measured(way, server.process.pid, probe)
    return costs


async def measured(work: Callable[[], Awaitable[Settle]], pid: int, probe_url: str) -> Cost:
    cost = await cost_of(work, pid)
    return replace(cost, stall=await stall_of(work, probe_url))


async def create(server: Server, frame: str) -> Settle:
    """By a new user, so that it is no duplicate."""
    account = Account.create(server)
    await send_frame(server.url(token=account.mint()), frame, "Upload.created")
    return partial(read_all, server, account)


async def read_all(server: Server, account: Account) -> None:
    """Until nothing is being read."""
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
    verdicts = []
    for size, rounds in results.items():
        costs = {name: middle([one[name] for one in rounds]) for name in rounds[0]}
        for name, cost in costs.items():
            beside = f"{cost.stall * 1000:.0f}" if name != FLOOR else ""
            memory = f"{cost.peak / MB:.0f}" if name != FLOOR else ""
            lines.append(f"| {size} MB | {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {memory} | {beside} |")
        verdicts.append(verdict(size, costs))
    return "\n".join([*lines, "", *verdicts])


def middle(costs: list[Cost]) -> Cost:
    fields = ("wall", "cpu", "peak", "stall")
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in fields))


def verdict(size: int, costs: dict[str, Cost]) -> str:
    create, plain, receive = costs[CREATE], costs[PLAIN], costs[RECEIVE]
    cpu = (create.cpu - receive.cpu) / costs[FLOOR].cpu
    memory = create.peak / (size * MB * 4 / 3)
    stall = max(0.0, create.stall - receive.stall) / max(1e-9, plain.stall - receive.stall)
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
        plain = subprocess.Popen([sys.executable, "-m", "benchmarks.baseline_server", str(port), name])
        server = Server(folder / "data").start()
        try:
            await warm_up(server, f"ws://127.0.0.1:{port}")
            for _ in range(repeat):
                for size in SIZES_MB:
                    url = f"ws://127.0.0.1:{port}"
                    results[size].append(await round_of(size, server, url, plain.pid, folder))
        finally:
            server.stop()
            plain.terminate()
            plain.wait()
    return results


async def warm_up(server: Server, plain_url: str) -> None:
    while True:
        try:
            await send_frame(f"{plain_url}/plain/", frame_of(image(1)), "{")
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
        asyncio.run(sender(*options.send))
    elif options.post:
        poster(*options.post)
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
