"""Checks of `scanrill doctor`. Each check yields findings: what it found, and what to do.

An exception of a check becomes a finding as well, so checks let their exceptions out.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from backend_main.core.log_filters import redact

if TYPE_CHECKING:
    from backend_main.core.conf import Conf
    from backend_main.sandbox.measures import MeasureReport

Status = Literal["ok", "warn", "FAIL"]
MAX_CLOCK_SKEW_SECONDS = 2.0
PING_TIMEOUT_SECONDS = 2.0
# Descriptors for other things than sockets: database connections, incoming files, pipes to OCR processes.
RESERVED_DESCRIPTORS = 256
MIN_SOCKETS = 4_096
ENGINE_TIMEOUT_SECONDS = 60.0
SAMPLE_TEXT = "Doctor reads"


class Finding(msgspec.Struct, frozen=True):
    """One line of the output. `action` says how to fix the problem; it is empty if there is none."""

    check: str
    status: Status
    message: str
    action: str = ""


Check = Callable[["Conf"], Iterator[Finding]]


def run_check(name: str, check: Check, conf: Conf) -> list[Finding]:
    """Return the findings of a check. An exception becomes a failure with the first line of its message."""
    findings: list[Finding] = []
    try:
        findings += check(conf)
    except Exception as error:
        text = str(error).strip() or type(error).__name__
        findings.append(Finding(name, "FAIL", redact(text.splitlines()[0]), _ACTIONS[name]))
    return findings


# ── this machine ─────────────────────────────────────────────────────────────────────────────────


def data_directory(conf: Conf) -> Iterator[Finding]:
    """Check that this user can write the directory, and that other users cannot read it or the key."""
    with tempfile.NamedTemporaryFile(dir=conf.data_dir):
        yield Finding("data directory", "ok", f"{conf.data_dir} is writable")
    for path, private_mode in ((conf.data_dir, 0o700), (conf.data_dir / "secret.key", 0o600)):
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            message = f"{path} has mode {mode:o}: other users of this machine can read it"
            yield Finding("data directory", "FAIL", message, f"chmod {private_mode:o} {path}")


def settings(conf: Conf) -> Iterator[Finding]:
    """Check for settings that contradict each other, and for unknown settings."""
    from django.core import checks

    from backend_main.core.conf import unknown_variables

    problems = [problem for problem in checks.run_checks(tags=["scanrill"]) if problem.is_serious()]
    for problem in problems:
        yield Finding("settings", "FAIL", problem.msg, problem.hint or "")
    for name in unknown_variables(os.environ):
        yield Finding(
            "settings", "warn", f"unknown setting {name}", "`scanrill settings` lists all settings."
        )
    if not problems:
        yield Finding("settings", "ok", "no contradictions")


def file_limits(conf: Conf) -> Iterator[Finding]:
    """Check the limit of open files, which bounds the sockets of a process, and the free disk space."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_unlimited = limit == resource.RLIM_INFINITY
    sockets = max(0, limit - RESERVED_DESCRIPTORS)
    message = "no limit" if is_unlimited else f"{limit} open files: about {sockets} sockets per process"
    if is_unlimited or sockets >= MIN_SOCKETS:
        yield Finding("file limits", "ok", message)
    else:
        action = (
            f"Raise the limit (`ulimit -n`, LimitNOFILE=) to the expected sockets + {RESERVED_DESCRIPTORS}."
        )
        yield Finding("file limits", "warn" if sockets else "FAIL", message, action)
    free = shutil.disk_usage(conf.data_dir).free
    message = f"{free >> 20} MiB free on the disk of the data directory"
    if free > conf.min_free_bytes:
        yield Finding("file limits", "ok", message)
    else:
        action = "The server refuses uploads. Free disk space, or lower SCANRILL_MIN_FREE_BYTES."
        yield Finding("file limits", "FAIL", message, action)


# ── services that servers share ───────────────────────────────────────────────────────────────────────────


def database(conf: Conf) -> Iterator[Finding]:
    """Check that the database answers, and that SQLite can search."""
    from django.db import connection

    if not conf.database_url and not _has_full_text_search():
        action = "Use a Python whose SQLite has the module FTS5, or set SCANRILL_DATABASE_URL to PostgreSQL."
        yield Finding("database", "FAIL", "SQLite has no full-text search (FTS5)", action)
        return
    if not _has_database(conf):
        yield Finding("database", "ok", "SQLite, not created yet; the first start of the server creates it")
        return
    with connection.cursor() as cursor:
        query = "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version"
        cursor.execute(query)
        [version] = cursor.fetchone()
    yield Finding("database", "ok", f"{connection.display_name} {version} answers")


