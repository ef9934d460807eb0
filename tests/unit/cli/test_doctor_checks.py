"""Checks of `scanrill doctor`: each fails if its condition is broken, and passes otherwise."""

from __future__ import annotations

import datetime as dt
import os
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from backend_main.cli import doctor_checks
from backend_main.core.conf import Conf, unknown_variables
from backend_main.core.conf import conf as configured
from backend_main.core.errors import CommandError
from backend_main.reading import EngineProcess
from backend_main.sandbox.measures import MEASURES, MeasureReport
from tests.support.page_images import scripted_png
from tests.support.redis import Redis

MANY, FEW = 1 << 20, 1_024


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """Return settings with a new data directory and an empty database file."""
    settings = msgspec.structs.replace(configured, data_dir=tmp_path / "data", engine="dummy")
    settings.data_dir.mkdir(mode=0o700)
    settings.database_path.touch()
    return settings


def run_check(name: str, conf: Conf) -> list[doctor_checks.Finding]:
    return doctor_checks.run_check(name, doctor_checks.CHECKS[name], conf)


def run_single_check(name: str, conf: Conf) -> doctor_checks.Finding:
    """Return the only finding of a check; assert that a problem has an action."""
    [finding] = run_check(name, conf)
    assert finding.check == name
    assert bool(finding.action) == (finding.status != "ok")
    return finding


def passes(name: str, conf: Conf) -> bool:
    return {finding.status for finding in run_check(name, conf)} == {"ok"}


def set_file_limit(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (files, MANY))


def remove_unknown_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove unknown variables from the environment; the tests themselves set some."""
    for name in unknown_variables(os.environ):
        monkeypatch.delenv(name)


# ── this machine ──


def test_data_directory_that_is_not_writable_fails(conf: Conf) -> None:
    assert passes("data directory", conf)
    gone = msgspec.structs.replace(conf, data_dir=conf.data_dir / "gone")
    assert run_single_check("data directory", gone).status == "FAIL"


@pytest.mark.parametrize(("name", "mode"), [(".", 0o750), ("secret.key", 0o644)])
def test_data_directory_readable_by_others_fails_with_a_chmod_command(
    name: str, mode: int, conf: Conf
) -> None:
    path = conf.data_dir / name
    (conf.data_dir / "secret.key").touch(mode=0o600)
    assert passes("data directory", conf)
    path.chmod(mode)
    [_, finding] = run_check("data directory", conf)
    assert (finding.status, finding.action) == ("FAIL", f"chmod {0o700 if name == '.' else 0o600:o} {path}")


def test_settings_that_contradict_fail_and_unknown_ones_are_warnings(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend_main.core import checks as ours

    remove_unknown_settings(monkeypatch)
    assert passes("settings", conf)
    monkeypatch.setenv("SCANRILL_ENGIN", "rapid")
    assert [f.status for f in run_check("settings", conf)] == ["warn", "ok"]
    monkeypatch.setattr(ours, "conf", msgspec.structs.replace(conf, allowed_origins=["example.org"]))
    first, *others = run_check("settings", conf)
    assert first.status == "FAIL"
    assert "SCANRILL_ALLOWED_ORIGINS" in first.message
    assert [f.status for f in others] == ["warn"], "it does not report success as well"


def test_settings_with_only_a_warning_pass(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    remove_unknown_settings(monkeypatch)
    monkeypatch.setattr(checks, "run_checks", lambda **_tags: [checks.Warning("a warning")])
    assert passes("settings", conf)


def test_file_limits_low_is_a_warning_and_very_low_a_failure(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for files, status in ((MANY, "ok"), (FEW, "warn"), (128, "FAIL")):
        set_file_limit(monkeypatch, files)
        finding = run_check("file limits", conf)[0]
        assert finding.status == status, files
        assert str(files) in finding.message


def test_file_limits_unlimited_passes(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    set_file_limit(monkeypatch, resource.RLIM_INFINITY)
    first = run_check("file limits", conf)[0]
    assert (first.status, first.message) == ("ok", "no limit")


def test_file_limits_with_too_little_free_disk_space_fail(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_file_limit(monkeypatch, MANY)
    assert passes("file limits", conf)
    greedy = msgspec.structs.replace(conf, min_free_bytes=1 << 60)
    assert [f.status for f in run_check("file limits", greedy)] == ["ok", "FAIL"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("no route to /?token=opaque"), "no route to /?token=[redacted]"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("  \n"), "ValueError"),
    ],
)
def test_run_check_reports_an_exception_in_one_line_without_secrets(
    error: Exception, message: str, conf: Conf
) -> None:
    def fail(_conf: Conf) -> Iterator[doctor_checks.Finding]:
        yield doctor_checks.Finding("storage", "ok", "so far")
        raise error

    so_far, failed = doctor_checks.run_check("storage", fail, conf)
    assert (so_far.status, failed.status, failed.message) == ("ok", "FAIL", message)


# ── services that servers share ──


@pytest.fixture
def unavailable_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the database refuse connections."""

    def refuse() -> None:
        raise DatabaseError("connection refused\nsecret detail")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.fixture
