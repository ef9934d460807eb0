"""A scaled deployment and the faults that can be injected into it."""

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

SECRET_KEY = "a fixed key for soak tests, at least 32 bytes"
SERVER_MODULE = "backend_main.cli.server_process"
TERMINATE_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5
"""


class Scaled(Deployment):
    """Two web processes and two workers on PostgreSQL, Redis and a bucket."""

    description = (
        "`scanrill serve --workers 2` and two `scanrill worker`, PostgreSQL, Redis, and a bucket of moto"
    )

    def __init__(self, directory: Path) -> None:
        from tests.support.s3 import S3  # takes two seconds to import

        # Not shared with other tests, because faults restart it.
        self._postgresql = PostgreSQL()
        self._redis, self._s3 = Redis(directory / "redis").start(), S3()
        super().__init__(directory)
        self.workers = [Worker(self.server, DATA_DIR=str(directory / f"worker-{n}")) for n in (1, 2)]
        self._worker_locks = [threading.Lock() for _ in self.workers]
        self._database_lock = threading.Lock()
        self._redis_lock = threading.Lock()
        self._bucket_lock = threading.Lock()

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
        processes = super().processes()
        for process in children(self.server, SERVER_MODULE):
            processes[f"web process {_server_number(process)}"] = process
        for number, worker in enumerate(self.workers, 1):
            processes |= self._processes_of(f"worker {number}", worker)
        return processes

    def stored_files(self) -> dict[str, bytes | None]:
        return {key.removeprefix("soak/"): self._s3.content(key) for key in self._s3.keys("soak/")}

    @property
    def logs(self) -> dict[str, str]:
        return super().logs | {f"worker {n}": worker.log for n, worker in enumerate(self.workers, 1)}

    @property
    def _parents(self) -> list[Server | Worker]:
        return [*self.workers]

    # ── faults ──

    def _inject_kill_worker(self, fault: Fault) -> str:
        with self._exclusive_worker(fault.selector) as (worker, name):
            worker.stop(signal.SIGKILL)
            time.sleep(fault.seconds)
            start_with_retries(worker)
        return name

    def _inject_stop_worker(self, fault: Fault) -> str:
        with self._exclusive_worker(fault.selector) as (worker, name):
            self._stop(worker, name)
            time.sleep(fault.seconds)
            start_with_retries(worker)
        return name

    def _inject_freeze_worker(self, fault: Fault) -> str:
        with self._exclusive_worker(fault.selector) as (worker, name):
            freeze(psutil.Process(worker.process.pid), fault.seconds)
        return name

    def _inject_kill_web_process(self, fault: Fault) -> str:
        """Kill a web process; the supervisor replaces it."""
        with exclusive(self._server_lock):
            processes = [
                m
                for m in children(self.server, SERVER_MODULE)
                if self._allows_fatal_faults or _server_number(m) != "1"
            ]
            if not processes:
                return ""
            process = processes[int(fault.selector * len(processes))]
            name = f"web process {_server_number(process)}"
            process.kill()
        return name

    def _inject_kill_everything(self, fault: Fault) -> str:
        with exclusive(self._server_lock, *self._worker_locks):
            all_processes: list[Server | Worker] = [self.server, *self.workers]
            for process in all_processes:
                process.process.kill()
            for process in all_processes:
                process.stop(signal.SIGKILL)
            time.sleep(fault.seconds)
            for process in all_processes:
                start_with_retries(process)
        return "everything"

    def _inject_end_connections(self, fault: Fault) -> str:
        """End about half of the database connections."""
        with (
            exclusive(self._database_lock),
            psycopg.connect(self.server.database_url, autocommit=True) as connection,
        ):
            connection.execute(TERMINATE_CONNECTIONS)
        return "the database"

    def _inject_restart_database(self, fault: Fault) -> str:
        with exclusive(self._database_lock):
            self._postgresql.stop()
            time.sleep(fault.seconds)
            self._postgresql.start()
        return "the database"

    def _inject_stop_redis(self, fault: Fault) -> str:
        with exclusive(self._redis_lock):
            self._redis.stop()
            time.sleep(fault.seconds)
            self._redis.start()
        return "Redis"

    def _inject_flush_redis(self, fault: Fault) -> str:
        with exclusive(self._redis_lock):
            self._redis.flush()
        return "Redis"

    def _inject_freeze_redis(self, fault: Fault) -> str:
        with exclusive(self._redis_lock):
            self._redis.freeze()
            time.sleep(fault.seconds)
            self._redis.thaw()
        return "Redis"

    def _inject_drop_subscriptions(self, fault: Fault) -> str:
        with exclusive(self._redis_lock):
            self._redis.drop_connections()
        return "Redis"

    def _inject_close_bucket(self, fault: Fault) -> str:
        with exclusive(self._bucket_lock):
            self._s3.fail()
            time.sleep(fault.seconds)
            self._s3.recover()
        return "the bucket"

    def _inject_freeze_bucket(self, fault: Fault) -> str:
        with exclusive(self._bucket_lock):
            self._s3.freeze()
            time.sleep(fault.seconds)
            self._s3.recover()
        return "the bucket"

    @contextmanager
    def _exclusive_worker(self, selector: float) -> Iterator[tuple[Worker, str]]:
        """Choose and lock a worker; the memory trend of the first is measured."""
        index = int(selector * 2) if self._allows_fatal_faults else 1
        with exclusive(self._worker_locks[index]):
            yield self.workers[index], f"worker {index + 1}"


def _server_number(process: psutil.Process) -> str:
    """Return the number of a web process: its first argument."""
    command = process.cmdline()
    return command[command.index(SERVER_MODULE) + 1]
