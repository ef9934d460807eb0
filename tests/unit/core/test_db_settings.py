"""Database settings by URL, and errors for URLs that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backend_main.core.conf import Conf, describe
from backend_main.core.db import settings as db_settings
from backend_main.core.errors import CommandError
from backend_main.core.secret_keys import secret_key

CANARY = "pass-canary"


def postgresql_settings(url: str) -> dict[str, object]:
    return db_settings.django_database(Conf(database_url=url))


def error_message(url: str) -> str:
    with pytest.raises(CommandError) as raised:
        postgresql_settings(url)
    assert "\n" not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    return str(raised.value)


def test_django_database_without_url_is_sqlite_in_the_data_directory(tmp_path: Path) -> None:
    settings = db_settings.django_database(Conf(data_dir=tmp_path))
    assert settings["ENGINE"].endswith("sqlite3")
    assert settings["NAME"] == tmp_path / "scanrill.sqlite3"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_django_database_url_with_user_password_and_port(scheme: str) -> None:
    settings = postgresql_settings(f"{scheme}://me:p%40ss%2Fword@db.example:5433/scans")
    values = [settings[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert values == ["me", "p@ss/word", "db.example", "5433", "scans"]
    assert settings["ENGINE"] == "django.db.backends.postgresql"
    assert (settings["CONN_MAX_AGE"], settings["CONN_HEALTH_CHECKS"]) == (None, True)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://me@/scans?host=/var/run/postgresql", "/var/run/postgresql"),
        ("postgresql://me@/scans?host=%2Fvar%2Frun%2Fpostgresql", "/var/run/postgresql"),
        ("postgresql://me@%2Fvar%2Frun/scans", "/var/run"),
        ("postgresql://me@[::1]:5432/scans", "::1"),
        ("postgresql://me@one:5432,two:5433/scans", "one,two"),
    ],
)
def test_django_database_hosts_are_parsed_as_in_libpq(url: str, host: str) -> None:
    assert postgresql_settings(url)["HOST"] == host


def test_django_database_options_of_the_url_override_the_defaults() -> None:
    url = "postgresql://me@h/n?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3&options=-c%20lock_timeout%3D1s"
    options = postgresql_settings(url)["OPTIONS"]
    assert isinstance(options, dict)
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "/ca.pem")
    assert options["connect_timeout"] == "3"
    assert options["options"].startswith("-c lock_timeout=20s ")
    assert options["options"].endswith(" -c lock_timeout=1s")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{CANARY}@h/n",
        f"me:{CANARY}@h/n",
        f"postgresql://me:{CANARY}@h",
        f"postgresql://me:{CANARY}@h/n?color=red",
        f"postgresql://me:{CANARY}%zz@h/n",
        f"postgresql://me:{CANARY}@{CANARY}@h/n",
        f"postgresql://me:{CANARY}/{CANARY}@h/n",
        f"postgresql://me:{CANARY}?{CANARY}@h/n",
        f"postgresql://me:x@h:{CANARY}/n",
    ],
)
def test_django_database_wrong_url_is_rejected_and_not_repeated(url: str) -> None:
    message = error_message(url)
    assert message.startswith("SCANRILL_DATABASE_URL")
    assert CANARY not in message


def test_django_database_without_psycopg_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "make install EXTRAS=postgres" in error_message("postgresql://me@h/n")


def test_describe_shows_database_url_only_as_set() -> None:
    [row] = [
        row
        for row in describe(Conf(database_url=f"postgresql://me:{CANARY}@h/n"))
        if row.variable == "SCANRILL_DATABASE_URL"
    ]
    assert (row.value, row.default) == ("(set)", "")


def test_conf_embedded_only_without_database_url_and_redis_url() -> None:
    assert Conf().embedded
    assert not Conf(database_url="postgresql://me@h/n").embedded
    assert not Conf(redis_url="redis://h/0").embedded


@pytest.mark.parametrize("shared", [{"database_url": "postgresql://me@h/n"}, {"redis_url": "redis://h/0"}])
def test_s36_secret_key_is_required_for_shared_database_or_redis(
    shared: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="SCANRILL_SECRET_KEY"):
        secret_key(Conf(data_dir=tmp_path, **shared))
    assert list(tmp_path.iterdir()) == []
    assert secret_key(Conf(data_dir=tmp_path, secret_key="ours", **shared)) == "ours"
