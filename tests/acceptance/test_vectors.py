"""The golden transcripts of `tests/vectors/`: the specification's examples, message by message.

The conformance client plays them, as it does against any other server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend_main.conformance import main as conformance
from tests.support.accounts import Account

VECTORS = conformance.vectors()


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
async def test_server_follows_the_transcript(alice: Account, path: Path) -> None:
    vector = json.loads(path.read_text())
    assert await conformance.play(alice.server.http, alice.mint(), vector) is None


def test_vectors_directory_has_at_least_twenty_transcripts() -> None:
    """A moved directory must not make the transcript tests pass vacuously."""
    assert len(VECTORS) >= 20


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "pong"}, "expected"),
        ({"type": "pong", "ref": "p", "more": 1}, "got"),
    ],
)
async def test_conformance_client_names_the_point_that_fails(
    alice: Account, message: dict[str, Any], reason: str
) -> None:
    vector = {
        "steps": [
            {"from": "asking", "send": {"type": "ping", "ref": "p"}},
            {"to": "asking", "message": message},
        ]
    }
    failure = await conformance.play(alice.server.http, alice.mint(), vector)
    assert failure is not None
    assert failure[0] == 2
    assert reason in failure[1]


def _run_command(url: str, token: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend_main.conformance.main", url, "--token", token, "--only", "ping"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_conformance_command_prints_each_transcript_and_exits_with_0(alice: Account) -> None:
    ended = _run_command(alice.server.http, alice.mint())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ping: ok" in ended.stdout
    assert ended.stdout.endswith("1 of 1 transcripts passed.\n")


def test_conformance_command_without_a_server_exits_with_2() -> None:
    ended = _run_command("http://127.0.0.1:9", "x")  # the port “discard”, on which nothing listens
    assert ended.returncode == 2
    assert "No connection to http://127.0.0.1:9" in ended.stderr
