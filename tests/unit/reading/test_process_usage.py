"""Tests of the usage of a child process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backend_main.reading import EngineProcess
from backend_main.reading.child_process import process_usage
from backend_main.reading.child_process.process_usage import ProcessUsage


def _refuse(path: str) -> None:
    raise FileNotFoundError(path)


def test_usage_of_a_process_whose_files_are_hidden_later_is_still_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`hidepid` of proc(5) hides the files of a process that is not dumpable, but only from `open`."""
    with EngineProcess("", threads=1) as process:
        process.start()
        monkeypatch.setattr(process_usage, "FileIO", _refuse)
        assert process.resident_bytes > 1 << 20


def test_usage_of_an_exited_process_is_none() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        usage = ProcessUsage(process.pid)
        assert usage.resident_bytes() > 0
        assert usage.cpu_seconds() >= 0
        process.kill()
    assert usage.resident_bytes() == 0
    with pytest.raises(ProcessLookupError):
        usage.cpu_seconds()
    usage.close()
    assert usage.resident_bytes() == 0


def test_usage_without_proc_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_usage, "FileIO", _refuse)
    usage = ProcessUsage(1)
    assert usage.resident_bytes() == 0
    with pytest.raises(ProcessLookupError):
        usage.cpu_seconds()
    usage.close()
