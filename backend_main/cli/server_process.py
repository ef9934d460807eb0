"""One of the processes of `scanrill serve --workers N`; `fleet.py` starts it, with descriptors of its own."""

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
    number, listener, tells, life = map(int, sys.argv[1:])
    threading.Thread(target=_exit_with_parent, args=(life,), name="life", daemon=True).start()
    set_up_django()
    from backend_main.backend.lifespan import ProcessRole
    from backend_main.core.conf import conf

    # One for all: there is one queue to read, and one place to sweep.
    ProcessRole.runs_readers = ProcessRole.runs_maintenance = number == 1
    with socket.socket(fileno=listener) as shared:
        run(shared, conf, lambda: _report_ready(tells))


def _report_ready(descriptor: int) -> None:
    os.write(descriptor, b".")


def _exit_with_parent(life: int) -> None:
    """Ends this process, in order, when the one that started it is gone: nobody would end it otherwise."""
    os.read(life, 1)
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except ScanrillError as error:
        sys.exit(f"scanrill: {error}")
