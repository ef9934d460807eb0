"""What Celery is asked, and who does not pay for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.redis import Redis
from tests.support.server import SCANRILL, environment

SET_UP = """
import os, sys, json
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
"""


def run(program: str, data_dir: Path, **settings: str) -> object:
    """What a program prints, as JSON."""
    data_dir.mkdir()
    command = [sys.executable, "-c", SET_UP + program]
    env = environment(data_dir, **settings)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CALL = """
import redis
from backend_main.backend import celery
queue = redis.Redis.from_url(os.environ["SCANRILL_REDIS_URL"])
lengths = []
for wanted in (1, 3, 1000, 1):
    celery.enqueue_read_calls(wanted)
    lengths.append(queue.llen("ours:ocr"))
print(json.dumps([lengths, json.loads(queue.lindex("ours:ocr", 0))["headers"]["task"]]))
"""


def test_no_more_calls_wait_than_there_may_be_readers(redis_server: Redis, tmp_path: Path) -> None:
    settings = {"REDIS_URL": redis_server.url, "REDIS_PREFIX": "ours:", "SECRET_KEY": "k" * 50}
    assert run(CALL, tmp_path / "data", **settings) == [[1, 4, 64, 64], "scanrill.read"]


def test_a_worker_that_is_told_to_end_as_it_begins_is_not_cut_off(
    redis_server: Redis, tmp_path: Path
) -> None:
    settings = {"REDIS_URL": redis_server.url, "SECRET_KEY": "k" * 50, "ENGINE": "dummy"}
    command, env = [*SCANRILL, "worker"], environment(tmp_path / "data", **settings)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        worker.terminate()
        said = worker.communicate(timeout=60)[1].decode()
    assert worker.returncode == 0
    assert "cut off" not in said


IMPORTED = """
from backend_main.backend import asgi
print(json.dumps([name for name in ("celery", "kombu", "redis") if name in sys.modules]))
"""


def test_a_server_without_workers_imports_nothing_of_theirs(tmp_path: Path) -> None:
    assert run(IMPORTED, tmp_path / "data") == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "A worker needs SCANRILL_REDIS_URL"),
        ({"BROKER_URL": "amqp://localhost"}, "SCANRILL_BROKER_URL needs Redis for live text."),
    ],
)
def test_a_worker_without_what_it_needs_says_so_in_a_line(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    env = environment(tmp_path / "data", **settings)
    done = subprocess.run([*SCANRILL, "worker"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert sentence in done.stderr
