"""Runner of a Procfile: parsing, output, and stopping all commands."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import procfile

PROGRAM = [sys.executable, procfile.__file__]


def test_parse_returns_commands_by_name() -> None:
    text = "# a comment\n\nweb: serve --port ${PORT:-8000}\nother-one:  a: b\n"
    assert procfile.parse(text) == {"web": "serve --port ${PORT:-8000}", "other-one": "a: b"}


@pytest.mark.parametrize("text", ["web", "web:", "web: a\nweb: b", "two words: a"])
def test_parse_refuses_invalid_and_repeated_lines(text: str) -> None:
    with pytest.raises(ValueError, match="Expected"):
        procfile.parse(text)


def test_run_stops_all_when_one_ends_and_prefixes_the_output(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text('long: sleep 600\nbrief: sh -c "echo over; exit 3"\n')
    done = subprocess.run([*PROGRAM, str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == "brief | over\n"
    assert done.stderr == "brief exited with code 3\n"


def test_run_at_a_signal_stops_all_and_exits_with_0(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    script = "trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.01; done"
    file.write_text(f'one: sh -c "{script}"\n')
    with subprocess.Popen([*PROGRAM, str(file)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "one | here\n"
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == "one | bye\n"
        assert running.wait(60) == 0
