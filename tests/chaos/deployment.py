"""Two servers and workers on one PostgreSQL and one Redis, which a test holds at a point, kills and starts.

Their leases are short, so that nobody waits long for what a dead reader held.
"""

from __future__ import annotations

import signal
import sys
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from scanrill_client import Event, Finished, Snapshot

from tests.support import postgresql
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.event_recorder import EventRecorder, seq
from tests.support.processes import engine_processes, wait_until, wait_until_ended
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.worker import Worker

LEASE_SECONDS = 4
# `hold` makes a process wait there: as the last of an upload's pages is read and not saved yet; or as it is
# written with the upload's end, event and all, and not committed.
PAUSING_PROGRAM = f"""
import os, pathlib, time
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
from backend_main.core import event_log, maintenance, tasks
from backend_main.core.jobs import queue, results
queue.LEASE_SECONDS, tasks.HEARTBEAT_SECONDS = {LEASE_SECONDS}, 0.5
maintenance.MAINTENANCE_INTERVAL_SECONDS = 0.5
finish, append = results.finish, event_log._append

def come_by(point, upload_id):
    gate = pathlib.Path(os.environ["TEST_GATES"], f"{{point}}-{{upload_id}}")
    if gate.exists():
        gate.with_suffix(".reached").touch()
        while gate.exists():
            time.sleep(0.01)

def finish_held(claim, *page):
    come_by("finish", claim.upload_id)
    finish(claim, *page)

def append_held(changes):
    append(changes)
    for change in changes:
        if change.ends_reading:
            come_by("commit", change.upload_id)

results.finish, event_log._append = finish_held, append_held
from backend_main.cli.main import main
main()
"""


class Deployment:
    """`settings` are those of all processes. `webs` share a data directory, workers have it too."""

    def __init__(self, directory: Path, redis: Redis, *, database: str = "", **settings: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.redis, self.workers = redis, list[Worker]()
        self._pause_directory = directory / "gates"
        self._pause_directory.mkdir()
        own = {"DATABASE_URL": database or postgresql.new_database(), "SECRET_KEY": "k" * 50}
        own |= {"REDIS_URL": redis.url, "REDIS_PREFIX": f"{uuid.uuid4().hex[:8]}:"}
        self.servers = [Server(directory / "data", **own, **settings) for _ in range(2)]
        self.servers[1].log_path = directory / "second.log"
        for web in self.servers:
            web.program = [sys.executable, "-c", PAUSING_PROGRAM]
            web.environment["TEST_GATES"] = str(self._pause_directory)

    def start(self) -> Deployment:
        """The servers; workers are started by who wants some."""
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Server.start, self.servers))
        return self

    def stop(self) -> None:
        """All end in order, and none has anything to complain of that is a defect."""
        try:
            self.stop_workers()
            for web in self.servers:
                assert web.stop() == 0
                assert web.unexpected_tracebacks == []
        finally:
            for each in (*self.workers, *self.servers):
                if each.process.poll() is None:
                    each.stop(signal.SIGKILL)

    def start_worker(self, *arguments: str, **settings: str) -> Worker:
        worker = Worker(self.servers[0], *arguments, **settings)
        worker.program = [sys.executable, "-c", PAUSING_PROGRAM]
        self.workers.append(worker)
        return worker.start()

    def stop_workers(self) -> None:
        while self.workers:
            worker = self.workers.pop()
            if worker.process.poll() is None:
                assert worker.stop() == 0
            assert "Traceback" not in worker.log, worker.log

    # ── points ──

    def pause_at(self, point: str, upload_id: str) -> None:
        """Before who is to be held comes by: `finish` or `commit`."""
        self._pause_file(point, upload_id).touch()

    def wait_until_paused(self, point: str, upload_id: str) -> None:
        reached = self._pause_file(point, upload_id).with_suffix(".reached")
        wait_until(reached.exists, f"{point} of {upload_id} is held")

    def resume_all(self) -> None:
        for gate in self._pause_directory.iterdir():
            gate.unlink()

    def _pause_file(self, point: str, upload_id: str) -> Path:
        return self._pause_directory / f"{point}-{upload_id}"

    # ── deaths ──

    def kill_engine_processes(self, worker: Worker, count: int) -> None:
        """All of its children that read."""
        children = engine_processes(worker, count)
        for child in children:
            child.kill()
        for child in children:
            wait_until_ended(child)

    def kill_worker(self, worker: Worker) -> None:
        """Its children go by themselves."""
        children = psutil.Process(worker.process.pid).children()
        worker.stop(signal.SIGKILL)
        for child in children:
            wait_until_ended(child)

    # ── books ──

    def stored_ids(self) -> set[str]:
        """The ids under which there are files."""
        return {path.name for path in (self.servers[0].data_dir / "files").iterdir()}

    def assert_consistent(
        self, account: Account, statuses: dict[str, str], deleted: Iterable[str] = ()
    ) -> None:
        """The account's uploads ended so, each of them once; and nothing is left over, or lacks."""
        web, owner = self.servers[0], account.id.hex
        keys = {uuid.UUID(key).hex: status for key, status in statuses.items()}
        query = "SELECT id, status, page_count, pages_done FROM core_upload WHERE owner_id = ?"
        found = run_query(web, query, owner)
        assert {key: status for key, status, *_ in found} == keys
        jobs = "SELECT j.id FROM core_job j JOIN core_upload u ON u.id = j.upload_id WHERE u.owner_id = ?"
        assert run_query(web, jobs, owner) == []
        for key, status, page_count, pages_done in found:
            pages = run_query(web, "SELECT number FROM core_page WHERE upload_id = ? ORDER BY number", key)
            assert [number for (number,) in pages] == list(range(1, pages_done + 1)), status
            assert status != "processed" or page_count == pages_done
            kinds = [kind for _, kind in self._events(owner, key)]
            assert kinds == ["created", status], "the end comes once"
        assert [number for number, _ in self._events(owner)] == list(range(1, len(self._events(owner)) + 1))
        for upload_id in deleted:
            assert [kind for _, kind in self._events(owner, uuid.UUID(upload_id).hex)][1:] == ["deleted"]
        stored = self.stored_ids()
        assert stored >= set(statuses)
        assert stored.isdisjoint(deleted)

    async def assert_received_log(self, account: Account, recorder: EventRecorder) -> None:
        """Who followed the log of a new user over whatever happened was told what is in it."""
        log = self._events(account.id.hex)
        await recorder.wait_for_cursor(f"epoch:{log[-1][0]}")
        first, *told = recorder.events
        assert isinstance(first, Snapshot)
        assert [(seq(str(event.cursor)), kind_of(event)) for event in told] == log, "all, once, in order"

    def _events(self, owner: str, key: str | None = None) -> list[tuple[int, str]]:
        query = "SELECT seq, kind, upload_id FROM core_event WHERE owner_id = ? ORDER BY seq"
        return [
            (n, kind) for n, kind, about in run_query(self.servers[0], query, owner) if key in (None, about)
        ]


def kind_of(event: Event) -> str:
    """As the log calls it."""
    return event.status if isinstance(event, Finished) else type(event).__name__.lower()
