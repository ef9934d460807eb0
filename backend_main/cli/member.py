"""One of the processes of `scanrill serve --workers N`; `fleet.py` starts it, with descriptors of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

from backend_main.core.errors import ScanrillError

from .data import set_up_django
from .early import end_at_signals
from .serve import run


def main() -> None:
    end_at_signals()
    number, listener, tells, life = map(int, sys.argv[1:])
    threading.Thread(target=_end_with, args=(life,), name="life", daemon=True).start()
    set_up_django()
    from backend_main.backend.lifespan import Duties
    from backend_main.core.conf import conf

    # One for all: there is one queue to read, and one place to sweep.
    Duties.reads = Duties.sweeps = number == 1
    with socket.socket(fileno=listener) as shared:
        run(shared, conf, lambda: _tell(tells))


def _tell(descriptor: int) -> None:
    os.write(descriptor, b".")


def _end_with(life: int) -> None:
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
