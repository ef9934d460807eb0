"""Settings: defaults, help, parsing, description and the secret key."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from backend_main.core import secret_keys
from backend_main.core.conf import Conf, describe, load, unknown_variables
from backend_main.core.errors import CommandError
from backend_main.core.secret_keys import secret_key

FIELDS = Conf.__struct_fields__


def test_describe_every_setting_has_a_default_and_help() -> None:
    Conf()  # raises if a setting has no default
    for row in describe(Conf()):
        assert row.variable.startswith("SCANRILL_")
        assert row.help.endswith("."), row.variable
        assert len(row.help) > 15, row.variable


def test_describe_lists_every_setting_once() -> None:
    assert [row.variable for row in describe(Conf())] == [f"SCANRILL_{name.upper()}" for name in FIELDS]


def test_describe_shows_a_secret_only_as_set() -> None:
    canary = "do-not-show-me"
    secrets = [name for name in FIELDS if "secret" in name or "signing" in name]
    assert secrets
    shown = {row.variable: row for row in describe(Conf(**dict.fromkeys(secrets, canary)))}
    for name in secrets:
        assert shown[f"SCANRILL_{name.upper()}"].value == "(set)"
    assert canary not in str(shown)


def test_load_empty_environment_returns_the_defaults() -> None:
    assert load({}) == Conf()
    assert load({"PATH": "/bin", "MAX_PIXELS": "1"}) == Conf()


def test_load_converts_variables_by_their_types() -> None:
    settings = load(
        {
            "SCANRILL_DATA_DIR": "relative/dir",
            "SCANRILL_ALLOWED_HOSTS": " a.example , b.example,, ",
            "SCANRILL_IMPORT_ROOTS": "/srv/scans:/mnt/in:",
            "SCANRILL_MAX_UPLOAD_BYTES": "0",
            "SCANRILL_PAGE_SECONDS": "1.5",
            "SCANRILL_ENGINE": "dummy",
        }
    )
    assert settings.data_dir == Path.cwd() / "relative/dir"
    assert settings.allowed_hosts == ["a.example", "b.example"]
    assert settings.import_roots == [Path("/srv/scans"), Path("/mnt/in")]
    assert settings.max_upload_bytes == 0
    assert settings.page_seconds == 1.5
    assert settings.engine == "dummy"


def test_load_expands_a_tilde() -> None:
    assert load({"SCANRILL_DATA_DIR": "~/scans"}).data_dir == Path.home() / "scans"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCANRILL_MAX_UPLOAD_BYTES", "1GB"),
        ("SCANRILL_MAX_UPLOAD_BYTES", "-1"),
        ("SCANRILL_MAX_UPLOAD_BYTES", ""),
        ("SCANRILL_MAX_PIXELS", "0"),
        ("SCANRILL_READERS", "0"),
        ("SCANRILL_READERS", "1.5"),
        ("SCANRILL_PAGE_SECONDS", "0"),
        ("SCANRILL_PAGE_SECONDS", "soon"),
        ("SCANRILL_PAGE_SECONDS", "nan"),
        ("SCANRILL_JWT_ACCESS_SECONDS", "-3600"),
        ("SCANRILL_MESSAGES_PER_SECOND", "many"),
    ],
)
def test_load_wrong_value_raises_an_error_that_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(CommandError) as raised:
        load({variable: value})
    message = str(raised.value)
    assert message.startswith(f"{variable}: ")
    assert message.endswith(".")
    assert "\n" not in message
    assert "$" not in message


def test_unknown_variables_finds_a_misspelt_one() -> None:
    assert unknown_variables({"SCANRILL_ENGIN": "x", "SCANRILL_ENGINE": "x", "PATH": "x"}) == [
        "SCANRILL_ENGIN"
    ]


def test_max_frame_bytes_fits_the_largest_upload_in_base64() -> None:
    for size in (1, 3, 1000, 10**9):
        assert Conf(max_upload_bytes=size).max_frame_bytes >= (size + 2) // 3 * 4 + 1024
    assert Conf(max_upload_bytes=0).max_frame_bytes > 2**40


# ── the secret key ──


def test_secret_key_is_created_once_and_private(tmp_path: Path) -> None:
    settings = Conf(data_dir=tmp_path)
    first = secret_key(settings)
    assert len(first) >= 50
    assert secret_key(settings) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_secret_key_differs_between_data_directories(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert secret_key(Conf(data_dir=tmp_path / "a")) != secret_key(Conf(data_dir=tmp_path / "b"))


def test_secret_key_configured_creates_no_file(tmp_path: Path) -> None:
    assert secret_key(Conf(data_dir=tmp_path, secret_key="configured")) == "configured"
    assert not list(tmp_path.iterdir())


def test_secret_key_of_a_faster_process_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both processes check for the file before either creates it."""
    path = tmp_path / "secret.key"
    real_link = os.link

    def link_after_other_process(source: str, target: Path) -> None:
        path.write_text("key of the other process")
        real_link(source, target)

    monkeypatch.setattr(secret_keys.os, "link", link_after_other_process)
    assert secret_key(Conf(data_dir=tmp_path)) == "key of the other process"
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


_CREATE_SECRETS = """
import json, sys
from pathlib import Path
from backend_main.core.conf import Conf
from backend_main.core.secret_keys import secret_key
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([secret_key(Conf(data_dir=Path(d))) for d in sys.argv[1:]]))
"""


def test_secret_key_two_processes_at_once_share_one(tmp_path: Path) -> None:
    directories = [tmp_path / str(number) for number in range(200)]
    for directory in directories:
        directory.mkdir()
    command = [sys.executable, "-c", _CREATE_SECRETS, *map(str, directories)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    first, second = (json.loads(process.communicate(timeout=60)[0]) for process in processes)
    assert first == second
    assert len(set(first)) == len(directories)
    modes = {stat.S_IMODE((directory / "secret.key").stat().st_mode) for directory in directories}
    assert modes == {0o600}


def test_conf_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Conf().engine = "other"  # type: ignore[misc]
    assert msgspec.structs.replace(Conf(), engine="other").engine == "other"
