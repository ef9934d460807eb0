"""The processes of a soak, real ones, and how each of them comes to harm and back.

What is done here blocks, and is called from threads. What is still in one accident is spared another: on a
slow machine nothing would ever be up between them.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.chaos.soak.plan import Blow
from tests.support.postgresql import PostgreSQL, url_at
from tests.support.processes import Parent
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.worker import Worker

SETTINGS = {"MAX_PENDING_PER_USER": "12", "MAX_UPLOADS_PER_USER": "60"}
KEY = "of a soak, where what is signed with it is worth nothing to anybody"
SWEEP_ALL = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
from backend_main.core import sweep
print(*sweep.everything(grace_seconds=0))
"""
END_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5
"""
READER, MEMBER = "backend_main.reading.child", "backend_main.cli.member"
STOP_SECONDS = 20
STARTS = 3


class Busy(Exception):
    """It is in another accident."""


class Stage:
    """`harm` carries out an accident, and returns when all that was started again serves.

    `amiss` are sentences on what did not go as it must meanwhile.
    """

    description = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.marks = directory / "marks"
        self.marks.mkdir()
        self.amiss: list[str] = []
        self.server = Server(directory / "data")
        self._serving = threading.Lock()
        self._may_kill_all = True

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        """All of it, in order; each process ends well."""
        self._stop(self.server, "the server")

    def close(self) -> None:
        """What is not scanrill's; and what is still there."""
        _kill(self.server)

    def calm(self) -> None:
        """From now on what is weighed lives on."""
        self._may_kill_all = False

    def harm(self, blow: Blow) -> str:
        """What was hit; empty where there was nothing to hit."""
        harms: dict[str, Callable[[Blow], str]] = {
            name.removeprefix("_do_").replace("_", " "): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }
        with suppress(Busy):
            return harms[blow.do](blow)
        return ""

    def processes(self) -> dict[str, psutil.Process]:
        """Those that are to be weighed, by name; readers among them."""
        return dict(self._below("server", self.server))

    def sweep(self) -> tuple[int, ...]:
        """As `scanrill sweep` where nothing is young; how many were found of each."""
        swept = subprocess.run(
            [sys.executable, "-c", SWEEP_ALL],
            env=self.server.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert swept.returncode == 0, swept.stderr
        return tuple(map(int, swept.stdout.split()))

    def stored(self) -> dict[str, bytes | None]:
        """The files that are kept, by their keys, with their content."""
        root = self.server.data_dir / "files"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    @property
    def logs(self) -> dict[str, str]:
        return {"server": self.server.log}

    # ── accidents ──

    def _do_kill_reader(self, blow: Blow) -> str:
        if (reader := self._a_reader(blow.which)) is None:
            return ""
        with suppress(psutil.NoSuchProcess):
            reader.kill()
        return "a reader"

    def _do_freeze_reader(self, blow: Blow) -> str:
        reader = self._a_reader(blow.which)
        return "" if reader is None else _freeze(reader, blow.seconds)

    def _do_kill_server(self, blow: Blow) -> str:
        return self._serve_anew(signal.SIGKILL, blow.seconds)

    def _do_stop_server(self, blow: Blow) -> str:
        return self._serve_anew(signal.SIGTERM, blow.seconds)

    def _serve_anew(self, number: int, seconds: float) -> str:
        with _alone(self._serving):
            if number == signal.SIGTERM:
                self._stop(self.server, "the server")
            else:
                self.server.stop(number)
            time.sleep(seconds)
            _start(self.server)
        return "the server"

    # ── parts ──

    def _stop(self, process: Server | Worker, name: str) -> None:
        try:
            if (code := process.stop(timeout=STOP_SECONDS)) != 0:
                self.amiss.append(f"{name}, which was told to stop, ended with {code}")
        except subprocess.TimeoutExpired:
            self.amiss.append(f"{name} did not stop within {STOP_SECONDS} seconds")
            process.stop(signal.SIGKILL)

    @property
    def _parents(self) -> list[Server | Worker]:
        """Those that have readers."""
        return [self.server]

    def _a_reader(self, which: float) -> psutil.Process | None:
        readers = [reader for parent in self._parents for reader in _children(parent, READER)]
        return readers[int(which * len(readers))] if readers else None

    def _below(self, name: str, parent: Parent) -> Iterator[tuple[str, psutil.Process]]:
        with suppress(psutil.NoSuchProcess, AttributeError):
            yield name, psutil.Process(parent.process.pid)
        for number, reader in enumerate(_children(parent, READER), 1):
            yield f"reader {number} of {name}", reader


class Embedded(Stage):
    description = "one `scanrill serve` with two readers, SQLite, files on disk"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = Server(directory / "data", READERS="2", READER_THREADS="1", DATABASE_URL="", **SETTINGS)

    def _do_hold_database(self, blow: Blow) -> str:
        path = self.server.data_dir / "scanrill.sqlite3"
        with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(blow.seconds)
            database.execute("ROLLBACK")
        return "the database"


class Scaled(Stage):
    description = (
        "`scanrill serve --workers 2` and two `scanrill worker`, PostgreSQL, Redis, and a bucket of moto"
    )

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        from tests.support.s3 import S3  # two seconds, for those alone who need it

        # Its own, as no other test is to be there when it is restarted.
        self._postgresql = PostgreSQL()
        self._redis, self._s3 = Redis(directory / "redis").start(), S3()
        settings = SETTINGS | {
            "DATABASE_URL": url_at(self._postgresql.directory, "postgres"),
            "REDIS_URL": self._redis.url,
            "STORAGE_URL": self._s3.url("soak"),
            "SECRET_KEY": KEY,
        }
        self.server = Server(directory / "data", "--workers", "2", **settings)
        self.server.environment |= self._s3.environment
        self.workers = [Worker(self.server, DATA_DIR=str(directory / f"worker-{n}")) for n in (1, 2)]
        self._working = [threading.Lock() for _ in self.workers]
        self._keeping, self._calling, self._storing = (threading.Lock() for _ in range(3))

    def start(self) -> None:
        super().start()
        for worker in self.workers:
            _start(worker)

    def stop(self) -> None:
        for number, worker in enumerate(self.workers, 1):
            self._stop(worker, f"worker {number}")
        super().stop()

    def close(self) -> None:
        for worker in self.workers:
            _kill(worker)
        super().close()
        self._redis.stop()
        self._s3.stop()
        self._postgresql.stop()

    def processes(self) -> dict[str, psutil.Process]:
        found = super().processes()
        for member in _children(self.server, MEMBER):
            found[f"web process {_number(member)}"] = member
        for number, worker in enumerate(self.workers, 1):
            found |= self._below(f"worker {number}", worker)
        return found

    def stored(self) -> dict[str, bytes | None]:
        return {key.removeprefix("soak/"): self._s3.content(key) for key in self._s3.keys("soak/")}

    @property
    def logs(self) -> dict[str, str]:
        return super().logs | {f"worker {n}": worker.log for n, worker in enumerate(self.workers, 1)}

    @property
    def _parents(self) -> list[Server | Worker]:
        return [*self.workers]

    # ── accidents ──

    def _do_kill_worker(self, blow: Blow) -> str:
        with self._a_worker(blow.which) as (worker, name):
            worker.stop(signal.SIGKILL)
            time.sleep(blow.seconds)
            _start(worker)
        return name

    def _do_stop_worker(self, blow: Blow) -> str:
        with self._a_worker(blow.which) as (worker, name):
            self._stop(worker, name)
            time.sleep(blow.seconds)
            _start(worker)
        return name

    def _do_freeze_worker(self, blow: Blow) -> str:
        with self._a_worker(blow.which) as (worker, name):
            _freeze(psutil.Process(worker.process.pid), blow.seconds)
        return name

    def _do_kill_web_process(self, blow: Blow) -> str:
        """What started it puts another in its place."""
        with _alone(self._serving):
            members = [m for m in _children(self.server, MEMBER) if self._may_kill_all or _number(m) != "1"]
            if not members:
                return ""
            member = members[int(blow.which * len(members))]
            name = f"web process {_number(member)}"
            member.kill()
        return name

    def _do_kill_everything(self, blow: Blow) -> str:
        with _alone(self._serving, *self._working):
            every: list[Server | Worker] = [self.server, *self.workers]
            for process in every:
                process.process.kill()
            for process in every:
                process.stop(signal.SIGKILL)
            time.sleep(blow.seconds)
            for process in every:
                _start(process)
        return "everything"

    def _do_end_connections(self, blow: Blow) -> str:
        """About half of them; whoever is in the middle of something is told that it failed."""
        with _alone(self._keeping), psycopg.connect(self.server.database_url, autocommit=True) as connection:
            connection.execute(END_CONNECTIONS)
        return "the database"

    def _do_restart_database(self, blow: Blow) -> str:
        with _alone(self._keeping):
            self._postgresql.stop()
            time.sleep(blow.seconds)
            self._postgresql.start()
        return "the database"

    def _do_stop_redis(self, blow: Blow) -> str:
        with _alone(self._calling):
            self._redis.stop()
            time.sleep(blow.seconds)
            self._redis.start()
        return "Redis"

    def _do_flush_redis(self, blow: Blow) -> str:
        with _alone(self._calling):
            self._redis.flush()
        return "Redis"

    def _do_freeze_redis(self, blow: Blow) -> str:
        with _alone(self._calling):
            assert self._redis._process is not None
            _freeze(psutil.Process(self._redis._process.pid), blow.seconds)
        return "Redis"

    def _do_drop_subscriptions(self, blow: Blow) -> str:
        with _alone(self._calling):
            self._redis.drop_connections()
        return "Redis"

    def _do_close_bucket(self, blow: Blow) -> str:
        with _alone(self._storing):
            self._s3.away()
            time.sleep(blow.seconds)
            self._s3.back()
        return "the bucket"

    def _do_freeze_bucket(self, blow: Blow) -> str:
        with _alone(self._storing):
            self._s3.freeze()
            time.sleep(blow.seconds)
            self._s3.back()
        return "the bucket"

    @contextmanager
    def _a_worker(self, which: float) -> Iterator[tuple[Worker, str]]:
        """The first is weighed."""
        index = int(which * 2) if self._may_kill_all else 1
        with _alone(self._working[index]):
            yield self.workers[index], f"worker {index + 1}"


STAGES: dict[str, type[Stage]] = {"embedded": Embedded, "scaled": Scaled}


@contextmanager
def _alone(*locks: threading.Lock) -> Iterator[None]:
    """For an accident to what these stand for. Raises `Busy`."""
    with ExitStack() as held:
        for lock in locks:
            if not lock.acquire(blocking=False):
                raise Busy
            held.callback(lock.release)
        yield


def _start(process: Server | Worker) -> None:
    """As what keeps services running does: a worker ends where its reader is killed while it starts."""
    for _ in range(STARTS - 1):
        try:
            process.start()
            return
        except AssertionError:
            _kill(process)
    process.start()


def _kill(process: Server | Worker) -> None:
    with suppress(AttributeError):  # it was never started
        if process.process.poll() is None:
            process.stop(signal.SIGKILL)


def _children(parent: Parent, program: str) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    with suppress(psutil.Error, AttributeError):
        for child in psutil.Process(parent.process.pid).children():
            with suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and program in child.cmdline():
                    found.append(child)
    return found


def _number(member: psutil.Process) -> str:
    """Which of the web processes it is: its first argument."""
    command = member.cmdline()
    return command[command.index(MEMBER) + 1]


def _freeze(process: psutil.Process, seconds: float) -> str:
    with suppress(psutil.NoSuchProcess):
        process.suspend()
        time.sleep(seconds)
        process.resume()
    return "frozen"