def migrations(conf: Conf) -> Iterator[Finding]:
    """Check that the database has the schema of this version."""
    from backend_main.core.db.migrations_state import migrations_state

    if not _has_database(conf):
        return
    state = migrations_state()
    if state.is_newer:
        message = "a newer version of scanrill wrote the database"
        yield Finding("migrations", "FAIL", message, "Install that version.")
    elif not state.is_current:
        message = f"{state.unapplied_count} not applied yet"
        yield Finding("migrations", "warn", message, "The next start of a server applies them.")
    else:
        yield Finding("migrations", "ok", "all applied")


def clock(conf: Conf) -> Iterator[Finding]:
    """Compare the clocks: leases use the database's clock, tokens use this machine's."""
    from django.db import connection

    if not _has_database(conf):
        return
    query = (
        "SELECT strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
        if connection.vendor == "sqlite"
        else "SELECT clock_timestamp()"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        [database_time] = cursor.fetchone()
    if isinstance(database_time, str):
        database_time = dt.datetime.fromisoformat(database_time)
    skew = abs((database_time - _now()).total_seconds())
    message = f"{skew:.1f} s between this machine and the database"
    if skew <= MAX_CLOCK_SKEW_SECONDS:
        yield Finding("clock", "ok", message)
    else:
        action = "Tokens are refused or live too long. Synchronize both clocks by NTP."
        yield Finding("clock", "FAIL", message, action)


def redis(conf: Conf) -> Iterator[Finding]:
    """Check that Redis answers and does not evict keys."""
    if not conf.redis_url:
        yield Finding("Redis", "ok", "not configured; not needed for a single server")
        return
    from redis import Redis

    from backend_main.core.pubsub.redis import TIMEOUT_SECONDS

    with Redis.from_url(
        conf.redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    ) as client:
        info = client.info()
    yield Finding("Redis", "ok", f"Redis {info['redis_version']} answers")
    if (policy := info.get("maxmemory_policy", "noeviction")) != "noeviction":
        message = f"maxmemory-policy is {policy}: Redis may evict queued calls to workers"
        yield Finding("Redis", "warn", message, "Set maxmemory-policy to noeviction.")


def broker(conf: Conf) -> Iterator[Finding]:
    """Check that the broker answers, and that a worker does."""
    if not conf.broker:
        return
    from backend_main.backend import celery

    workers = celery.ping_workers(PING_TIMEOUT_SECONDS)
    yield Finding("broker", "ok", "the broker answers")
    if workers:
        yield Finding("worker", "ok", f"{len(workers)} answered: {', '.join(sorted(workers))}")
    elif conf.runs_readers:
        yield Finding("worker", "ok", "no worker answered; the servers run readers")
    else:
        message = f"no worker answered within {PING_TIMEOUT_SECONDS:.0f} s: uploads wait"
        yield Finding("worker", "FAIL", message, "Start one with `scanrill worker`.")


def storage(conf: Conf) -> Iterator[Finding]:
    """Write, read and delete a file."""
    from backend_main.core import storage as files

    files.prepare()
    files.check()
    yield Finding("storage", "ok", "wrote, read and deleted a file")


# ── OCR ──────────────────────────────────────────────────────────────────────────────────────


def engine(conf: Conf) -> Iterator[Finding]:
    """Recognize a sample image in a child process, as the readers do."""
    from backend_main.reading import Options, PageDone
    from backend_main.reading.child_process.engine_process import EngineProcess

    host = EngineProcess(
        conf.engine,
        threads=1,
        start_seconds=ENGINE_TIMEOUT_SECONDS,
        required_measures=conf.required_sandbox,
    )
    with tempfile.TemporaryDirectory() as directory:
        image = Path(directory) / "line.png"
        _draw_sample(image)
        try:
            options = Options(engine=conf.engine, page_seconds=ENGINE_TIMEOUT_SECONDS)
            text = " ".join(e.text for e in host.read(image, options) if isinstance(e, PageDone))
        finally:
            host.stop()
    if SAMPLE_TEXT.casefold() in text.casefold():
        yield Finding("engine", "ok", f"{conf.engine} recognized the sample text")
    else:
        message = f"{conf.engine} read “{text}” instead of “{SAMPLE_TEXT}”"
        yield Finding("engine", "FAIL", message, _ACTIONS["engine"])


def sandbox(conf: Conf) -> Iterator[Finding]:
    """Report which measures confine the process that decodes files, and whether it can read the data."""
    from backend_main.reading.child_process.child_policy import policy_for
    from backend_main.reading.child_process.engine_process import EngineProcess
    from backend_main.sandbox.readable_paths import is_below

    policy = policy_for([conf.engine])
    if policy is None:
        message = f"the engine {conf.engine} runs without a sandbox: it does not support one"
        yield Finding("sandbox", "warn", message, "Hostile files can use all rights of the server.")
        return
    if is_below(conf.data_dir.resolve(), policy.readable):
        message = f"the OCR process can read {conf.data_dir}: it is inside a directory of libraries"
        yield Finding("sandbox", "FAIL", message, "Choose another directory with --data-dir.")
    with EngineProcess("", start_seconds=ENGINE_TIMEOUT_SECONDS) as process:
        process.start()
        measures = process.measures
    for measure in measures:
        yield _measure_finding(measure, is_required=measure.name in conf.required_sandbox)


def _measure_finding(measure: MeasureReport, *, is_required: bool) -> Finding:
    from backend_main.sandbox.measures import MEASURES

    if measure.is_in_force:
        return Finding("sandbox", "ok", f"{measure.name}: {MEASURES[measure.name]}")
    message = f"{measure.name} is not in force: {measure.reason}"
    if is_required:
        return Finding("sandbox", "FAIL", message, "No file is read: SCANRILL_REQUIRED_SANDBOX has it.")
    if measure.name == "user":  # most servers do not run as root, and need not
        return Finding("sandbox", "ok", message)
    action = "Hostile files can do more. The page “Security model” says what the measure needs."
    return Finding("sandbox", "warn", message, action)


def _draw_sample(path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

    page = Image.new("RGB", (600, 160), "white")
    ImageDraw.Draw(page).text((60, 50), SAMPLE_TEXT, fill="black", font=ImageFont.load_default(48))
    # The engine `dummy` reads this text instead of the pixels.
    script = PngImagePlugin.PngInfo()
    script.add_text("scanrill", msgspec.json.encode({"lines": [SAMPLE_TEXT]}).decode())
    page.save(path, pnginfo=script)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _has_database(conf: Conf) -> bool:
    """Return whether there is a database. A connection to SQLite would create the file."""
    return bool(conf.database_url) or conf.database_path.exists()


def _has_full_text_search() -> bool:
    """Return whether the SQLite of this Python has the module of the search index."""
    with closing(sqlite3.connect(":memory:")) as memory:
        try:
            memory.execute("CREATE VIRTUAL TABLE words USING fts5 (word)")
        except sqlite3.OperationalError:  # no such module
            return False
    return True


CHECKS: dict[str, Check] = {
    "data directory": data_directory,
    "settings": settings,
    "file limits": file_limits,
    "database": database,
    "migrations": migrations,
    "clock": clock,
    "Redis": redis,
    "broker": broker,
    "storage": storage,
    "sandbox": sandbox,
    "engine": engine,
}
_ACTIONS = {
    "data directory": "Make it writable for the user that runs scanrill, or choose another with --data-dir.",
    "settings": "Compare with `scanrill settings`.",
    "file limits": "Check `ulimit -n` and `df`.",
    "database": "The server cannot work without it. Check that it runs and is reachable from this machine.",
    "migrations": "Check that the database runs. The next start of a server applies migrations.",
    "clock": "Check that the database runs.",
    "Redis": "Clients receive events late. Check that Redis runs and is reachable from this machine.",
    "broker": "Reading starts seconds late. Check that the broker runs and is reachable from this machine.",
    "storage": "The server refuses uploads. Check that the storage is writable and has free space.",
    "engine": "Uploads wait. `scanrill engines` shows why an engine is unavailable.",
    "sandbox": "Uploads wait. The log of the server shows why the OCR process does not start.",
}
