"""What `scanrill doctor` looks at: each check says what it found, what that means, and what to do about it.

A check that raises has found something too, so one that cannot go on lets its exception out.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from backend_main.core.log_filters import redact

if TYPE_CHECKING:
    from backend_main.core.conf import Conf

Status = Literal["ok", "warn", "FAIL"]
MAX_CLOCK_SKEW_SECONDS = 2.0
PING_SECONDS = 2.0
# What a process needs beside its sockets: the database's connections, files on their way in, readers' pipes.
OTHER_DESCRIPTORS = 256
FEW_SOCKETS = 4_096
ENGINE_SECONDS = 60.0
SAMPLE_TEXT = "Doctor reads"


class Finding(msgspec.Struct, frozen=True):
    """One line. `action` is empty where all is well."""

    check: str
    status: Status
    message: str
    action: str = ""


Check = Callable[["Conf"], Iterator[Finding]]


def run_check(name: str, check: Check, conf: Conf) -> list[Finding]:
    """All that a check finds; what it raises is a failure with its own words."""
    found: list[Finding] = []
    try:
        found += check(conf)
    except Exception as error:
        said = str(error).strip() or type(error).__name__
        found.append(Finding(name, "FAIL", redact(said.splitlines()[0]), _ACTIONS[name]))
    return found


# ── this machine ─────────────────────────────────────────────────────────────────────────────────


def data_directory(conf: Conf) -> Iterator[Finding]:
    """Writable for this user and closed to others, as is the key that signs tokens."""
    with tempfile.NamedTemporaryFile(dir=conf.data_dir):
        yield Finding("data directory", "ok", f"{conf.data_dir} can be written")
    for path, wanted in ((conf.data_dir, 0o700), (conf.data_dir / "secret.key", 0o600)):
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            what = f"{path} has the mode {mode:o}: other users of this machine may read it"
            yield Finding("data directory", "FAIL", what, f"chmod {wanted:o} {path}")


def settings(conf: Conf) -> Iterator[Finding]:
    """Those that cannot work together, and those that are none."""
    from django.core import checks

    from backend_main.core.conf import unknown_variables

    wrong = [problem for problem in checks.run_checks(tags=["scanrill"]) if problem.is_serious()]
    for problem in wrong:
        yield Finding("settings", "FAIL", problem.msg, problem.hint or "")
    for name in unknown_variables(os.environ):
        yield Finding(
            "settings", "warn", f"{name} is no setting", "`scanrill settings` lists those there are."
        )
    if not wrong:
        yield Finding("settings", "ok", "they go together")


def file_limits(conf: Conf) -> Iterator[Finding]:
    """Open files bound the sockets of a process; the disk bounds what is taken in."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = limit == resource.RLIM_INFINITY
    sockets = max(0, limit - OTHER_DESCRIPTORS)
    says = "no limit" if endless else f"{limit} open files: about {sockets} sockets in a process"
    do = f"Raise it (`ulimit -n`, LimitNOFILE=) to the sockets you expect and {OTHER_DESCRIPTORS} more."
    if endless or sockets >= FEW_SOCKETS:
        yield Finding("file limits", "ok", says)
    else:
        yield Finding("file limits", "warn" if sockets else "FAIL", says, do)
    free = shutil.disk_usage(conf.data_dir).free
    says = f"{free >> 20} MiB are free on the disk of the data directory"
    if free > conf.min_free_bytes:
        yield Finding("file limits", "ok", says)
    else:
        do = "Free some, or lower SCANRILL_MIN_FREE_BYTES: uploads are refused."
        yield Finding("file limits", "FAIL", says, do)


# ── what servers share ───────────────────────────────────────────────────────────────────────────


def database(conf: Conf) -> Iterator[Finding]:
    from django.db import connection

    if not _has_database(conf):
        yield Finding("database", "ok", "SQLite; there is none yet, the first start makes it")
        return
    with connection.cursor() as cursor:
        query = "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version"
        cursor.execute(query)
        [version] = cursor.fetchone()
    yield Finding("database", "ok", f"{connection.display_name} {version} answers")


def migrations(conf: Conf) -> Iterator[Finding]:
    from backend_main.core.db.migrations_state import migrations_state

    if not _has_database(conf):
        return
    state = migrations_state()
    if state.is_newer:
        says = "a newer version of scanrill wrote the database"
        yield Finding("migrations", "FAIL", says, "Install that version.")
    elif not state.is_current:
        says = f"{state.unapplied_count} are not applied yet"
        yield Finding("migrations", "warn", says, "The next start of a server applies them.")
    else:
        yield Finding("migrations", "ok", "all are applied")


