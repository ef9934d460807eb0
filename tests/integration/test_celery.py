"""Calls over Celery, the worker process, and servers that do not import Celery."""

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
    """Run a program and return its output, decoded from JSON."""
    data_dir.mkdir()
    command = [sys.executable, "-c", SET_UP + program]
    env = environment(data_dir, **settings)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ENQUEUE = """
import redis
from backend_main.backend import celery
queue = redis.Redis.from_url(os.environ["SCANRILL_REDIS_URL"])
lengths = []
for count in (1, 3, 1000, 1):
    celery.enqueue_read_calls(count)
    lengths.append(queue.llen("ours:ocr"))
print(json.dumps([lengths, json.loads(queue.lindex("ours:ocr", 0))["headers"]["task"]]))
"""


def test_enqueue_read_calls_stops_at_the_maximum(redis_server: Redis, tmp_path: Path) -> None:
    settings = {"REDIS_URL": redis_server.url, "REDIS_PREFIX": "ours:", "SECRET_KEY": "0123456789abcdef" * 4}
    assert run(ENQUEUE, tmp_path / "data", **settings) == [[1, 4, 64, 64], "scanrill.read"]


def test_worker_stopped_at_its_start_exits_in_time(redis_server: Redis, tmp_path: Path) -> None:
    settings = {"REDIS_URL": redis_server.url, "SECRET_KEY": "0123456789abcdef" * 4, "ENGINE": "dummy"}
    command, env = [*SCANRILL, "worker"], environment(tmp_path / "data", **settings)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        worker.terminate()
        stderr = worker.communicate(timeout=60)[1].decode()
    assert worker.returncode == 0
    assert "did not stop in time" not in stderr


IMPORTED = """
from backend_main.backend import asgi
print(json.dumps([name for name in ("celery", "kombu", "redis") if name in sys.modules]))
"""


def test_server_without_redis_imports_neither_celery_nor_redis(tmp_path: Path) -> None:
    assert run(IMPORTED, tmp_path / "data") == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "A worker requires SCANRILL_REDIS_URL."),
        ({"BROKER_URL": "amqp://localhost"}, "SCANRILL_BROKER_URL needs Redis for live text."),
    ],
)
def test_worker_without_redis_is_refused_with_one_line(
    settings: dict[str, str], message: str, tmp_path: Path
) -> None:
    env = environment(tmp_path / "data", **settings)
    done = subprocess.run([*SCANRILL, "worker"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
