"""Server process of several: its role, and the report that it is ready."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from backend_main.backend.lifespan import ProcessRole
from backend_main.cli import server_process


@pytest.mark.parametrize(("number", "is_first"), [(1, True), (2, False), (3, False)])
def test_only_the_first_process_has_readers_and_each_reports_ready(
    number: int, is_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("exit_on_signals", "set_up_django"):
        monkeypatch.setattr(server_process, name, lambda: None)
    roles: list[ProcessRole] = []

    def run(_listener: socket.socket, _conf: object, on_listening: object, role: ProcessRole) -> None:
        roles.append(role)
        assert callable(on_listening)
        on_listening()

    monkeypatch.setattr(server_process, "run", run)
    ready_reader, ready_writer = os.pipe()
    parent_alive_pipe, parent_end = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(
            sys, "argv", ["", *map(str, (number, os.dup(listener.fileno()), ready_writer, parent_alive_pipe))]
        )
        server_process.main()
    assert roles == [ProcessRole(runs_readers=is_first, runs_maintenance=is_first)]
    assert os.read(ready_reader, 10) == b"."
    # Closing this end would terminate the test process, so it stays open.
    assert parent_end
    for descriptor in (ready_reader, ready_writer):
        os.close(descriptor)
