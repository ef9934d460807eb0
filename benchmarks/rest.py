"""Benchmark of the REST API with a thousand and with a million uploads of one user, embedded.

The uploads are written into the database of a server, which then serves a client with an API key, one request
after the other. Times are those of the client, and CPU times those of the server process. `POST /api/read`
sends a new image each time, which the test engine `dummy` reads. Searches of
texts are in `benchmarks.search`.

    .venv/bin/python -m benchmarks.rest --write
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from benchmarks.readme_tables import write
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server

UPLOADS, REQUESTS, READS = (1_000, 1_000_000), 400, 60
BATCH = 50_000
TIMEOUT_SECONDS = 120.0
# A month of seconds: the uploads are a second apart, so a filter by time finds some of them.
SPAN_SECONDS = 30 * 24 * 3600


class Measured:
    """Client of a server with one user and an API key."""

    def __init__(self, server: Server) -> None:
        self.account = Account.create(server)
        self._process = psutil.Process(server.process.pid)
        self.http = httpx.Client(base_url=server.http, headers=self.account.headers, timeout=TIMEOUT_SECONDS)
        key = self.http.post("/api/keys", json={"name": "benchmark"}).raise_for_status().json()["key"]
        self.http.headers = httpx.Headers({"X-API-Key": key})

    def row(self, name: str, send: Callable[[], httpx.Response], requests: int = REQUESTS) -> str:
        """Send requests, and return a row with p50, p99 and the CPU time of each, in milliseconds."""
        for _ in range(10):
            send().raise_for_status()
        times = []
        cpu = self._cpu()
        for _ in range(requests):
            began = time.perf_counter()
            send().raise_for_status()
            times.append(1000 * (time.perf_counter() - began))
        cpu = 1000 * (self._cpu() - cpu) / requests
        cuts = statistics.quantiles(times, n=100)
        return f"{name} | {cuts[49]:.1f} | {cuts[98]:.1f} | {cpu:.2f} |"

    def _cpu(self) -> float:
        return sum(self._process.cpu_times()[:2])


def insert_uploads(database: Path, account: Account, count: int) -> uuid.UUID:
    """Insert processed uploads of a user by copying one; return the id of one in the middle."""
    with sqlite3.connect(database, timeout=60) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM core_upload WHERE owner_id = ?", (account.id.hex,))
        row = dict(found.fetchone())
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        statement = f"INSERT INTO core_upload ({names}) VALUES ({values})"
        middle = uuid.uuid4()
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            connection.executemany(statement, (_copy(row, number, count, middle) for number in numbers))
        # Otherwise maintenance would index the names meanwhile.
        connection.execute(
            "INSERT INTO core_searchentry (owner_id, upload_id, scope, words)"
            " SELECT owner_id, id, substr(owner_id, 1, 8) || 'n', ' scan' FROM core_upload"
            " WHERE id NOT IN (SELECT upload_id FROM core_searchentry WHERE page_id IS NULL)"
        )
    connection.close()
    return middle


def _copy(row: dict[str, object], number: int, count: int, middle: uuid.UUID) -> dict[str, object]:
    key = middle if number == count // 2 else uuid.uuid4()
    created = time.gmtime(time.time() - SPAN_SECONDS * number / count - 60)
    at = time.strftime("%Y-%m-%d %H:%M:%S", created) + f".{number % 1_000_000:06d}"
    names = {"filename": f"scan {number:07d}.png", "image_hash": key.hex * 2, "image_path": f"{key}/a.png"}
    return {**row, **names, "id": key.hex, "created_at": at, "updated_at": at}


def measure(count: int) -> list[str]:
    """Return rows of the table for a number of uploads."""
    with tempfile.TemporaryDirectory(prefix="scanrill-bench-") as directory:
        server = Server(Path(directory) / "data").start()
        try:
            client = Measured(server)
            http = client.http
            http.post("/api/read", content=scripted_png(lines=["one"])).raise_for_status()
            middle = insert_uploads(server.data_dir / "scanrill.sqlite3", client.account, count)
            rows = [
                client.row("`GET /healthz`", lambda: http.get("/healthz")),
                client.row("`GET /api/me/` with a key", lambda: http.get("/api/me/")),
                client.row("list, 50 uploads", lambda: http.get("/api/uploads")),
                client.row("list, 50 by name", lambda: http.get("/api/uploads?sort=filename")),
                client.row("list, 50 of a status", lambda: http.get("/api/uploads?status=processed")),
                client.row(
                    "search for a name", lambda: http.get(f"/api/search?q=name:scan {uuid.uuid4().hex[:4]}")
                ),
                client.row("retrieve", lambda: http.get(f"/api/uploads/{middle}")),
                client.row("read an image", lambda: _read(http), READS),
            ]
        finally:
            server.stop()
    return [f"| {count:,} | {row}" for row in rows]


def _read(http: httpx.Client) -> httpx.Response:
    return http.post("/api/read", content=scripted_png(lines=["one", "two"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/README.md")
    parser.add_argument("--uploads", type=int, nargs="*", default=UPLOADS)
    arguments = parser.parse_args()
    lines = ["| uploads | request | p50, ms | p99, ms | CPU, ms |", "|---:|---|---:|---:|---:|"]
    for count in arguments.uploads:
        for row in measure(count):
            print(row, file=sys.stderr)
            lines.append(row)
    table = "\n".join(lines)
    if arguments.write:
        load = f"load average {os.getloadavg()[0]:.1f} after"
        write("rest", f"`.venv/bin/python -m benchmarks.rest --write`, {load}.\n\n{table}")
    else:
        print(table)


if __name__ == "__main__":
    main()
