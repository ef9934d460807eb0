"""One of several processes: what it takes upon itself, and what all do."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from backend_main.backend.lifespan import ProcessRole
from backend_main.cli import server_process


@pytest.mark.parametrize(("number", "first"), [(1, True), (2, False), (3, False)])
def test_the_first_of_them_reads_and_sweeps_and_each_says_that_it_serves(
    number: int, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("runs_readers", "runs_maintenance"):
        monkeypatch.setattr(ProcessRole, name, getattr(ProcessRole, name))
    for name in ("exit_on_signals", "set_up_django"):
        monkeypatch.setattr(server_process, name, lambda: None)
    duties: list[tuple[bool, bool]] = []

    def run(_listener: socket.socket, _conf: object, started: object) -> None:
        duties.append((ProcessRole.runs_readers, ProcessRole.runs_maintenance))
        assert callable(started)
        started()

    monkeypatch.setattr(server_process, "run", run)
    told, tells = os.pipe()
    life, life_of_all = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(sys, "argv", ["", *map(str, (number, os.dup(listener.fileno()), tells, life))])
        server_process.main()
    assert duties == [(first, first)]
    assert os.read(told, 10) == b"."
    # The end of the other side would be that of this process; so it stays open, as long as this one lives.
    assert life_of_all
    for descriptor in (told, tells):
        os.close(descriptor)
