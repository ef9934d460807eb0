"""What `scanrill doctor` finds: each line failing on purpose, and none where all is well."""

from __future__ import annotations

import datetime as dt
import os
import resource
from collections.abc import Iterator
from pathlib import Path

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
from tests.support.page_images import scripted_png
from tests.support.redis import Redis

MANY, FEW = 1 << 20, 1_024


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """With a data directory of its own, and what there is of a database in it."""
    settings = msgspec.structs.replace(configured, data_dir=tmp_path / "data", engine="dummy")
    settings.data_dir.mkdir(mode=0o700)
    settings.database_path.touch()
    return settings


def found(name: str, conf: Conf) -> list[doctor_checks.Finding]:
    return doctor_checks.run_check(name, doctor_checks.CHECKS[name], conf)


def one(name: str, conf: Conf) -> doctor_checks.Finding:
    """The one thing that is found; if it is bad, there is something to do about it."""
    [finding] = found(name, conf)
    assert finding.check == name
    assert bool(finding.action) == (finding.status != "ok")
    return finding


def well(name: str, conf: Conf) -> bool:
    return {finding.status for finding in found(name, conf)} == {"ok"}


def limit(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (files, MANY))


def forget_strange_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the tests themselves, too."""
    for name in unknown_variables(os.environ):
        monkeypatch.delenv(name)


# ── this machine ──


def test_a_data_directory_that_cannot_be_written_fails(conf: Conf) -> None:
    assert well("data directory", conf)
    gone = msgspec.structs.replace(conf, data_dir=conf.data_dir / "gone")
    assert one("data directory", gone).status == "FAIL"


@pytest.mark.parametrize(("name", "mode"), [(".", 0o750), ("secret.key", 0o644)])
def test_what_others_may_read_fails_with_the_command_that_closes_it(name: str, mode: int, conf: Conf) -> None:
    path = conf.data_dir / name
    (conf.data_dir / "secret.key").touch(mode=0o600)
    assert well("data directory", conf)
    path.chmod(mode)
    [_, finding] = found("data directory", conf)
    assert (finding.status, finding.action) == ("FAIL", f"chmod {0o700 if name == '.' else 0o600:o} {path}")


def test_settings_that_do_not_go_together_fail_and_misspelt_ones_are_told(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend_main.core import checks as ours

    forget_strange_settings(monkeypatch)
    assert well("settings", conf)
    monkeypatch.setenv("SCANRILL_ENGIN", "rapid")
    assert [f.status for f in found("settings", conf)] == ["warn", "ok"]
    monkeypatch.setattr(ours, "conf", msgspec.structs.replace(conf, allowed_origins=["example.org"]))
    first, *others = found("settings", conf)
    assert first.status == "FAIL"
    assert "SCANRILL_ALLOWED_ORIGINS" in first.message
    assert [f.status for f in others] == ["warn"], "and not that they go together"


def test_settings_of_which_there_is_only_a_warning_go_together(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_strange_settings(monkeypatch)
    monkeypatch.setattr(checks, "run_checks", lambda **_tags: [checks.Warning("a thought")])
    assert well("settings", conf)


def test_few_open_files_are_a_warning_and_next_to_none_a_failure(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for files, status in ((MANY, "ok"), (FEW, "warn"), (128, "FAIL")):
        limit(monkeypatch, files)
        finding = found("file limits", conf)[0]
        assert finding.status == status, files
        assert str(files) in finding.message


def test_no_limit_on_open_files_is_fine_and_is_called_so(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, resource.RLIM_INFINITY)
    first = found("file limits", conf)[0]
    assert (first.status, first.message) == ("ok", "no limit")


def test_a_disk_with_less_free_than_is_to_stay_free_fails(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, MANY)
    assert well("file limits", conf)
    greedy = msgspec.structs.replace(conf, min_free_bytes=1 << 60)
    assert [f.status for f in found("file limits", greedy)] == ["ok", "FAIL"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError("no route to /?token=opaque"), "no route to /?token=[redacted]"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("  \n"), "ValueError"),
    ],
)
def test_what_a_check_raises_is_told_in_a_line_without_secrets(
    error: Exception, says: str, conf: Conf
) -> None:
    def fail(_conf: Conf) -> Iterator[doctor_checks.Finding]:
        yield doctor_checks.Finding("storage", "ok", "so far")
        raise error

    so_far, failed = doctor_checks.run_check("storage", fail, conf)
    assert (so_far.status, failed.status, failed.message) == ("ok", "FAIL", says)


# ── what servers share ──


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database does not answer."""

    def refuse() -> None:
        raise DatabaseError("connection refused\nsecret detail")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.fixture
def before_all(db: None) -> Iterator[None]:
    """Tells of a migration that is not there, and takes it back."""
    recorder = MigrationRecorder(connection)
    recorder.record_applied("core", "9999_later")
    yield
    recorder.record_unapplied("core", "9999_later")


