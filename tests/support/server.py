"""A real `scanrill serve` on a port and in a data directory of its own, and the worker that reads for it."""

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
    """The machine's environment with these settings and no others of scanrill."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SCANRILL_")}
    # Hundreds of processes are started: where nothing is kept, each compiles all of scanrill anew.
    plain.pop("PYTHONDONTWRITEBYTECODE", None)
    return plain | {"SCANRILL_DATA_DIR": str(data_dir)} | {f"SCANRILL_{k}": v for k, v in settings.items()}


class Server:
    """`settings` are environment variables without their prefix; `log` is all that the server wrote.

    All but the link that it prints for a person to sign in with: that is in `link`. Of scaled parts, its
    `worker` starts and ends with it, its log is part of this one; a test that names a Redis brings its own.
    """

    program = SCANRILL

    def __init__(self, data_dir: Path, *arguments: str, **settings: str) -> None:
        self.data_dir = data_dir
        self.arguments = arguments
        own = {"ENGINE": "dummy"} | deployment_mode.new_server_settings()
        self.environment = environment(data_dir, **(own | settings))
        self.worker = (
            self._new_worker() if deployment_mode.is_scaled() and "REDIS_URL" not in settings else None
        )
        self.log_path = data_dir.with_name(data_dir.name + ".log")
        self.port = 0
        self._links: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self) -> Server:
        """Starts it, and waits until it says where it serves; and until its worker reads."""
        self._log_file = open(self.log_path, "ab")  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen(
            [*self.program, "serve", "--port", str(self.port), *self.arguments],
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
        """Sends the signal, to its worker too, and waits; gives the exit code."""
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
        """The sign-in link that it printed at its start; each may be taken once."""
        return self._links.get(timeout=START_TIMEOUT_SECONDS)

    @property
    def unused_link_count(self) -> int:
        """How many are there that nobody took."""
        return self._links.qsize()

    @property
    def reader_process(self) -> subprocess.Popen[bytes]:
        """Whose children have the engines."""
        return self.process if self.worker is None else self.worker.process

    @property
    def log(self) -> str:
        return self.log_path.read_text() + ("" if self.worker is None else self.worker.log)

    @property
    def unexpected_tracebacks(self) -> list[str]:
        """The log's lines before a traceback, but for those of an engine whose script told it to raise."""
        return re.findall(r"(?m)^(?!ERROR scanrill\.reading:)(.+)\nTraceback ", self.log)

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Another `scanrill` command on the same data directory."""
        return subprocess.run(
            [*self.program, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def user(self, name: str | None = None) -> str:
        """The name of a new user."""
        name = name or f"user-{uuid.uuid4().hex[:8]}"
        added = self.command("user", "add", name, "--no-password")
        assert added.returncode == 0, added.stderr
        return name

    def user_id(self, name: str) -> str:
        """The id that a user's tokens carry."""
        [(key,)] = run_query(self, "SELECT id FROM core_user WHERE username = ?", name)
        return str(uuid.UUID(key))

    @property
    def database_url(self) -> str:
        """Of its PostgreSQL; empty where it has SQLite."""
        return self.environment.get("SCANRILL_DATABASE_URL", "")

    @property
    def is_embedded(self) -> bool:
        """Whether its data directory is its alone."""
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
        from tests.support.worker import Worker  # which knows a server

        return Worker(self)

    def _log_rest(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"Sign in (once, within 10 minutes): "):
                self._links.put(line.decode().rsplit(maxsplit=1)[1])
            else:
                self._log_file.write(line)
