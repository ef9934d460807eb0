"""A real `scanrill worker` with a server's settings."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.support.server import SCANRILL, Server

# Intervals of an hour: the process acts only on notifications by Celery or Redis, and never polls.
NO_POLLING_PROGRAM = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
from backend_main.core import maintenance, tasks
from backend_main.core.jobs import queue
tasks.HEARTBEAT_SECONDS = queue.LEASE_SECONDS = maintenance.MAINTENANCE_INTERVAL_SECONDS = 3600
from backend_main.cli.main import main
main()
"""


class Worker:
    """A worker process. `log` is its output."""

    def __init__(
        self, server: Server, *arguments: str, without_polling: bool = False, **settings: str
    ) -> None:
        self.program = [sys.executable, "-c", NO_POLLING_PROGRAM] if without_polling else SCANRILL
        self._arguments = arguments
        self._server, self._settings = server, {f"SCANRILL_{k}": v for k, v in settings.items()}
        Worker.started = number = getattr(Worker, "started", 0) + 1
        self._log_path = server.data_dir.with_name(f"worker-{number}.log")

    @property
    def reader_process(self) -> subprocess.Popen[bytes]:
        """The process whose children run the engines."""
        return self.process

    def start(self) -> Worker:
        """Start the worker and wait until it is ready."""
        with open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "worker", *self._arguments],
                env=self._server.environment | self._settings,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(b"Worker started"), f"the worker did not start: {line!r}{self.log}"
        return self

    def stop(self, signal_number: int = signal.SIGTERM, *, timeout: float = 15) -> int:
        """Send the signal, wait, and return the exit code."""
        self.process.send_signal(signal_number)
        code = self.process.wait(timeout)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    @property
    def log(self) -> str:
        return self._log_path.read_text() if self._log_path.exists() else ""
