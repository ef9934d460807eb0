"""`tools/procfile.py`: starts what a Procfile lists, and ends all with the first."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import procfile

PROGRAM = [sys.executable, procfile.__file__]


def test_lines_are_names_and_commands() -> None:
    text = "# what runs\n\nweb: serve --port ${PORT:-8000}\nother-one:  a: b\n"
    assert procfile.parse(text) == {"web": "serve --port ${PORT:-8000}", "other-one": "a: b"}


@pytest.mark.parametrize("text", ["web", "web:", "web: a\nweb: b", "two words: a"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no line of a Procfile"):
        procfile.parse(text)


def test_the_end_of_one_is_the_end_of_all_and_each_line_says_whose_it_is(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text('long: sleep 600\nbrief: sh -c "echo over; exit 3"\n')
    done = subprocess.run([*PROGRAM, str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == "brief | over\n"
    assert done.stderr == "brief ended with 3\n"


def test_a_signal_ends_all_in_order(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    waits = "trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.01; done"
    file.write_text(f'one: sh -c "{waits}"\n')
    with subprocess.Popen([*PROGRAM, str(file)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "one | here\n"
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == "one | bye\n"
        assert running.wait(60) == 0
