"""Step 10 - the host's hand on its child: spawn, send, receive, weigh, kill. Decides nothing."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from ..engines import engine_class
from ..errors import ReadingError
from .ipc import (
    FrameReader,
    Reply,
    Request,
    send,
)

# All that a child may know of this process's environment: never SCANRILL_*, never what may hold a secret.
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
    """The child's end of the pipe is closed, or what came out of it makes no sense."""


class ChildProcess:
    """A running `backend_main.reading.child_process.main` and the two pipes to it. Used by one thread; `kill` by any."""

    def __init__(self, engine: str, threads: int) -> None:
        requests_read, self._requests = os.pipe()
        self._replies, replies_write = os.pipe()
        self._frames = FrameReader(self._replies)
        command = [sys.executable, "-P", "-m", "backend_main.reading.child_process.main"]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list, and every part is our own
                [*command, str(requests_read), str(replies_write), engine, str(threads)],
                stdin=subprocess.DEVNULL,
                stdout=2,  # the log, as its standard error
                pass_fds=(requests_read, replies_write),
                env=child_environment(engine, threads),
                # Away from the terminal's signals, and one group to kill with all it may have started.
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

    def alive(self) -> bool:
        if self._process.returncode is not None:
            return False
        # Not `poll`, which would free its number: until `discard` that names the group of what it started.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def send(self, request: Request) -> None:
        """Raises ChildExited."""
        try:
            send(self._requests, request)
        except OSError as error:
            raise ChildExited from error

    def receive(self, seconds: float) -> Reply | None:
        """The next reply, or None when none came whole within `seconds`. Raises ChildExited."""
        try:
            reply = self._frames.next_reply()
            if reply is None and select.select([self._replies], [], [], seconds)[0]:
                if not self._frames.fill():
                    raise ChildExited
                reply = self._frames.next_reply()
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            raise ChildExited from error
        return reply

    def resident_bytes(self) -> int:
        """Memory in use; 0 when the process is gone. From proc(5): the second field of statm, in pages."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def kill(self) -> None:
        if self.alive():
            self._kill_group()

    def discard(self) -> None:
        """Kill it, with what it has started, and give back its pipes."""
        if self._process.returncode is None:
            self._kill_group()
        self._process.wait()
        self._close_pipes()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _close_pipes(self) -> None:
        for fd in (self._requests, self._replies):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._requests = self._replies = -1


def child_environment(engine: str, threads: int) -> dict[str, str]:
    names = (*INHERITED_VARIABLES, *_engine_variables(engine))
    kept = {name: os.environ[name] for name in names if name in os.environ}
    count = str(threads or len(os.sched_getaffinity(0)))
    return kept | {"OMP_NUM_THREADS": count, "OMP_THREAD_LIMIT": count, "PYTHONUNBUFFERED": "1"}


def _engine_variables(engine: str) -> frozenset[str]:
    """Those that this engine alone is set up by; one that is unknown or broken the child will report."""
    try:
        return engine_class(engine).environment_variables if engine else frozenset()
    except ReadingError:
        return frozenset()
