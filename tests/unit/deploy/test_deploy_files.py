"""All files of `deploy/`, the systemd unit, and the Procfile."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend_main.core.conf import Conf
from docs.generate import commands
from tools import procfile

from .files import DEPLOY, ROOT

SETTINGS = {f"SCANRILL_{name.upper()}" for name in Conf.__struct_fields__}
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
PAGES = ROOT / "docs" / "pages" / "how-to"
# systemd-analyze rates from 0 to 100, a service without any restriction.
MAX_EXPOSURE = 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_scanrill_variables_are_settings(path: Path) -> None:
    assert set(re.findall(r"\bSCANRILL_[A-Z_]+\b", path.read_text())) <= SETTINGS


def test_readme_mentions_every_file() -> None:
    readme = (DEPLOY / "README.md").read_text()
    for path in FILES:
        name = str(path.relative_to(DEPLOY))
        shown = (name, path.name, f"{path.parent.name}/", name.removesuffix(".dockerignore"))
        assert path.name == "README.md" or any(f"`{what}`" in readme for what in shown), name


# ── the unit ──


@pytest.mark.parametrize(
    ("file", "page"),
    [("systemd/scanrill.service", "service.md"), ("nginx/scanrill.conf", "reverse-proxy.md")],
)
def test_guide_shows_the_whole_file(file: str, page: str) -> None:
    assert f"\n{(DEPLOY / file).read_text()}```" in (PAGES / page).read_text()


def test_systemd_unit_is_valid_and_has_low_exposure(tmp_path: Path) -> None:
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("LOUD: systemd-analyze is not installed; the unit was not checked")
    unit = tmp_path / "scanrill.service"
    text = (DEPLOY / "systemd" / "scanrill.service").read_text()
    unit.write_text(text.replace("/opt/scanrill/bin/scanrill", sys.executable))
    verified = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert (verified.returncode, verified.stderr) == (0, "")
    threshold = f"--threshold={MAX_EXPOSURE}"
    exposed = subprocess.run(
        [analyze, "security", "--offline=yes", threshold, str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert exposed.returncode == 0, exposed.stdout[-2000:]


# ── the processes ──


def test_procfile_commands_and_options_exist() -> None:
    known = dict(commands.commands())
    lines = procfile.parse((DEPLOY / "Procfile").read_text())
    assert lines.keys() == {"redis", "web", "worker"}
    for line in lines.values():
        program, command, *rest = shlex.split(line)
        if program == "scanrill":
            options = [word for word in rest if word.startswith("--")]
            assert set(options) <= set(commands.options(known[f"scanrill {command}"])), line
