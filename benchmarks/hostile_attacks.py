"""Kinds of attack of `hostile.py`, and the process that runs them.

Each attack is a round that its client repeats until the benchmark ends. Rates are those that stopped the
server before it had limits (docs/decisions/0138): kilobytes a second of each client, since the load generator
shares the cores of the server.

    .venv/bin/python -m benchmarks.hostile_attacks CLIENTS.json
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import websockets

from benchmarks.hostile_client import MIB, HostileClient, Refused
from benchmarks.hostile_files import log_flood_tiff, slow_pdf
from tests.support.page_images import scripted_png
from tests.support.raw_websocket import CONTINUATION, PING, client_frame

PAUSE_SECONDS = 1.0
HALF_OPEN_PER_CLIENT = 20
HOLD_SECONDS = 20.0
LARGE_METADATA = {"note": "x" * 15_000}
WIDTHS = (200, 400, 800, 1200, 1600, 2400)
ERRORS = (
    OSError,
    TimeoutError,
    httpx.HTTPError,
    websockets.WebSocketException,
    Refused,
    ValueError,
    AssertionError,
)

Attack = Callable[[HostileClient], Awaitable[None]]
ATTACKS: dict[str, Attack] = {}


def attack(function: Attack) -> Attack:
    """Register an attack under the name of its function."""
    ATTACKS[getattr(function, "__name__")] = function  # noqa: B009 - a Callable has no name for mypy
    return function


@attack
async def long_redaction_lines(client: HostileClient) -> None:
    """Request lines that made the redaction of the log quadratic."""
    for line in ("/?" + "eyJ" * 5000, "/ws/" * 3750):
        async with client.connection() as connection:
            await connection.send(client.head("GET", line, "Connection: close"))
            await connection.wait_for_end(seconds=5)
        await asyncio.sleep(PAUSE_SECONDS)


@attack
async def sign_in_flood(client: HostileClient) -> None:
    """Wrong passwords for new names."""
    async with client.http() as http:
        for _ in range(10):
            names = {"username": uuid.uuid4().hex, "password": "wrong"}
            check_status(await http.post("/api/token/", json=names))
            await asyncio.sleep(0.2)


@attack
async def bodies_at_any_path(client: HostileClient) -> None:
    """Chunked bodies without an end, without a token."""
    for method, path in (("POST", "/nothing"), ("GET", "/healthz"), ("PUT", "/api/uploads/")):
        async with client.connection() as connection:
            await connection.send(client.head(method, path, "Transfer-Encoding: chunked"))
            for _ in range(100):
                await connection.send(b"4000\r\n" + bytes(0x4000) + b"\r\n")
                await asyncio.sleep(0.1)


@attack
async def half_open_heads(client: HostileClient) -> None:
    """The first bytes of a request, and then one byte now and then."""
    await hold_connections(client, b"GET / HTTP/1.1\r\nX: ")


@attack
async def half_open_bodies(client: HostileClient) -> None:
    """A body of which a byte arrives now and then."""
    await hold_connections(client, client.head("POST", "/api/token/", "Content-Length: 9000"))


@attack
async def half_open_handshakes(client: HostileClient) -> None:
    """A handshake without its end."""
    await hold_connections(client, client.head("GET", "/ws/core/upload/", "Upgrade: websocket")[:-2])


async def hold_connections(client: HostileClient, beginning: bytes) -> None:
    async def hold() -> None:
        async with client.connection() as connection:
            await connection.send(beginning)
            for _ in range(int(HOLD_SECONDS)):
                await asyncio.sleep(PAUSE_SECONDS)
                await connection.send(b"x")

    await asyncio.gather(*(hold() for _ in range(HALF_OPEN_PER_CLIENT)))


@attack
async def pings(client: HostileClient) -> None:
    """30,000 pings a second, whose pongs are read."""
    await flood(client, client_frame(b"", opcode=PING))


@attack
async def empty_fragments(client: HostileClient) -> None:
    """30,000 fragments without content a second."""
    await flood(client, client_frame(b"", opcode=CONTINUATION, is_final=False))


async def flood(client: HostileClient, frame: bytes) -> None:
    async with client.raw_websocket() as connection:
        await connection.send(client_frame(b" ", is_final=False))
        for _ in range(100):
            await connection.send(frame * 3000)
            await asyncio.sleep(0.1)


@attack
async def unread_pongs(client: HostileClient) -> None:
    """Pings with content, whose pongs nobody reads."""
    async with client.raw_websocket() as connection:
        for _ in range(200):
            await connection.send(client_frame(bytes(120), opcode=PING) * 100, seconds=10)
            await asyncio.sleep(0.1)


@attack
async def json_growth(client: HostileClient) -> None:
    """Messages, and a correction, of small values."""
    async with client.raw_websocket() as connection:
        await connection.send(client_frame(b"[" + b"[]," * 87_000 + b"[]]"))
        await connection.send(client_frame(b"[" + b"[]," * MIB + b"[]]"))
        await connection.wait_for_end(seconds=2)
    async with client.http() as http:
        body = b"[" + b"[]," * (2 * MIB) + b"[]]"
        json_type = {"Content-Type": "application/json"}
        check_status(await http.patch(f"/api/uploads/{uuid.uuid4()}/", content=body, headers=json_type))


@attack
async def unfinished_messages(client: HostileClient) -> None:
    """Large fragments of a message that does not end."""
    async with client.raw_websocket() as connection:
        await connection.send(client_frame(b'{"', is_final=False))
        for _ in range(20):
            await connection.send(client_frame(bytes(512 * 1024), opcode=CONTINUATION, is_final=False))
            await asyncio.sleep(0.5)
        await connection.wait_for_end(seconds=HOLD_SECONDS)


@attack
async def padded_subscriptions(client: HostileClient) -> None:
    """Large requests whose replies nobody reads."""
    async with client.raw_websocket() as connection:
        padded = {"type": "subscribe", "since": "unknown", "padding": "x" * 260_000}
        for _ in range(4):
            await connection.send_message(padded, seconds=10)
        await asyncio.sleep(HOLD_SECONDS)


@attack
async def unread_lists(client: HostileClient) -> None:
    """Lists of uploads with much metadata, which nobody reads."""
    await prepare_metadata(client)
    async with client.raw_websocket() as connection:
        for _ in range(10):
            await connection.send_message({"type": "list"}, seconds=10)
        await asyncio.sleep(HOLD_SECONDS)


async def prepare_metadata(client: HostileClient) -> None:
    ids = await client.uploads(50)
    if "has_metadata" in client.own:
        return
    async with client.websocket() as socket:
        for upload_id in ids:
            socket.seen.clear()
            await socket.request(
                {"type": "update", "instance_id": upload_id, "data": {"metadata": LARGE_METADATA}}
            )
    client.own["has_metadata"] = True


@attack
async def unknown_cursors(client: HostileClient) -> None:
    """Subscriptions from an event that does not exist, again and again."""
    await client.uploads(20)
    async with client.websocket() as socket:
        for _ in range(100):
            socket.seen.clear()
            await socket.request({"type": "subscribe", "since": "x"})


@attack
async def endless_uploads(client: HostileClient) -> None:
    """An upload whose length nobody knows, as large as the server takes it."""
    async with client.connection() as connection:
        chunked = ("Transfer-Encoding: chunked", "Content-Type: image/png")
        await connection.send(client.head("POST", "/api/uploads/", client.authorization, *chunked))
        png = scripted_png()
        await connection.send(b"%x\r\n%s\r\n" % (len(png), png))
        for _ in range(200):
            await connection.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await asyncio.sleep(0.2)


@attack
async def page_images(client: HostileClient) -> None:
    """Images of all pages of a document, in each width."""
    async with client.websocket() as socket:
        upload_id = await client.create(socket, slow_pdf(pages=20, operators=1))
    async with client.http() as http:
        for page in range(1, 21):
            for width in WIDTHS:
                check_status(await http.get(f"/api/uploads/{upload_id}/pages/{page}/image?width={width}"))
        await http.delete(f"/api/uploads/{upload_id}/")


@attack
async def corrections(client: HostileClient) -> None:
    """Corrections of a megabyte."""
    [upload_id, *_] = await client.uploads(1)
    async with client.http() as http:
        for _ in range(10):
            data = {"processed_text": os.urandom(MIB // 2).hex()}
            check_status(await http.patch(f"/api/uploads/{upload_id}/", json=data))
            await asyncio.sleep(PAUSE_SECONDS)


@attack
async def metadata_events(client: HostileClient) -> None:
    """Events of 15 KB, as fast as the server takes them."""
    [upload_id, *_] = await client.uploads(1)
    async with client.websocket() as socket:
        for number in range(100):
            socket.seen.clear()
            metadata = LARGE_METADATA | {"number": number}
            await socket.request({"type": "update", "instance_id": upload_id, "data": {"metadata": metadata}})


@attack
async def slow_pages(client: HostileClient) -> None:
    """Documents of less than a kilobyte whose pages take all their time."""
    async with client.websocket() as socket:
        for _ in range(5):
            await client.create(socket, slow_pdf())
            await asyncio.sleep(2 * PAUSE_SECONDS)


@attack
async def slow_page_images(client: HostileClient) -> None:
    """Images of a page that takes longer than the server waits."""
    if "slow" not in client.own:
        async with client.websocket() as socket:
            client.own["slow"] = await client.create(socket, slow_pdf())
    async with client.http() as http:
        path = f"/api/uploads/{client.own['slow']}/pages/1/image"
        for response in await asyncio.gather(*(http.get(path) for _ in range(4))):
            check_status(response)


@attack
async def unknown_keys(client: HostileClient) -> None:
    """Tokens that name a key which the key service does not have."""
    async with client.http() as http:
        http.headers["Authorization"] = f"Bearer {client.unknown_key_token}"
        for path in ("/api/me/", "/api/uploads/", f"/api/uploads/{uuid.uuid4()}/file"):
            check_status(await http.get(path))


@attack
async def log_floods(client: HostileClient) -> None:
    """Images whose decoder prints a line for each row."""
    async with client.websocket() as socket:
        await client.create(socket, log_flood_tiff())
        await asyncio.sleep(5 * PAUSE_SECONDS)


@attack
async def searches(client: HostileClient) -> None:
    """Searches that read every text, ten at once."""
    await client.uploads(50)
    async with client.http() as http:
        paths = [f"/api/uploads/?search={uuid.uuid4()}" for _ in range(10)]
        for response in await asyncio.gather(*map(http.get, paths)):
            check_status(response)


@attack
async def empty_parts(client: HostileClient) -> None:
    """A form of many empty parts."""
    part = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    async with client.http() as http:
        check_status(await http.post("/api/uploads/", content=part * 5000 + b"--b--\r\n", headers=form))


@attack
async def clients_that_never_read(client: HostileClient) -> None:
    """Sockets of a user with many events, which nobody reads."""
    [upload_id, *_] = await client.uploads(1)
    async with client.raw_websocket() as unread, client.websocket() as socket:
        await unread.send_message({"type": "subscribe", "since": "x"})
        for number in range(200):
            socket.seen.clear()
            data = {"metadata": LARGE_METADATA | {"number": number}}
            await socket.request({"type": "update", "instance_id": upload_id, "data": data})
            await asyncio.sleep(0.1)


def check_status(response: httpx.Response) -> None:
    if response.status_code >= 400:
        raise Refused(f"{response.status_code}")


class AttackCounts:
    """Finished and refused rounds of each kind of attack, with one reason of each kind."""

    def __init__(self) -> None:
        self.finished, self.refused = Counter[str](), Counter[str]()
        self.reasons: dict[str, Counter[str]] = {}

    def add(self, kind: str, error: BaseException | None) -> None:
        if error is None:
            self.finished[kind] += 1
            return
        self.refused[kind] += 1
        self.reasons.setdefault(kind, Counter())[f"{type(error).__name__} {error}"[:60]] += 1

    def as_json(self) -> dict[str, Any]:
        reasons = {kind: counts.most_common(2) for kind, counts in self.reasons.items()}
        return {"finished": self.finished, "refused": self.refused, "reasons": reasons}


async def repeat(kind: str, client: HostileClient, counts: AttackCounts) -> None:
    """Attack until cancelled, with a pause after each round."""
    while True:
        try:
            await ATTACKS[kind](client)
            counts.add(kind, None)
        except ERRORS as error:
            counts.add(kind, error)
        await asyncio.sleep(PAUSE_SECONDS)


async def run(clients: list[dict[str, Any]]) -> AttackCounts:
    """Attack with all clients until SIGTERM."""
    counts, ended = AttackCounts(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    tasks = []
    for fields in clients:
        kind = fields.pop("kind")
        tasks.append(asyncio.create_task(repeat(kind, HostileClient(**fields), counts)))
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()  # an error of this program
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return counts


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(Path(sys.argv[1]).read_text()))).as_json()))
