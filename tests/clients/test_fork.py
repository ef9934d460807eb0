"""Synchronous client in child processes after `os.fork`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.accounts import Account
from tests.support.page_images import scripted_png

# A script of its own: a fork of the process of pytest would copy its threads' locks too.
SCRIPT = """
import os, sys
from scanrill_client import Client

url, token, path = sys.argv[1:]

def in_child(call):
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if call() else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def continue_in_child(events):
    try:
        next(events)
    except RuntimeError as error:
        return "before the fork" in str(error)

with Client(url, token=token) as client:
    assert client.read(path) == "forked"
    events = client.events()
    next(events)
    in_child(lambda: client.read(path) == "forked")
    in_child(lambda: client.me().username and next(client.events()))
    in_child(lambda: continue_in_child(events))
    in_child(lambda: client.close() is None)
    assert client.read(path) == "forked"
print("done")
"""


def test_client_in_a_child_after_fork_has_its_own_connections(ada: Account, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(scripted_png(lines=["forked"]))
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, ada.server.http, ada.mint(), str(scan)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr
