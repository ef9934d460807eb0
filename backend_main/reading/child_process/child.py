"""Handle of a child process in its parent: spawn, send, receive, measure, kill."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ..engines import engine_class
from ..errors import ReadingError
from .ipc import (
    FrameReader,
    Reply,
    Request,
    send,
)

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
    """A running `backend_main.reading.child_process.main` and the two pipes to it.

    One thread uses it; any thread may call `kill`.
    """

    def __init__(self, engine: str, threads: int, other_engines: Iterable[str] = ()) -> None:
        """Args: `other_engines`: engines whose environment variables the child gets too."""
        requests_read, self._requests_fd = os.pipe()
        self._replies_fd, replies_write = os.pipe()
        self._frames = FrameReader(self._replies_fd)
        command = [sys.executable, "-P", "-m", "backend_main.reading.child_process.main"]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list, and every part is our own
                [*command, str(requests_read), str(replies_write), engine, str(threads)],
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard error, which is the log
                pass_fds=(requests_read, replies_write),
                env=child_environment(filter(None, [engine, *other_engines]), threads),
                # Keeps the terminal's signals away, and makes one group of all that it starts.
                start_new_session=True,
            )
        except BaseException:
            self._close_pipes()
            raise
        finally:
            os.close(requests_read)
            os.close(replies_write)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        if self._process.returncode is not None:
            return False
        # `poll` would free the process id, which names the group to kill until `discard`.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def send(self, request: Request) -> None:
        """Send a request. Raises ChildExited."""
        try:
            send(self._requests_fd, request)
        except OSError as error:
            raise ChildExited from error

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
        """Return the memory in use; 0 if the process has exited. Source: statm of proc(5), second field."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def kill(self) -> None:
        """Kill the process with all that it has started."""
        if self.is_alive():
            self._kill_group()

    def discard(self) -> None:
        """Kill the process with all that it has started, and close its pipes."""
        if self._process.returncode is None:
            self._kill_group()
        self._process.wait()
        self._close_pipes()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _close_pipes(self) -> None:
        for fd in (self._requests_fd, self._replies_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._requests_fd = self._replies_fd = -1


def child_environment(engines: Iterable[str], threads: int) -> dict[str, str]:
    """Return the environment of a child: the inherited variables and those that configure its engines."""
    names = set(INHERITED_VARIABLES)
    for engine in engines:
        with contextlib.suppress(ReadingError):  # the child reports an unknown or broken engine
            names |= engine_class(engine).environment_variables
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    count = str(threads or len(os.sched_getaffinity(0)))
    return inherited | {"OMP_NUM_THREADS": count, "OMP_THREAD_LIMIT": count, "PYTHONUNBUFFERED": "1"}