def clock(conf: Conf) -> Iterator[Finding]:
    """Leases are on the database's time and tokens on this machine's."""
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
        [there] = cursor.fetchone()
    if isinstance(there, str):
        there = dt.datetime.fromisoformat(there)
    apart = abs((there - _now()).total_seconds())
    says = f"this machine's and the database's are {apart:.1f} s apart"
    if apart <= MAX_CLOCK_SKEW_SECONDS:
        yield Finding("clock", "ok", says)
    else:
        yield Finding("clock", "FAIL", says, "Have NTP set both: tokens are refused, or live too long.")


def redis(conf: Conf) -> Iterator[Finding]:
    if not conf.redis_url:
        yield Finding("Redis", "ok", "none is set: this is the one server")
        return
    from redis import Redis

    from backend_main.core.pubsub.redis import TIMEOUT_SECONDS

    with Redis.from_url(
        conf.redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    ) as client:
        about = client.info()
    yield Finding("Redis", "ok", f"Redis {about['redis_version']} answers")
    if (policy := about.get("maxmemory_policy", "noeviction")) != "noeviction":
        says = f"its maxmemory-policy is {policy}: it may forget calls to read"
        yield Finding("Redis", "warn", says, "Set maxmemory-policy noeviction.")


def broker(conf: Conf) -> Iterator[Finding]:
    """And who takes calls from it: a worker that answers."""
    if not conf.broker:
        return
    from backend_main.backend import celery

    workers = celery.ping_workers(PING_SECONDS)
    yield Finding("broker", "ok", "it answers")
    if workers:
        yield Finding("worker", "ok", f"{len(workers)} answer: {', '.join(sorted(workers))}")
    elif conf.runs_readers:
        yield Finding("worker", "ok", "none answers; servers read themselves")
    else:
        says = f"none answers within {PING_SECONDS:.0f} s: uploads wait"
        yield Finding("worker", "FAIL", says, "Start one: `scanrill worker`.")


def storage(conf: Conf) -> Iterator[Finding]:
    """A file is written, read and deleted again."""
    from backend_main.core import storage as files

    files.prepare()
    files.check()
    yield Finding("storage", "ok", "a file was written, read and deleted")


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def engine(conf: Conf) -> Iterator[Finding]:
    """Reads a drawn line, in a child process as always."""
    from backend_main.reading import Options, PageDone
    from backend_main.reading.child_process.engine_process import EngineProcess

    host = EngineProcess(conf.engine, threads=1, start_seconds=ENGINE_SECONDS)
    with tempfile.TemporaryDirectory() as directory:
        picture = Path(directory) / "line.png"
        _draw(picture)
        try:
            options = Options(engine=conf.engine, page_seconds=ENGINE_SECONDS)
            text = " ".join(e.text for e in host.read(picture, options) if isinstance(e, PageDone))
        finally:
            host.stop()
    if SAMPLE_TEXT.casefold() in text.casefold():
        yield Finding("engine", "ok", f"{conf.engine} reads")
    else:
        says = f"{conf.engine} read “{text}” where “{SAMPLE_TEXT}” stands"
        yield Finding("engine", "FAIL", says, _ACTIONS["engine"])


def _draw(path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

    page = Image.new("RGB", (600, 160), "white")
    ImageDraw.Draw(page).text((60, 50), SAMPLE_TEXT, fill="black", font=ImageFont.load_default(48))
    script = PngImagePlugin.PngInfo()
    script.add_text(
        "scanrill", msgspec.json.encode({"lines": [SAMPLE_TEXT]}).decode()
    )  # for the engine of tests
    page.save(path, pnginfo=script)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _has_database(conf: Conf) -> bool:
    """To look for a database of SQLite would make one."""
    return bool(conf.database_url) or conf.database_path.exists()


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
    "engine": engine,
}
_ACTIONS = {
    "data directory": "Give it to the user that runs scanrill, or choose another with --data-dir.",
    "settings": "`scanrill settings` shows those in force.",
    "file limits": "Look at `ulimit -n` and `df`.",
    "database": "See that it runs and may be reached from here; nothing works without it.",
    "migrations": "See that the database runs; a start of a server applies them.",
    "clock": "See that the database runs.",
    "Redis": "See that it runs and may be reached from here; uploads are taken, and told of late.",
    "broker": "See that it runs and may be reached from here; uploads are taken, and read seconds later.",
    "storage": "See that it may be written from here, and is not full; uploads are refused.",
    "engine": "`scanrill engines` says what an engine lacks; uploads wait.",
}
