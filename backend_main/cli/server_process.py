"""Server process of `scanrill serve --workers N`, which `supervisor.py` starts.

Arguments: the number of the process (from 1), and three descriptors. These are the listening socket, the pipe
for "ready", and the pipe that closes when the supervisor ends.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

from backend_main.core.errors import ScanrillError

from .data_dir import set_up_django
from .serve import run
from .startup_signals import exit_on_signals


def main() -> None:
    exit_on_signals()
    number, listener, ready_writer, parent_alive_pipe = map(int, sys.argv[1:])
    threading.Thread(
        target=_exit_with_parent, args=(parent_alive_pipe,), name="parent-watch", daemon=True
    ).start()
    set_up_django()
    from backend_main.backend.lifespan import ProcessRole
    from backend_main.core.conf import conf

    # One process is enough: the job queue and the files are shared.
    role = ProcessRole(runs_readers=number == 1, runs_maintenance=number == 1)

    def report_ready() -> None:
        os.write(ready_writer, b".")

    with socket.socket(fileno=listener) as shared:
        run(shared, conf, report_ready, role)


def _exit_with_parent(parent_alive_pipe: int) -> None:
    """Wait for the end of the supervisor, then shut this process down: nothing else would stop it."""
    os.read(parent_alive_pipe, 1)
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except ScanrillError as error:
        sys.exit(f"scanrill: {error}")
