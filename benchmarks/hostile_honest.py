"""Honest clients of `hostile.py`, in a process of their own: they measure what they wait for.

Each client is a user with one socket and an address of its own. A cycle of ten seconds has five lists, two
handshakes, and a `create` of 2 MB with its first text, an image of its page and a `DELETE`. Another client
sends a byte to the echo server (`hostile_echo.py`) ten times a second: it waits for the processor only.

    .venv/bin/python -m benchmarks.hostile_honest CLIENTS.json SECONDS ECHO_PORT
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets

from tests.support.page_images import lines_of_text, page_png
from tests.support.websocket_client import WebSocketClient

CYCLE_SECONDS = 10.0
LISTS, HANDSHAKES = 5, 2
FILE_BYTES = 2_000_000
ECHO_INTERVAL_SECONDS = 0.1
LIST, HANDSHAKE, CREATE, FIRST_TEXT, IMAGE, DELETE, ECHO = OPERATIONS = (
    "`list`",
    "handshake",
    "`create` of 2 MB",
    "first text",
    "page image",
    "`DELETE`",
    "echo server",
)
PAGE = page_png(lines_of_text(20))


@dataclass
class Measurements:
    """Seconds of each operation, and what was refused."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in OPERATIONS})
    refused: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def measured(self, operation: str) -> AsyncIterator[None]:
        """Record the time of a block, also if it is refused; the error is recorded and ends the block."""
        began = time.perf_counter()
        try:
            yield
        except (OSError, TimeoutError, httpx.HTTPError, websockets.WebSocketException, ValueError) as error:
            self.refused.append(f"{operation}: {type(error).__name__} {error}"[:200])
            raise HonestClientRefused from error
        finally:
            self.seconds[operation].append(time.perf_counter() - began)


class HonestClientRefused(Exception):
    """The server has refused something; the client connects again."""


class HonestClient:
    """A user who lists and uploads."""

    def __init__(self, port: int, address: str, token: str, measurements: Measurements) -> None:
        self._url = f"ws://127.0.0.1:{port}/ws/core/upload/?token={token}"
        self._measurements, self._address = measurements, address
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(local_address=address),
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    async def run_until(self, end: float) -> None:
        """Repeat cycles, from a random time of the first one on."""
        await asyncio.sleep(random.uniform(0, CYCLE_SECONDS))
        while time.perf_counter() < end:
            try:
                async with self._measurements.measured(HANDSHAKE):
                    client = self._socket()
                    await client.__aenter__()
                try:
                    while time.perf_counter() < end:
                        await self._run_cycle(client)
                finally:
                    await client.__aexit__()
            except HonestClientRefused:
                await asyncio.sleep(1)

    def _socket(self) -> WebSocketClient:
        return WebSocketClient(
            self._url, local_addr=(self._address, 0), compression=None, open_timeout=60, close_timeout=5
        )

    async def _run_cycle(self, client: WebSocketClient) -> None:
        end = time.perf_counter() + CYCLE_SECONDS
        client.seen.clear()
        for number in range(LISTS):
            async with self._measurements.measured(LIST):
                await client.request({"type": "list", "limit": 50})
            if number < HANDSHAKES:
                async with self._measurements.measured(HANDSHAKE):
                    second = self._socket()
                    await second.__aenter__()
                await second.__aexit__()
            await asyncio.sleep(random.uniform(0.5, 1.5))
        await self._upload(client)
        await asyncio.sleep(max(0.0, end - time.perf_counter()))

    async def _upload(self, client: WebSocketClient) -> None:
        content = PAGE + os.urandom(FILE_BYTES - len(PAGE))
        began = time.perf_counter()
        async with self._measurements.measured(CREATE):
            reply = await client.create(content)
            if "error" in reply:
                raise ValueError(reply["error"])
        upload_id = reply["instance"]["id"]
        async with self._measurements.measured(FIRST_TEXT):
            await client.received(lambda message: _has_text(message, upload_id))
        self._measurements.seconds[FIRST_TEXT][-1] = time.perf_counter() - began
        async with self._measurements.measured(IMAGE):
            path = f"/api/uploads/{upload_id}/pages/1/image?width=800"
            (await self._http.get(path)).raise_for_status()
        async with self._measurements.measured(DELETE):
            (await self._http.delete(f"/api/uploads/{upload_id}/")).raise_for_status()


def _has_text(message: dict[str, Any], upload_id: str) -> bool:
    if message.get("id") == upload_id and message.get("status") == "error":
        raise ValueError(message.get("error"))
    has_text = message.get("streamed_text") or message.get("raw_text")
    return message.get("id") == upload_id and bool(has_text)


async def measure_echo(port: int, measurements: Measurements, end: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < end:
        async with measurements.measured(ECHO):
            writer.write(b"x")
            await reader.readexactly(1)
        await asyncio.sleep(ECHO_INTERVAL_SECONDS)
    writer.close()


async def run(clients: list[dict[str, Any]], seconds: float, echo_port: int) -> Measurements:
    measurements = Measurements()
    end = time.perf_counter() + seconds
    await asyncio.gather(
        measure_echo(echo_port, measurements, end),
        *(HonestClient(measurements=measurements, **fields).run_until(end) for fields in clients),
    )
    return measurements


if __name__ == "__main__":
    clients_file, seconds_text, echo_port_text = sys.argv[1:]
    described = json.loads(Path(clients_file).read_text())
    measured = asyncio.run(run(described, float(seconds_text), int(echo_port_text)))
    print(json.dumps({"seconds": measured.seconds, "refused": measured.refused}))
