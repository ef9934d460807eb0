"""How a command ends that is told to while it is still starting, and a worker whose Celery ends by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.redis import Redis
from tests.support.server import environment

# Each stands still in the first thing that it does, and says so.
STILL = """
import sys, time
from backend_main.cli import {module}
def stand_still(*_args):
    print("starting", flush=True)
    time.sleep(600)
{module}.{first} = stand_still
sys.argv[1:] = {arguments}
from backend_main.cli.main import main
{run}
"""
STARTS = {
    "serve": {"module": "serve", "first": "set_up", "arguments": ["serve"], "run": "main()"},
    "worker": {"module": "worker", "first": "set_up", "arguments": ["worker"], "run": "main()"},
    "one of several": {
        "module": "server_process",
        "first": "set_up_django",
        "arguments": ["1", "0", "1", "0"],
        "run": "server_process.main()",
    },
}
LEFT_ALONE = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
from backend_main.backend import celery
celery.run_worker = lambda *_args, **_options: None
from backend_main.cli.main import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("what", STARTS)
def test_what_is_told_to_end_while_it_starts_ends_with_0(
    what: str, number: signal.Signals, tmp_path: Path
) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-c", STILL.format(**STARTS[what])],
        env=environment(tmp_path / "data"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with starting:
        assert starting.stdout is not None
        assert starting.stdout.readline() == b"starting\n"
        starting.send_signal(number)
        said = starting.communicate(timeout=30)
    assert (starting.returncode, said) == (0, (b"", b""))


def test_a_worker_whose_celery_ends_by_itself_says_so_and_fails(redis_server: Redis, tmp_path: Path) -> None:
    """Whoever keeps it running starts it again, as it would not if it had ended well."""
    settings = {"REDIS_URL": redis_server.url, "SECRET_KEY": "k" * 50, "ENGINE": "dummy"}
    ended = subprocess.run(
        [sys.executable, "-c", LEFT_ALONE, "worker"],
        env=environment(tmp_path / "data", **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("scanrill: The worker's Celery ended by itself")
    assert "Traceback" not in ended.stderr
