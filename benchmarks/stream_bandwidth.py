"""Benchmark of the bandwidth of live text: partials of 1, 20 and 200 pages in each stream mode.

The `dummy` engine reads all documents at once, a line every 50 ms, with one reader per document. Three
sockets follow each document, one per stream mode. The naive method would send the whole text so far after
every line; its bytes are calculated from the same lines. Multiples refer to the bytes of the final text.

    .venv/bin/python -m benchmarks.stream_bandwidth --write
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import websockets

from backend_main.core.protocol import messages
from benchmarks.readme_tables import write
from tests.support.accounts import Account
from tests.support.page_images import lines_of_text
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server
from tests.support.websocket_client import Message

PAGES = (1, 20, 200)
LINES, LINE_SECONDS = 30, 0.05
GOALS = {"full": 25.0, "pages": 12.0, "delta": 2.0}
NAIVE = "all text after every line"


@dataclass
class Traffic:
    """Partials of a socket: their number, their bytes as frames, and the longest interval in seconds."""

    messages: int = 0
    bytes: int = 0
    longest_gap: float = 0.0
    last_at: float = field(default_factory=time.monotonic)

    def add(self, frame: str) -> None:
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - self.last_at)
        self.last_at = now
        self.messages += 1
        self.bytes += frame_size(len(frame.encode()))


@dataclass(frozen=True)
class Cost:
    text_bytes: int
    traffic: dict[str, Traffic]

    def multiple(self, stream: str) -> float:
        return self.traffic[stream].bytes / self.text_bytes


def frame_size(payload_bytes: int) -> int:
    """Return the bytes of an unmasked WebSocket frame (RFC 6455, 5.2)."""
    return payload_bytes + (2 if payload_bytes < 126 else 4 if payload_bytes < 2**16 else 10)


def script(page: int) -> Message:
    return {"lines": lines_of_text(LINES, seed=page), "line_seconds": LINE_SECONDS}


async def cost_of(account: Account, pages: int) -> Cost:
    """Measure a document that a socket in each stream mode follows."""
    scripts = [script(page) for page in range(1, pages + 1)]
    async with account.client() as owner:
        joined = asyncio.Barrier(len(GOALS) + 1)
        following = [asyncio.create_task(follow(account, stream, joined)) for stream in GOALS]
        await joined.wait()
        created = await owner.create(scripted_tiff(scripts))
        upload_id = created["instance"]["id"]
    results = await asyncio.gather(*following)
    texts = {text for _, text in results}
    assert len(texts) == 1, "the streams end in different texts"
    traffic = dict(zip(GOALS, (received for received, _ in results), strict=True))
    traffic[NAIVE] = naive([page["lines"] for page in scripts], upload_id)
    return Cost(len(texts.pop().encode()), traffic)


async def follow(account: Account, stream: str, joined: asyncio.Barrier) -> tuple[Traffic, str]:
    """Return the partials of the only document of this user, and its final text."""
    received = Traffic()
    async with account.client() as client:
        await client.request({"type": "subscribe", "stream": stream})
        await joined.wait()
        async for frame in client.socket:
            message = json.loads(frame)
            if message.get("status") == "processing":
                received.add(str(frame))
            elif "raw_text" in message:
                return received, message["raw_text"]
    raise websockets.ConnectionClosedError(None, None)


def naive(pages: Sequence[Sequence[str]], upload_id: str) -> Traffic:
    """Calculate the traffic of a message with the whole text after every line."""
    sent, text = Traffic(), ""
    for page in pages:
        for number, line in enumerate(page):
            text += ("" if not text else "\n" if number else "\n\n") + line
            sent.add(messages.encode(messages.Partial(id=UUID(upload_id), streamed_text=text)))
    return sent


async def measure(sizes: Sequence[int]) -> dict[int, Cost]:
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name) / "data", READERS=str(len(sizes))).start()
        try:
            costs = await asyncio.gather(*(cost_of(Account.create(server), pages) for pages in sizes))
        finally:
            server.stop()
    return dict(zip(sizes, costs, strict=True))


def table(costs: dict[int, Cost]) -> str:
    lines = [
        "| pages | text, bytes | stream | partials | total bytes | × the text | longest wait, s |",
        "|---:|---:|---|---:|---:|---:|---:|",
    ]
    for pages, cost in costs.items():
        for stream, sent in cost.traffic.items():
            wait = "" if stream == NAIVE else f"{sent.longest_gap:.1f}"
            lines.append(
                f"| {pages} | {cost.text_bytes:,} | {stream} | {sent.messages:,} | {sent.bytes:,} | "
                f"{cost.multiple(stream):,.1f} | {wait} |"
            )
    return "\n".join([*lines, "", *(check_goal(stream, costs) for stream in GOALS)])


def check_goal(stream: str, costs: dict[int, Cost]) -> str:
    worst = max(cost.multiple(stream) for cost in costs.values())
    met = "met" if worst <= GOALS[stream] else "missed"
    return f"- `{stream}`: at most {worst:.1f} × the text (goal {GOALS[stream]:g}): {met}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=PAGES)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    text = table(asyncio.run(measure(options.pages)))
    command = ".venv/bin/python -m benchmarks.stream_bandwidth --write"
    head = f"`{command}`, load average {load:.1f} before."
    print(f"{head}\n\n{text}")
    if options.write:
        write("stream_bandwidth", f"{head}\n\n{text}")


if __name__ == "__main__":
    main()