def test_a_database_that_answers_is_told_with_its_version(conf: Conf, db: None) -> None:
    finding = one("database", conf)
    assert finding.status == "ok"
    assert "SQLite 3." in finding.message


@pytest.mark.parametrize("name", ["database", "clock"])
def test_a_database_that_does_not_answer_fails_in_one_line(name: str, conf: Conf, silent: None) -> None:
    finding = one(name, conf)
    assert (finding.status, finding.message) == ("FAIL", "connection refused")


def test_a_database_that_is_none_yet_is_not_made_by_looking(conf: Conf) -> None:
    conf.database_path.unlink()
    assert "first start" in one("database", conf).message
    assert found("migrations", conf) == found("clock", conf) == []
    assert not conf.database_path.exists()


def test_missing_migrations_are_a_warning(conf: Conf, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert well("migrations", conf)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_args: ["one", "two"])
    finding = one("migrations", conf)
    assert (finding.status, finding.message) == ("warn", "2 are not applied yet")


def test_a_database_of_a_newer_version_fails(conf: Conf, before_all: None) -> None:
    finding = one("migrations", conf)
    assert finding.status == "FAIL"
    assert "newer" in finding.message


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (1, "ok"), (-3, "FAIL"), (3600, "FAIL")])
def test_clocks_may_be_two_seconds_apart(
    seconds: int, status: str, conf: Conf, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    monkeypatch.setattr(doctor_checks, "_now", lambda: moved)
    assert one("clock", conf).status == status


def test_redis_is_asked_where_there_is_one(conf: Conf, redis_server: Redis) -> None:
    assert "none is set" in one("Redis", conf).message
    there = msgspec.structs.replace(conf, redis_url=redis_server.url.replace("://", "://:pass-word@"))
    assert well("Redis", there)
    redis_server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert [f.status for f in found("Redis", there)] == ["ok", "warn"]
    redis_server.stop()
    away = one("Redis", there)
    assert away.status == "FAIL"
    assert "pass-word" not in away.message


def test_a_redis_that_takes_connections_and_says_nothing_fails_soon(conf: Conf, redis_server: Redis) -> None:
    there = msgspec.structs.replace(conf, redis_url=redis_server.url)
    redis_server.freeze()
    finding = one("Redis", there)
    assert finding.status == "FAIL"
    assert "imeout" in finding.message


def test_a_database_elsewhere_is_looked_at_without_a_file_here(conf: Conf, db: None) -> None:
    conf.database_path.unlink()
    elsewhere = msgspec.structs.replace(conf, database_url="postgresql://me@there/scans")
    for name in ("database", "migrations", "clock"):
        assert well(name, elsewhere)
        assert found(name, elsewhere)


def test_a_place_that_stores_nothing_fails(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend_main.core import storage

    assert well("storage", conf)

    def refuse() -> None:
        raise CommandError("SCANRILL_STORAGE_URL: the bucket scans cannot be used: it is not there.")

    monkeypatch.setattr(storage, "check", refuse)
    finding = one("storage", conf)
    assert finding.status == "FAIL"
    assert "bucket scans" in finding.message


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those that answer to a ping."""
    from backend_main.backend import celery

    names: list[str] = []
    monkeypatch.setattr(celery, "ping_workers", lambda _seconds: names)
    return names


def test_a_broker_without_a_worker_fails_unless_servers_read_themselves(
    conf: Conf, workers: list[str]
) -> None:
    assert found("broker", conf) == []
    shared = msgspec.structs.replace(conf, redis_url="redis://127.0.0.1:1")
    answers, worker = found("broker", shared)
    assert (answers.status, worker.status) == ("ok", "FAIL")
    assert "scanrill worker" in worker.action
    assert well("broker", msgspec.structs.replace(shared, with_reader=True))
    workers.append("celery@there")
    assert well("broker", shared)


def test_a_broker_that_does_not_answer_fails(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend_main.backend import celery

    def refuse(_seconds: float) -> list[str]:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(celery, "ping_workers", refuse)
    assert one("broker", msgspec.structs.replace(conf, redis_url="redis://x")).status == "FAIL"


# ── reading ──


def test_an_engine_reads_a_line_or_fails_with_what_it_read(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert well("engine", conf)
    unknown = msgspec.structs.replace(conf, engine="magic")
    assert "magic" in one("engine", unknown).message

    def draw(path: Path) -> None:
        path.write_bytes(scripted_png(lines=["Poctor heads"]))

    monkeypatch.setattr(doctor_checks, "_draw_sample", draw)
    finding = one("engine", conf)
    assert finding.status == "FAIL"
    assert "Poctor heads" in finding.message


def test_an_engine_that_reads_in_capitals_reads(conf: Conf, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(path: Path) -> None:
        path.write_bytes(scripted_png(lines=["DOCTOR READS"]))

    monkeypatch.setattr(doctor_checks, "_draw_sample", draw)
    assert well("engine", conf)


def test_every_check_has_its_advice() -> None:
    assert doctor_checks._ACTIONS.keys() == doctor_checks.CHECKS.keys()
