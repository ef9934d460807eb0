"""A real `scanrill serve` with its own port and data directory, and its worker."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import deployment_mode
from tests.support.database_rows import run_query

if TYPE_CHECKING:
    from tests.support.worker import Worker

SCANRILL = [sys.executable, "-c", "from backend_main.cli.main import main; main()"]
START_TIMEOUT_SECONDS = 60


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the machine's environment with these scanrill settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SCANRILL_")}
    # A run starts hundreds of processes: without the cache, each would compile all of scanrill.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return (
        inherited | {"SCANRILL_DATA_DIR": str(data_dir)} | {f"SCANRILL_{k}": v for k, v in settings.items()}
    )


class Server:
    """A server process. `settings` are environment variables without their prefix.

    `log` holds all output but the sign-in links, which `sign_in_link` returns. In the scaled mode a `worker`
    starts and stops with the server, and its log is part of `log`; a test that sets REDIS_URL starts its own.
    """

    program = SCANRILL

    def __init__(self, data_dir: Path, *arguments: str, **settings: str) -> None:
        self.data_dir = data_dir
        self.arguments = arguments
        defaults = {"ENGINE": "dummy"} | deployment_mode.new_server_settings()
        self.environment = environment(data_dir, **(defaults | settings))
        needs_worker = deployment_mode.is_scaled() and "REDIS_URL" not in settings
        self.worker = self._new_worker() if needs_worker else None
        self.log_path = data_dir.with_name(data_dir.name + ".log")
        self.port = 0
        self._links: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self) -> Server:
        """Start the server and its worker, and wait until both are ready."""
        self._log_file = open(self.log_path, "ab")  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen(
            [*self.program, "serve", "--port", str(self.port), "--print-link", *self.arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=self._log_file,
        )
        stdout = self.process.stdout
        assert stdout is not None
        line = stdout.readline().decode()
        match = re.search(r"http://.*:(\d+)/", line)
        assert match, f"the server did not start: {line}{self.log}"
        self.port = int(match[1])
        self._rest = threading.Thread(target=self._log_rest, daemon=True)
        self._rest.start()
        if self.worker is not None:
            self.worker.program = self.program
            self.worker.start()
        return self

    def stop(self, signal_number: int = signal.SIGTERM, *, timeout: float = 15) -> int:
        """Send the signal to the server and its worker, wait, and return the server's exit code."""
        self.process.send_signal(signal_number)
        if self.worker is not None:
            assert self.worker.stop(signal_number, timeout=timeout) in (0, -signal_number), self.worker.log
        code = self.process.wait(timeout)
        self._rest.join(timeout)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log_file.close()
        return code

    @property
    def sign_in_link(self) -> str:
        """The next sign-in link that the server printed; each is returned once."""
        return self._links.get(timeout=START_TIMEOUT_SECONDS)

    @property
    def unused_link_count(self) -> int:
        """The number of printed sign-in links that `sign_in_link` has not returned."""
        return self._links.qsize()

    @property
    def reader_process(self) -> subprocess.Popen[bytes]:
        """The process whose children run the engines."""
        return self.process if self.worker is None else self.worker.process

    @property
    def log(self) -> str:
        return self.log_path.read_text() + ("" if self.worker is None else self.worker.log)

    @property
    def unexpected_tracebacks(self) -> list[str]:
        """The log lines before each traceback, except those of engines whose script raises."""
        return re.findall(r"(?m)^(?!ERROR scanrill\.reading:)(.+)\nTraceback ", self.log)

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run another `scanrill` command on this data directory."""
        return subprocess.run(
            [*self.program, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def user(self, name: str | None = None) -> str:
        """Add a user and return the name."""
        name = name or f"user-{uuid.uuid4().hex[:8]}"
        added = self.command("user", "add", name, "--no-password")
        assert added.returncode == 0, added.stderr
        return name

    def user_id(self, name: str) -> str:
        """Return the id that a user's tokens carry."""
        [(key,)] = run_query(self, "SELECT id FROM core_user WHERE username = ?", name)
        return str(uuid.UUID(key))

    @property
    def database_url(self) -> str:
        """The URL of its PostgreSQL; empty with SQLite."""
        return self.environment.get("SCANRILL_DATABASE_URL", "")

    @property
    def is_embedded(self) -> bool:
        """Whether the server shares neither a database nor a Redis."""
        return not self.database_url and "SCANRILL_REDIS_URL" not in self.environment

    @property
    def secret_key(self) -> str:
        return self.environment.get("SCANRILL_SECRET_KEY") or (self.data_dir / "secret.key").read_text()

    def token(self, name: str, ttl: str = "1h") -> str:
        printed = self.command("token", name, "--ttl", ttl)
        assert printed.returncode == 0, printed.stderr
        return printed.stdout.strip()

    def url(self, path: str = "/ws/core/upload/", *, token: str | None = None) -> str:
        query = f"?token={token}" if token else ""
        return f"ws://127.0.0.1:{self.port}{path}{query}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _new_worker(self) -> Worker:
        from tests.support.worker import Worker  # imports this module

        return Worker(self)

    def _log_rest(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"Sign in (once, within 10 minutes): "):
                self._links.put(line.decode().rsplit(maxsplit=1)[1])
            else:
                self._log_file.write(line)
