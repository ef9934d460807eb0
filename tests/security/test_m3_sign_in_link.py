"""M3 - a sign-in link stands in the journal, which others may read."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.server import SCANRILL, environment

Start = Callable[..., subprocess.Popen[bytes]]
COMMAND = [*SCANRILL, "serve", "--port", "0"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a server with an output; the fixture stops it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(stdout: int, *arguments: str) -> subprocess.Popen[bytes]:
        settings = environment(tmp_path / "data", ENGINE="dummy")
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=settings, stdout=stdout, stderr=subprocess.DEVNULL
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def first_lines(process: subprocess.Popen[bytes]) -> list[bytes]:
    assert process.stdout is not None
    return [process.stdout.readline(), process.stdout.readline()]


def test_m3_serve_without_terminal_prints_no_link(start: Start) -> None:
    running, hint = first_lines(start(subprocess.PIPE))
    assert running.startswith(b"scanrill is running at http://127.0.0.1:")
    assert hint == b"To sign in, print a link with `scanrill link`.\n"


def test_m3_serve_with_print_link_prints_one(start: Start) -> None:
    assert b"/#code=" in first_lines(start(subprocess.PIPE, "--print-link"))[1]


def test_m3_serve_on_a_terminal_prints_a_link(start: Start) -> None:
    terminal, output = pty.openpty()
    start(output)
    os.close(output)
    with open(terminal, "rb", buffering=0) as lines:
        text = b""
        while text.count(b"\n") < 2:
            text += lines.read(4096)
    assert b"/#code=" in text
