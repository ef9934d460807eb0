"""Programs that an engine runs, such as Tesseract.

A confined process cannot run programs. One beside it does, which decodes nothing: it receives the arguments
and the descriptors of the program's input and output, and sends back the exit status. It is confined too, and
so are the programs.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from subprocess import DEVNULL, PIPE, STDOUT
from typing import Any, BinaryIO, NoReturn

MAX_PROGRAM_BYTES = 3 << 30
"""Memory limit of a program; enough for the largest page that the default limits allow."""
MAX_REQUEST_BYTES = 1 << 16
EXIT_NOT_RUN = 127
"""Exit status of a shell for a program that it cannot run."""
PROGRAM_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "TESSDATA_PREFIX")
"""Environment variables that a program gets."""


class ProgramRunner:
    """The process that runs programs, in the process that it belongs to. Any thread may use it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def run(self, command: Sequence[str], content: bytes, *, merge_errors: bool) -> tuple[int, bytes]:
        """Run a program of the policy; return its exit status and its output. Raises OSError."""
        request = json.dumps({"command": list(command), "merge_errors": merge_errors}).encode()
        with contextlib.ExitStack() as files, self._lock:
            input_read, input_write = os.pipe()
            output_read, output_write = os.pipe()
            output = files.enter_context(open(output_read, "rb"))
            try:
                socket.send_fds(self._connection, [request], [input_read, output_write])
            except OSError:
                os.close(input_write)
                raise
            finally:
                os.close(input_read)
                os.close(output_write)
            writer = threading.Thread(target=_write, args=(input_write, content), daemon=True)
            writer.start()
            found = output.read()
            writer.join()
            status = self._connection.recv(MAX_REQUEST_BYTES)
        if not status:
            raise OSError(f"The process that runs {command[0]} has exited.")
        return int(status), found


_runner: ProgramRunner | None = None


def run_program(
    command: Sequence[str], content: bytes, *, timeout: float | None = None, merge_errors: bool = False
) -> tuple[int, bytes]:
    """Run a program, in a confined process through its runner; return its exit status and its output.

    Args:
        command: path of the program, and its arguments.
        content: its standard input.
        timeout: time limit in seconds. A runner ignores it: the parent of both limits the time.
        merge_errors: its standard error is a part of the output; otherwise it is dropped.

    Raises:
        OSError: the program does not run.
        subprocess.TimeoutExpired: it took too long, and was killed.
    """
    if _runner is not None:
        return _runner.run(command, content, merge_errors=merge_errors)
    with subprocess.Popen(  # noqa: S603 - a list, and no part of it is a user's
        command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT if merge_errors else DEVNULL,
        env=_environment(),
    ) as program:
        if hasattr(resource, "prlimit"):
            resource.prlimit(program.pid, resource.RLIMIT_AS, (MAX_PROGRAM_BYTES, MAX_PROGRAM_BYTES))
        try:
            output, _ = program.communicate(content, timeout)
        except subprocess.TimeoutExpired:
            program.kill()
            raise
    return program.returncode, output


def start_runner(confine: Callable[[], None], programs: Sequence[str]) -> None:
    """Fork a runner for some programs; `run_program` uses it afterwards. The process must have no threads.

    Args:
        confine: called in the new process.
        programs: paths of the programs.
    """
    global _runner
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            _prepare_process(theirs.fileno())
            # Confined, it could not open it for writing.
            with open(os.devnull, "wb") as null:
                confine()
                _serve(theirs, frozenset(programs), null)
        finally:
            os._exit(1)
    theirs.close()
    _runner = ProgramRunner(ours)


def _prepare_process(connection_fd: int) -> None:
    """Close the descriptors of the confined process, and limit the memory of this one and its programs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.closerange(3, connection_fd)
    os.closerange(connection_fd + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    resource.setrlimit(resource.RLIMIT_AS, (MAX_PROGRAM_BYTES, MAX_PROGRAM_BYTES))


def _serve(connection: socket.socket, programs: frozenset[str], null: BinaryIO) -> NoReturn:
    """Run programs one at a time until the other process exits."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 2)
        if not request:
            # The other process has exited, and so must what runs for it.
            os.killpg(0, signal.SIGKILL)
        connection.send(str(_run(json.loads(request), descriptors, programs, null)).encode())


def _run(
    request: dict[str, Any], descriptors: Sequence[int], programs: frozenset[str], null: BinaryIO
) -> int:
    command, (stdin, stdout) = request["command"], descriptors
    try:
        if command[0] not in programs:
            return EXIT_NOT_RUN
        stderr = STDOUT if request["merge_errors"] else null
        with subprocess.Popen(  # noqa: S603 - a list, and the program is one of the policy
            command, stdin=stdin, stdout=stdout, stderr=stderr, env=_environment()
        ) as program:
            os.close(stdout)
            stdout = -1
            return program.wait()
    except OSError:
        return EXIT_NOT_RUN
    finally:
        os.close(stdin)
        if stdout >= 0:
            os.close(stdout)


def _write(fd: int, content: bytes) -> None:
    # The program may exit before it has read all.
    with contextlib.suppress(BrokenPipeError), open(fd, "wb") as file:
        file.write(content)


def _environment() -> dict[str, str]:
    # Tesseract takes five times the processor time with more threads.
    return {name: os.environ[name] for name in PROGRAM_VARIABLES if name in os.environ} | {
        "OMP_THREAD_LIMIT": "1"
    }