def newer_migration(db: None) -> Iterator[None]:
    """Record a migration of a later version, and remove the record afterwards."""
    recorder = MigrationRecorder(connection)
    recorder.record_applied("core", "9999_later")
    yield
    recorder.record_unapplied("core", "9999_later")


def test_database_that_answers_is_reported_with_its_version(conf: Conf, db: None) -> None:
    finding = run_single_check("database", conf)
    assert finding.status == "ok"
    assert "SQLite 3." in finding.message


def test_database_without_full_text_search_fails_before_the_first_start(
    conf: Conf, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf.database_path.unlink()
    memory = Mock(spec=sqlite3.Connection)
    memory.execute.side_effect = sqlite3.OperationalError("no such module: fts5")
    monkeypatch.setattr(sqlite3, "connect", lambda _path: memory)
    finding = run_single_check("database", conf)
    assert (finding.status, finding.message) == ("FAIL", "SQLite has no full-text search (FTS5)")
    assert passes("database", msgspec.structs.replace(conf, database_url="postgresql://me@host/scans"))


@pytest.mark.parametrize("name", ["database", "clock"])
def test_database_that_does_not_answer_fails_with_one_line(
    name: str, conf: Conf, unavailable_database: None
) -> None:
    finding = run_single_check(name, conf)
    assert (finding.status, finding.message) == ("FAIL", "connection refused")


def test_database_checks_do_not_create_a_missing_database(conf: Conf) -> None:
    conf.database_path.unlink()
    assert "first start" in run_single_check("database", conf).message
    assert run_check("migrations", conf) == run_check("clock", conf) == []
    assert not conf.database_path.exists()


def test_migrations_missing_is_a_warning(conf: Conf, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert passes("migrations", conf)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_args: ["one", "two"])
    finding = run_single_check("migrations", conf)
    assert (finding.status, finding.message) == ("warn", "2 not applied yet")


def test_migrations_of_a_newer_version_fail(conf: Conf, newer_migration: None) -> None:
    finding = run_single_check("migrations", conf)
    assert finding.status == "FAIL"
    assert "newer" in finding.message


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (1, "ok"), (-3, "FAIL"), (3600, "FAIL")])
def test_clock_skew_above_two_seconds_fails(
    seconds: int, status: str, conf: Conf, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifted_now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    monkeypatch.setattr(doctor_checks, "_now", lambda: shifted_now)
    assert run_single_check("clock", conf).status == status


def test_redis_that_evicts_is_a_warning_and_a_stopped_one_fails(conf: Conf, redis_server: Redis) -> None:
    assert "not configured" in run_single_check("Redis", conf).message
    with_redis = msgspec.structs.replace(conf, redis_url=redis_server.url.replace("://", "://:pass-word@"))
    assert passes("Redis", with_redis)
    redis_server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert [f.status for f in run_check("Redis", with_redis)] == ["ok", "warn"]
    redis_server.stop()
    finding = run_single_check("Redis", with_redis)
    assert finding.status == "FAIL"
    assert "pass-word" not in finding.message


def test_redis_that_accepts_but_does_not_answer_fails(conf: Conf, redis_server: Redis) -> None:
    with_redis = msgspec.structs.replace(conf, redis_url=redis_server.url)
    redis_server.freeze()
    finding = run_single_check("Redis", with_redis)
    assert finding.status == "FAIL"
    assert "imeout" in finding.message


def test_database_checks_of_postgresql_need_no_local_file(conf: Conf, db: None) -> None:
    conf.database_path.unlink()
    postgresql = msgspec.structs.replace(conf, database_url="postgresql://me@host/scans")
    for name in ("database", "migrations", "clock"):
        assert passes(name, postgresql)
        assert run_check(name, postgresql)


def test_storage_that_is_unavailable_fails(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend_main.core import storage

    assert passes("storage", conf)

    def refuse() -> None:
        raise CommandError("SCANRILL_STORAGE_URL: the bucket scans cannot be used: it is not there.")

    monkeypatch.setattr(storage, "check", refuse)
    finding = run_single_check("storage", conf)
    assert finding.status == "FAIL"
    assert "bucket scans" in finding.message


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of workers that answer a ping; tests may append to it."""
    from backend_main.backend import celery

    names: list[str] = []
    monkeypatch.setattr(celery, "ping_workers", lambda _seconds: names)
    return names


def test_broker_without_workers_fails_unless_servers_run_readers(conf: Conf, workers: list[str]) -> None:
    assert run_check("broker", conf) == []
    shared = msgspec.structs.replace(conf, redis_url="redis://127.0.0.1:1")
    answers, worker = run_check("broker", shared)
    assert (answers.status, worker.status) == ("ok", "FAIL")
    assert "scanrill worker" in worker.action
    assert passes("broker", msgspec.structs.replace(shared, with_reader=True))
    workers.append("celery@host")
    assert passes("broker", shared)


def test_broker_that_does_not_answer_fails(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend_main.backend import celery

    def refuse(_seconds: float) -> list[str]:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(celery, "ping_workers", refuse)
    assert run_single_check("broker", msgspec.structs.replace(conf, redis_url="redis://x")).status == "FAIL"


# ── OCR ──


def test_engine_that_misreads_the_sample_fails_with_its_text(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert passes("engine", conf)
    unknown = msgspec.structs.replace(conf, engine="magic")
    assert "magic" in run_single_check("engine", unknown).message

    def draw(path: Path) -> None:
        path.write_bytes(scripted_png(lines=["Poctor heads"]))

    monkeypatch.setattr(doctor_checks, "_draw_sample", draw)
    finding = run_single_check("engine", conf)
    assert finding.status == "FAIL"
    assert "Poctor heads" in finding.message


def test_engine_that_reads_the_sample_in_capitals_passes(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(path: Path) -> None:
        path.write_bytes(scripted_png(lines=["DOCTOR READS"]))

    monkeypatch.setattr(doctor_checks, "_draw_sample", draw)
    assert passes("engine", conf)


def test_sandbox_of_an_engine_that_is_not_confined_warns(conf: Conf) -> None:
    finding = run_single_check("sandbox", conf)
    assert (finding.status, "dummy" in finding.message) == ("warn", True)


def test_sandbox_reports_each_measure_and_fails_for_a_required_one(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = [MeasureReport(name, name not in ("landlock", "seccomp", "user"), "old") for name in MEASURES]
    monkeypatch.setattr(EngineProcess, "start", lambda self: setattr(self, "measures", measures))
    settings = msgspec.structs.replace(conf, engine="rapid", required_sandbox=["seccomp"])
    found = {finding.message.split(maxsplit=1)[0]: finding for finding in run_check("sandbox", settings)}
    assert {name.rstrip(":"): finding.status for name, finding in found.items()} == {
        **dict.fromkeys(MEASURES, "ok"),
        "landlock": "warn",
        "seccomp": "FAIL",
    }
    assert "SCANRILL_REQUIRED_SANDBOX" in found["seccomp"].action


def test_sandbox_with_a_data_directory_among_libraries_fails(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EngineProcess, "start", lambda self: setattr(self, "measures", []))
    finding = run_single_check(
        "sandbox", msgspec.structs.replace(conf, engine="rapid", data_dir=Path("/usr/lib"))
    )
    assert finding.status == "FAIL"
    assert "/usr/lib" in finding.message


def test_every_check_has_an_action() -> None:
    assert doctor_checks._ACTIONS.keys() == doctor_checks.CHECKS.keys()
