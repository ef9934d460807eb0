"""Tests of the sandbox: its policies, its filter, and what each measure leaves to a process."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from backend_main.sandbox import (
    confinement,
    kernel,
    privileges,
    readable_paths,
    resource_limits,
    seccomp,
    system_calls,
)
from backend_main.sandbox.kernel import Unsupported
from backend_main.sandbox.policy import Policy
from tests.support.hostile import skip_without_measures

ROOT = Path(__file__).parents[3]
REPORT = """
from backend_main.sandbox.confinement import current
for measure in current().complete():
    print(measure.name, measure.is_in_force, measure.reason, sep="|")
"""
TRY = """
import errno
def attempt(name, action):
    try:
        action()
    except OSError as error:
        print(name, errno.errorcode[error.errno])
    else:
        print(name, "done")
"""


def run_confined(directory: Path, code: str, policy: Policy, python: str = sys.executable) -> list[str]:
    """Run a program in the sandbox; return the lines that it prints."""
    (directory / "probe.py").write_text(code)
    directory.chmod(0o755)
    done = subprocess.run(
        [python, "-P", "-m", "backend_main.sandbox", policy.to_json(), "probe"],
        env={"PYTHONPATH": f"{directory}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def policy(directory: Path, **rights: object) -> Policy:
    python, _ = readable_paths.python_paths()
    readable = (*readable_paths.SYSTEM_PATHS, *python, str(directory), str(ROOT / "backend_main"))
    return Policy(readable=readable, **rights)  # type: ignore[arg-type]


def test_policy_as_json_gives_the_same_policy() -> None:
    full = Policy(("/a", "/b"), ("/c",), ("/d",), True, 5, ("seccomp",))
    assert Policy.from_json(full.to_json()) == full
    assert Policy.from_json(Policy().to_json()) == Policy()


def test_package_directory_of_a_namespace_package_is_each_of_its_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [tmp_path / part / "some_namespace" for part in ("a", "b")]
    for part in parts:
        part.mkdir(parents=True)
        monkeypatch.syspath_prepend(part.parent)
    (parts[0] / "engine.py").touch()
    importlib.import_module("some_namespace.engine")
    found = readable_paths.package_directory("some_namespace.engine")
    assert sorted(found) == [str(part) for part in parts]


def test_python_paths_in_a_virtual_environment_lack_the_packages_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a directory is below the home, so a process with another user id could not read it."""
    monkeypatch.setattr("site.getusersitepackages", lambda: str(tmp_path))
    for is_enabled in (True, False):
        monkeypatch.setattr("site.ENABLE_USER_SITE", is_enabled)
        assert (str(tmp_path) in readable_paths.python_paths()[0]) == is_enabled


def test_python_paths_of_an_archive_of_modules_have_it_as_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python reads it to import modules, and Landlock refuses a rule that only lists a file."""
    (archive := tmp_path / "modules.zip").touch()
    monkeypatch.syspath_prepend(archive)
    readable, listable = readable_paths.python_paths()
    assert str(archive) in readable
    assert str(archive) not in listable


@pytest.mark.parametrize("machine", system_calls.AUDIT_ARCHITECTURES)
@pytest.mark.parametrize("runs_programs", [False, True])
def test_filter_of_each_processor_has_jumps_within_the_program(
    machine: str, runs_programs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    program = list(seccomp._program(Policy(has_network=True), runs_programs))
    assert len(program) < 4096  # BPF_MAXINSNS
    assert program[-1][0] == seccomp.RETURN
    for at, (code, if_true, if_false, _) in enumerate(program):
        assert code == seccomp.RETURN or at + 1 + max(if_true, if_false) < len(program)


def test_numbers_of_another_processor_are_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(Unsupported, match="riscv64"):
        system_calls.number("read")


def test_numbers_are_different_for_each_call() -> None:
    for column in zip(*system_calls.NUMBERS.values(), strict=True):
        known = [number for number in column if number is not None]
        assert len(known) == len(set(known))


def test_policy_with_network_opens_internet_sockets_only(tmp_path: Path) -> None:
    skip_without_measures("seccomp")
    code = (
        REPORT
        + TRY
        + """
import socket
attempt("inet", lambda: socket.socket(socket.AF_INET).close())
attempt("unix", lambda: socket.socket(socket.AF_UNIX).close())
attempt("listen", lambda: socket.socket(socket.AF_INET).listen())
"""
    )
    lines = run_confined(tmp_path, code, policy(tmp_path, has_network=True))
    assert lines[-3:] == ["inet done", "unix EPERM", "listen EPERM"]


def test_file_outside_the_policy_is_closed_and_one_inside_is_open(tmp_path: Path) -> None:
    skip_without_measures("landlock")
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_text("secret")
    code = (
        TRY
        + f"""
attempt("inside", lambda: open(__file__))
attempt("outside", lambda: open({str(tmp_path / "out")!r}))
"""
    )
    assert run_confined(tmp_path / "in", code, policy(tmp_path / "in"))[-2:] == [
        "inside done",
        "outside EACCES",
    ]


def test_confinement_on_another_system_than_linux_reports_the_measures_that_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel._libc.cache_clear()
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(resource_limits, "apply_limits", lambda: None)
    sandbox = confinement.Confinement(Policy(required=("no_new_privs", "limits", "landlock")))
    sandbox.begin()
    assert [measure.name for measure in sandbox.missing()] == ["no_new_privs", "landlock"]


def test_directory_that_other_users_list_but_do_not_enter_is_hidden() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        for mode, hidden in ((0o755, None), (0o744, name), (0o711, name)):
            Path(name).chmod(mode)
            assert privileges._hidden_part(name) == hidden
        (file := Path(name, "file")).touch()
        file.chmod(0o644)
        assert privileges._hidden_part(str(file)) is None


def test_process_of_a_root_server_runs_as_another_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The Python of the system, because other users may be unable to read that of the tests."""
    python = "/usr/bin/python3"
    if os.geteuid() != 0 or not Path(python).exists() or privileges._hidden_part(str(ROOT)):
        pytest.skip("LOUD: no root, no Python of the system, or a hidden checkout: the user was not changed.")
    directory = Path("/tmp") / f"scanrill-sandbox-{os.getpid()}"
    directory.mkdir()
    try:
        code = REPORT + 'import os; print(os.getuid(), os.getgid(), os.getgroups(), sep="|")'
        paths = (*readable_paths.SYSTEM_PATHS, str(directory), str(ROOT / "backend_main"))
        lines = run_confined(directory, code, Policy(readable=paths), python)
    finally:
        (directory / "probe.py").unlink()
        directory.rmdir()
    assert "user|True|" in lines
    user, group, groups = lines[-1].split("|")
    assert int(user) in privileges.USERS
    assert (group, groups) == (user, "[]")
