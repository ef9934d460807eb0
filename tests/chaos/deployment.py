"""Two servers and their workers on one PostgreSQL and one Redis, which a test can pause, kill and restart.

Their leases are short, so that the jobs of a dead reader become free soon.
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
# `pause_at` pauses a process at one of two points. `finish`: the last page of an upload is read but not
# saved. `commit`: the page, the upload's end and its event are written but not committed.
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

def pause_if_requested(point, upload_id):
    pause_file = pathlib.Path(os.environ["TEST_PAUSE_DIR"], f"{{point}}-{{upload_id}}")
    if pause_file.exists():
        pause_file.with_suffix(".reached").touch()
        while pause_file.exists():
            time.sleep(0.01)

def finish_with_pause(claim, *page, **options):
    pause_if_requested("finish", claim.upload_id)
    return finish(claim, *page, **options)

def append_with_pause(changes, *args, **options):
    append(changes, *args, **options)
    for change in changes:
        if change.ends_reading:
            pause_if_requested("commit", change.upload_id)

results.finish, event_log._append = finish_with_pause, append_with_pause
from backend_main.cli.main import main
main()
"""


class Deployment:
    """The processes. `settings` apply to all of them; `servers` and workers share one data directory."""

    def __init__(self, directory: Path, redis: Redis, *, database: str = "", **settings: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.redis, self.workers = redis, list[Worker]()
        self._pause_directory = directory / "pauses"
        self._pause_directory.mkdir()
        shared = {"DATABASE_URL": database or postgresql.new_database(), "SECRET_KEY": "0123456789abcdef" * 4}
        shared |= {"REDIS_URL": redis.url, "REDIS_PREFIX": f"{uuid.uuid4().hex[:8]}:"}
        self.servers = [Server(directory / "data", **shared, **settings) for _ in range(2)]
        self.servers[1].log_path = directory / "second.log"
        for server in self.servers:
            server.program = [sys.executable, "-c", PAUSING_PROGRAM]
            server.environment["TEST_PAUSE_DIR"] = str(self._pause_directory)

    def start(self) -> Deployment:
        """Start the servers; `start_worker` starts workers."""
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Server.start, self.servers))
        return self

    def stop(self) -> None:
        """Stop all processes, and assert that each exits cleanly and logs no traceback."""
        try:
            self.stop_workers()
            for server in self.servers:
                assert server.stop() == 0
                assert server.unexpected_tracebacks == []
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

    # ── pauses ──

    def pause_at(self, point: str, upload_id: str) -> None:
        """Pause the next process that reaches `finish` or `commit` with this upload."""
        self._pause_file(point, upload_id).touch()

    def wait_until_paused(self, point: str, upload_id: str) -> None:
        reached = self._pause_file(point, upload_id).with_suffix(".reached")
        wait_until(reached.exists, f"{point} of {upload_id} is paused")

    def resume_all(self) -> None:
        for pause_file in self._pause_directory.iterdir():
            pause_file.unlink()

    def _pause_file(self, point: str, upload_id: str) -> Path:
        return self._pause_directory / f"{point}-{upload_id}"

    # ── kills ──

    def kill_engine_processes(self, worker: Worker, count: int) -> None:
        """Kill all engine processes of a worker."""
        children = engine_processes(worker, count)
        for child in children:
            child.kill()
        for child in children:
            wait_until_ended(child)

    def kill_worker(self, worker: Worker) -> None:
        """Kill a worker; its child processes end by themselves."""
        children = psutil.Process(worker.process.pid).children()
        worker.stop(signal.SIGKILL)
        for child in children:
            wait_until_ended(child)

    # ── checks ──

    def stored_ids(self) -> set[str]:
        """Return the ids of all uploads with stored files."""
        return {path.name for path in (self.servers[0].data_dir / "files").iterdir()}

    def assert_consistent(
        self, account: Account, statuses: dict[str, str], deleted: Iterable[str] = ()
    ) -> None:
        """Assert that rows, events and files match, and that each upload ended once with its status."""
        server, owner = self.servers[0], account.id.hex
        keys = {uuid.UUID(key).hex: status for key, status in statuses.items()}
        query = "SELECT id, status, page_count, pages_done FROM core_upload WHERE owner_id = ?"
        found = run_query(server, query, owner)
        assert {key: status for key, status, *_ in found} == keys
        jobs = "SELECT j.id FROM core_job j JOIN core_upload u ON u.id = j.upload_id WHERE u.owner_id = ?"
        assert run_query(server, jobs, owner) == []
        for key, status, page_count, pages_done in found:
            pages = run_query(server, "SELECT number FROM core_page WHERE upload_id = ? ORDER BY number", key)
            assert [number for (number,) in pages] == list(range(1, pages_done + 1)), status
            assert status != "processed" or page_count == pages_done
            kinds = [kind for _, kind in self._events(owner, key)]
            assert kinds[-2:] == ["ended", status], "one terminal event"
            assert kinds[:-2] in (["created"], ["created", "started"]), "one beginning, however many claims"
        assert [number for number, _ in self._events(owner)] == list(range(1, len(self._events(owner)) + 1))
        for upload_id in deleted:
            kinds = [kind for _, kind in self._events(owner, uuid.UUID(upload_id).hex)]
            assert kinds in (["created", "deleted"], ["created", "started", "deleted"])
        stored = self.stored_ids()
        assert stored >= set(statuses)
        assert stored.isdisjoint(deleted)

    async def assert_received_log(self, account: Account, recorder: EventRecorder) -> None:
        """Assert that the recorder of a new user received exactly the user's event log.

        The client adds the status events of a reading to its end.
        """
        log = [event for event in self._events(account.id.hex) if event[1] not in ("started", "ended")]
        await recorder.wait_for_cursor(f"epoch:{log[-1][0]}")
        first, *events = recorder.events
        assert isinstance(first, Snapshot)
        assert [(seq(str(event.cursor)), kind_of(event)) for event in events] == log, (
            "all events, once, in order"
        )

    def _events(self, owner: str, key: str | None = None) -> list[tuple[int, str]]:
        query = "SELECT seq, kind, upload_id FROM core_event WHERE owner_id = ? ORDER BY seq"
        return [
            (n, kind) for n, kind, upload in run_query(self.servers[0], query, owner) if key in (None, upload)
        ]


def kind_of(event: Event) -> str:
    """Return the kind of an event as the log names it."""
    return event.status if isinstance(event, Finished) else type(event).__name__.lower()
