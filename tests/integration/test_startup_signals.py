"""Signals during the start of a command, and a worker whose Celery ends unexpectedly."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.redis import Redis
from tests.support.server import environment

# Each command blocks in its first call, after it has printed a line.
BLOCKED_START = """
import sys, time
from backend_main.cli import {module}
def block(*_args):
    print("starting", flush=True)
    time.sleep(600)
{module}.{first} = block
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
CELERY_THAT_ENDS = """
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
def test_signal_during_the_start_exits_with_0(what: str, number: signal.Signals, tmp_path: Path) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-c", BLOCKED_START.format(**STARTS[what])],
        env=environment(tmp_path / "data"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with starting:
        assert starting.stdout is not None
        assert starting.stdout.readline() == b"starting\n"
        starting.send_signal(number)
        output = starting.communicate(timeout=30)
    assert (starting.returncode, output) == (0, (b"", b""))


def test_worker_fails_if_celery_ends_unexpectedly(redis_server: Redis, tmp_path: Path) -> None:
    """The exit code makes a supervisor restart the worker."""
    settings = {"REDIS_URL": redis_server.url, "SECRET_KEY": "0123456789abcdef" * 4, "ENGINE": "dummy"}
    ended = subprocess.run(
        [sys.executable, "-c", CELERY_THAT_ENDS, "worker"],
        env=environment(tmp_path / "data", **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("scanrill: Celery ended unexpectedly.")
    assert "Traceback" not in ended.stderr
