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
from tests.support.database_rows import rows
from tests.support.event_recorder import EventRecorder, seq
from tests.support.processes import reading_children, wait_gone, wait_until
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.worker import Worker

LEASE_SECONDS = 4
# `hold` makes a process wait there: as the last of an upload's pages is read and not saved yet; or as it is
# written with the upload's end, event and all, and not committed.
PROGRAM = f"""
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
        self._gates = directory / "gates"
        self._gates.mkdir()
        own = {"DATABASE_URL": database or postgresql.new_database(), "SECRET_KEY": "k" * 50}
        own |= {"REDIS_URL": redis.url, "REDIS_PREFIX": f"{uuid.uuid4().hex[:8]}:"}
        self.webs = [Server(directory / "data", **own, **settings) for _ in range(2)]
        self.webs[1].log_path = directory / "second.log"
        for web in self.webs:
            web.program = [sys.executable, "-c", PROGRAM]
            web.environment["TEST_GATES"] = str(self._gates)

    def start(self) -> Deployment:
        """The servers; workers are started by who wants some."""
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Server.start, self.webs))
        return self

    def stop(self) -> None:
        """All end in order, and none has anything to complain of that is a defect."""
        try:
            self.stop_workers()
            for web in self.webs:
                assert web.stop() == 0
                assert web.own_tracebacks == []
        finally:
            for each in (*self.workers, *self.webs):
                if each.process.poll() is None:
                    each.stop(signal.SIGKILL)

    def start_worker(self, *arguments: str, **settings: str) -> Worker:
        worker = Worker(self.webs[0], *arguments, **settings)
        worker.program = [sys.executable, "-c", PROGRAM]
        self.workers.append(worker)
        return worker.start()

    def stop_workers(self) -> None:
        while self.workers:
            worker = self.workers.pop()
            if worker.process.poll() is None:
                assert worker.stop() == 0
            assert "Traceback" not in worker.log, worker.log

    # ── points ──

    def hold(self, point: str, upload_id: str) -> None:
        """Before who is to be held comes by: `finish` or `commit`."""
        self._gate(point, upload_id).touch()

    def wait_held(self, point: str, upload_id: str) -> None:
        reached = self._gate(point, upload_id).with_suffix(".reached")
        wait_until(reached.exists, f"{point} of {upload_id} is held")

    def release_all(self) -> None:
        for gate in self._gates.iterdir():
            gate.unlink()

    def _gate(self, point: str, upload_id: str) -> Path:
        return self._gates / f"{point}-{upload_id}"

    # ── deaths ──

    def kill_children(self, worker: Worker, count: int) -> None:
        """All of its children that read."""
        children = reading_children(worker, count)
        for child in children:
            child.kill()
        for child in children:
            wait_gone(child)

    def kill_worker(self, worker: Worker) -> None:
        """Its children go by themselves."""
        children = psutil.Process(worker.process.pid).children()
        worker.stop(signal.SIGKILL)
        for child in children:
            wait_gone(child)

    # ── books ──

    def stored(self) -> set[str]:
        """The ids under which there are files."""
        return {path.name for path in (self.webs[0].data_dir / "files").iterdir()}

    def check_books(self, account: Account, ends: dict[str, str], deleted: Iterable[str] = ()) -> None:
        """The account's uploads ended so, each of them once; and nothing is left over, or lacks."""
        web, owner = self.webs[0], account.id.hex
        keys = {uuid.UUID(key).hex: status for key, status in ends.items()}
        query = "SELECT id, status, page_count, pages_done FROM core_upload WHERE owner_id = ?"
        found = rows(web, query, owner)
        assert {key: status for key, status, *_ in found} == keys
        jobs = "SELECT j.id FROM core_job j JOIN core_upload u ON u.id = j.upload_id WHERE u.owner_id = ?"
        assert rows(web, jobs, owner) == []
        for key, status, page_count, pages_done in found:
            pages = rows(web, "SELECT number FROM core_page WHERE upload_id = ? ORDER BY number", key)
            assert [number for (number,) in pages] == list(range(1, pages_done + 1)), status
            assert status != "processed" or page_count == pages_done
            kinds = [kind for _, kind in self._events(owner, key)]
            assert kinds == ["created", status], "the end comes once"
        assert [number for number, _ in self._events(owner)] == list(range(1, len(self._events(owner)) + 1))
        for upload_id in deleted:
            assert [kind for _, kind in self._events(owner, uuid.UUID(upload_id).hex)][1:] == ["deleted"]
        stored = self.stored()
        assert stored >= set(ends)
        assert stored.isdisjoint(deleted)

    async def check_followed(self, account: Account, watcher: EventRecorder) -> None:
        """Who followed the log of a new user over whatever happened was told what is in it."""
        log = self._events(account.id.hex)
        await watcher.until_cursor(f"epoch:{log[-1][0]}")
        first, *told = watcher.told
        assert isinstance(first, Snapshot)
        assert [(seq(str(event.cursor)), kind_of(event)) for event in told] == log, "all, once, in order"

    def _events(self, owner: str, key: str | None = None) -> list[tuple[int, str]]:
        query = "SELECT seq, kind, upload_id FROM core_event WHERE owner_id = ? ORDER BY seq"
        return [(n, kind) for n, kind, about in rows(self.webs[0], query, owner) if key in (None, about)]


def kind_of(event: Event) -> str:
    """As the log calls it."""
    return event.status if isinstance(event, Finished) else type(event).__name__.lower()
