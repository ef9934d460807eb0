"""Benchmark of database work that grows with the number of rows: a check of 10,000 users, and a claim.

CPU seconds are those of this process. They include SQLite, but not the server of PostgreSQL.

    .venv/bin/python -m benchmarks.database_scaling --write
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from benchmarks.readme_tables import write

USERS, JOBS, REPEATS = 10_000, (1_000, 10_000, 50_000), 7
DATABASES = ("SQLite", "PostgreSQL")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/README.md")
    parser.add_argument("--on", choices=DATABASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.on:
        print(*measure_database(arguments.on), sep="\n")
        return
    lines = ["| database | operation | wall, ms | CPU of the process, ms |", "|---|---|---:|---:|"]
    for name in DATABASES:
        command = [sys.executable, "-m", "benchmarks.database_scaling", "--on", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines += [line for line in done.stdout.splitlines() if line.startswith("|")]
    table = "\n".join(lines)
    if arguments.write:
        load = f"load average {os.getloadavg()[0]:.1f} after"
        write(
            "database_scaling",
            f"`.venv/bin/python -m benchmarks.database_scaling --write`, {load}.\n\n{table}",
        )
    else:
        print(table)


def measure_database(database: str) -> Iterator[str]:
    """Yield rows of the table. Django loads its settings once, so each database needs a new process."""
    set_up(database)
    from backend_main.core.auth import accounts
    from backend_main.core.jobs import queue as job_queue
    from backend_main.core.live.hub import POLL_BATCH_USERS

    ids = _create_users()
    slices = [ids[first : first + POLL_BATCH_USERS] for first in range(0, len(ids), POLL_BATCH_USERS)]

    def check_users() -> None:
        for some in slices:
            accounts.load_accounts(some)

    def claim() -> None:
        claimed = job_queue.claim_next("benchmark")
        assert claimed is not None
        job_queue.release(claimed)

    yield _row(database, f"a check of {USERS:,} users, {POLL_BATCH_USERS} at a time", check_users)
    for count in JOBS:
        _create_jobs(ids, count)
        yield _row(database, f"a claim with {count:,} open jobs", claim)


def set_up(database: str) -> None:
    os.environ["SCANRILL_DATA_DIR"] = tempfile.mkdtemp(prefix="scanrill-bench-")
    os.environ["SCANRILL_ENGINE"] = "dummy"
    os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
    if database == "PostgreSQL":
        from tests.support import postgresql

        os.environ |= {
            "SCANRILL_DATABASE_URL": postgresql.new_database(),
            "SCANRILL_SECRET_KEY": "0123456789abcdef" * 4,
        }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _create_users() -> list[object]:
    from backend_main.core.models import EventCounter, User

    users = User.objects.bulk_create([User(username=f"u{n}") for n in range(USERS)], batch_size=1000)
    EventCounter.objects.bulk_create([EventCounter(owner=user, seq=1) for user in users], batch_size=1000)
    return [user.pk for user in users]


def _create_jobs(owners: list[object], count: int) -> None:
    """Create jobs until there are `count`, one per user in turn."""
    from django.db import connection

    from backend_main.core.models import Job, Upload

    new = [
        Upload(
            owner_id=owners[n % len(owners)],
            filename="a.png",
            image_path=f"{n}/original.png",
            image_hash=f"{n:064x}",
            content_type="image/png",
            bytes=1,
        )
        for n in range(Upload.objects.count(), count)
    ]
    uploads = Upload.objects.bulk_create(new, batch_size=1000)
    Job.objects.bulk_create([Job(upload=upload) for upload in uploads], batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _row(database: str, operation: str, work: Callable[[], None]) -> str:
    walls, cpus = [], []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    wall_ms, cpu_ms = (1000 * statistics.median(times) for times in (walls, cpus))
    return f"| {database} | {operation} | {wall_ms:.0f} | {cpu_ms:.0f} |"


if __name__ == "__main__":
    main()
