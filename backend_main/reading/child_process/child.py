"""Handle of a child process in its parent: spawn, send, receive, measure, kill."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable

from ...sandbox.policy import Policy
from ...sandbox.resource_limits import extend_cpu_time
from ..engines import engine_class
from ..errors import ReadingError
from .child_log import ChildLog
from .ipc import (
    FrameReader,
    Reply,
    Request,
    send_with_file,
)
from .process_usage import ProcessUsage

SANDBOX_MODULE, CHILD_MODULE = "backend_main.sandbox", "backend_main.reading.child_process.main"
LOG_TIMEOUT_SECONDS = 1.0
"""Time to wait for output of a process that has exited."""
# Environment variables that a child inherits: none of SCANRILL_*, and none that may contain a secret.
INHERITED_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "TESSDATA_PREFIX",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUTF8",
)


class ChildExited(Exception):
    """The child has closed its end of a pipe, or has sent an invalid message."""


class ChildProcess:
    """A running `backend_main.reading.child_process.main`, the socket and the pipe to it, and its log.

    One thread uses it; any thread may call `kill`.
    """

    def __init__(
        self, engine: str, threads: int, other_engines: Iterable[str] = (), policy: Policy | None = None
    ) -> None:
        """Start the process.

        Args:
            engine: name of the engine; empty: none.
            threads: number of threads; 0: one for each core.
            other_engines: engines whose environment variables the child gets too.
            policy: what the process may do; None: it is not confined.
        """
        self._requests, requests_end = socket.socketpair()
        self._replies_fd, replies_end = os.pipe()
        log_fd, log_end = os.pipe()
        self._frames = FrameReader(self._replies_fd)
        command = [
            sys.executable,
            "-P",
            "-m",
            SANDBOX_MODULE,
            policy.to_json() if policy else "",
            CHILD_MODULE,
        ]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list, and every part is our own
                [*command, str(requests_end.fileno()), str(replies_end), engine, str(threads)],
                stdin=subprocess.DEVNULL,
                stdout=log_end,
                stderr=log_end,
                pass_fds=(requests_end.fileno(), replies_end),
                env=child_environment(filter(None, [engine, *other_engines]), threads),
                # Keeps the terminal's signals away, and makes one group of all that it starts.
                start_new_session=True,
            )
        except BaseException:
            self._close_pipes()
            os.close(log_fd)
            raise
        finally:
            requests_end.close()
            os.close(replies_end)
            os.close(log_end)
        self._log = ChildLog(log_fd)
        self._usage = ProcessUsage(self.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def received_bytes(self) -> int:
        """Bytes of all replies so far."""
        return self._frames.received_bytes

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        if self._process.returncode is not None:
            return False
        # `poll` would free the process id, which names the group to kill until `discard`.
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:  # `discard` in another thread has just waited for it
            return False

    def send(self, request: Request, file_fd: int | None = None) -> None:
        """Send a request, and the descriptor of the file that it is about. Raises ChildExited."""
        try:
            send_with_file(self._requests, request, file_fd)
        except OSError as error:
            raise ChildExited from error

    def start_page(self, seconds: float) -> None:
        """Give a page its share of the log and of the processor's time: `seconds` on each core."""
        self._log.start_page()
        # Another system than Linux has no such limit; a container may forbid it.
        with contextlib.suppress(OSError, AttributeError):
            extend_cpu_time(self.pid, self._usage.cpu_seconds(), seconds)

    def receive(self, seconds: float) -> Reply | None:
        """Wait at most `seconds` for data; return a reply if it is complete. Raises ChildExited."""
        try:
            reply = self._frames.next_reply()
            if reply is None and select.select([self._replies_fd], [], [], seconds)[0]:
                if not self._frames.fill():
                    raise ChildExited
                reply = self._frames.next_reply()
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            raise ChildExited from error
        return reply

    def resident_bytes(self) -> int:
        """Return the memory in use; 0 if the process has exited."""
        return self._usage.resident_bytes()

    def kill(self) -> None:
        """Kill the process with all that it has started."""
        if self.is_alive():
            self._kill_group()

    def discard(self) -> None:
        """Kill the process with all that it has started, and close its pipes."""
        if self._process.returncode is None:
            self._kill_group()
        self._process.wait()
        # Its own children belong to this process now if this is the first one of a container.
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-self.pid, 0)
        self._close_pipes()
        self._usage.close()
        self._log.close(LOG_TIMEOUT_SECONDS)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _close_pipes(self) -> None:
        self._requests.close()
        with contextlib.suppress(OSError):
            os.close(self._replies_fd)
        self._replies_fd = -1


def child_environment(engines: Iterable[str], threads: int) -> dict[str, str]:
    """Return the environment of a child: the inherited variables and those that configure its engines."""
    names = set(INHERITED_VARIABLES)
    for engine in engines:
        with contextlib.suppress(ReadingError):  # the child reports an unknown or broken engine
            names |= engine_class(engine).environment_variables
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    count = str(threads or len(os.sched_getaffinity(0)))
    return inherited | {"OMP_NUM_THREADS": count, "OMP_THREAD_LIMIT": count, "PYTHONUNBUFFERED": "1"}
