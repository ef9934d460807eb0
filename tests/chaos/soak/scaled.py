"""Many processes, on what servers share; and how each of all these comes to harm."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.chaos.soak.deployment import (
    SETTINGS,
    Deployment,
    children,
    exclusive,
    freeze,
    kill,
    start_with_retries,
)
from tests.chaos.soak.plan import Fault
from tests.support.postgresql import PostgreSQL, url_at
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.worker import Worker

SECRET_KEY = "of a soak, where what is signed with it is worth nothing to anybody"
SERVER_MODULE = "backend_main.cli.server_process"
TERMINATE_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5
"""


class Scaled(Deployment):
    description = (
        "`scanrill serve --workers 2` and two `scanrill worker`, PostgreSQL, Redis, and a bucket of moto"
    )

    def __init__(self, directory: Path) -> None:
        from tests.support.s3 import S3  # two seconds, for those alone who need it

        # Its own, as no other test is to be there when it is restarted.
        self._postgresql = PostgreSQL()
        self._redis, self._s3 = Redis(directory / "redis").start(), S3()
        super().__init__(directory)
        self.workers = [Worker(self.server, DATA_DIR=str(directory / f"worker-{n}")) for n in (1, 2)]
        self._worker_locks = [threading.Lock() for _ in self.workers]
        self._keeping, self._calling, self._storing = (threading.Lock() for _ in range(3))

    def _new_server(self) -> Server:
        settings = SETTINGS | {
            "DATABASE_URL": url_at(self._postgresql.directory, "postgres"),
            "REDIS_URL": self._redis.url,
            "STORAGE_URL": self._s3.url("soak"),
            "SECRET_KEY": SECRET_KEY,
        }
        server = Server(self.directory / "data", "--workers", "2", **settings)
        server.environment |= self._s3.environment
        return server

    def start(self) -> None:
        super().start()
        for worker in self.workers:
            start_with_retries(worker)

    def stop(self) -> None:
        for number, worker in enumerate(self.workers, 1):
            self._stop(worker, f"worker {number}")
        super().stop()

    def close(self) -> None:
        for worker in self.workers:
            kill(worker)
        super().close()
        self._redis.stop()
        self._s3.stop()
        self._postgresql.stop()

    def processes(self) -> dict[str, psutil.Process]:
        found = super().processes()
        for member in children(self.server, SERVER_MODULE):
            found[f"web process {_server_number(member)}"] = member
        for number, worker in enumerate(self.workers, 1):
            found |= self._processes_of(f"worker {number}", worker)
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

    def _do_kill_worker(self, fault: Fault) -> str:
        with self._exclusive_worker(fault.selector) as (worker, name):
            worker.stop(signal.SIGKILL)
            time.sleep(fault.seconds)
            start_with_retries(worker)
        return name

    def _do_stop_worker(self, fault: Fault) -> str:
        with self._exclusive_worker(fault.selector) as (worker, name):
            self._stop(worker, name)
            time.sleep(fault.seconds)
            start_with_retries(worker)
        return name

    def _do_freeze_worker(self, fault: Fault) -> str:
        with self._exclusive_worker(fault.selector) as (worker, name):
            freeze(psutil.Process(worker.process.pid), fault.seconds)
        return name

    def _do_kill_web_process(self, fault: Fault) -> str:
        """What started it puts another in its place."""
        with exclusive(self._server_lock):
            members = [
                m
                for m in children(self.server, SERVER_MODULE)
                if self._allows_fatal_faults or _server_number(m) != "1"
            ]
            if not members:
                return ""
            member = members[int(fault.selector * len(members))]
            name = f"web process {_server_number(member)}"
            member.kill()
        return name

    def _do_kill_everything(self, fault: Fault) -> str:
        with exclusive(self._server_lock, *self._worker_locks):
            every: list[Server | Worker] = [self.server, *self.workers]
            for process in every:
                process.process.kill()
            for process in every:
                process.stop(signal.SIGKILL)
            time.sleep(fault.seconds)
            for process in every:
                start_with_retries(process)
        return "everything"

    def _do_end_connections(self, fault: Fault) -> str:
        """About half of them; whoever is in the middle of something is told that it failed."""
        with (
            exclusive(self._keeping),
            psycopg.connect(self.server.database_url, autocommit=True) as connection,
        ):
            connection.execute(TERMINATE_CONNECTIONS)
        return "the database"

    def _do_restart_database(self, fault: Fault) -> str:
        with exclusive(self._keeping):
            self._postgresql.stop()
            time.sleep(fault.seconds)
            self._postgresql.start()
        return "the database"

    def _do_stop_redis(self, fault: Fault) -> str:
        with exclusive(self._calling):
            self._redis.stop()
            time.sleep(fault.seconds)
            self._redis.start()
        return "Redis"

    def _do_flush_redis(self, fault: Fault) -> str:
        with exclusive(self._calling):
            self._redis.flush()
        return "Redis"

    def _do_freeze_redis(self, fault: Fault) -> str:
        with exclusive(self._calling):
            self._redis.freeze()
            time.sleep(fault.seconds)
            self._redis.thaw()
        return "Redis"

    def _do_drop_subscriptions(self, fault: Fault) -> str:
        with exclusive(self._calling):
            self._redis.drop_connections()
        return "Redis"

    def _do_close_bucket(self, fault: Fault) -> str:
        with exclusive(self._storing):
            self._s3.fail()
            time.sleep(fault.seconds)
            self._s3.recover()
        return "the bucket"

    def _do_freeze_bucket(self, fault: Fault) -> str:
        with exclusive(self._storing):
            self._s3.freeze()
            time.sleep(fault.seconds)
            self._s3.recover()
        return "the bucket"

    @contextmanager
    def _exclusive_worker(self, which: float) -> Iterator[tuple[Worker, str]]:
        """The first is weighed."""
        index = int(which * 2) if self._allows_fatal_faults else 1
        with exclusive(self._worker_locks[index]):
            yield self.workers[index], f"worker {index + 1}"


def _server_number(member: psutil.Process) -> str:
    """Which of the web processes it is: its first argument."""
    command = member.cmdline()
    return command[command.index(SERVER_MODULE) + 1]
