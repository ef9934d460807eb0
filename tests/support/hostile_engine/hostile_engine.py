"""Engine that does what code does that has taken over a decoder. Its directory belongs into PYTHONPATH.

The page is a PNG whose text `scanrill` is JSON: the attack to make and its targets. The attack `all` yields a
line for each attempt: its name, and whether it was refused.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backend_main.reading.engines import Engine
from backend_main.reading.output.markdown import MarkdownWriter
from backend_main.reading.types import Line

PTRACE_ATTACH, PR_SET_DUMPABLE, F_SETOWN, TIOCSTI = 16, 4, 8, 0x5412
REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)
CHUNK_BYTES = 16 << 20
NUMBERS = {  # x86_64, aarch64
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "userfaultfd": (323, 282),
    "clone3": (435, 435),
    "unshare": (272, 97),
    "setsid": (112, 157),
}
_libc = ctypes.CDLL(None, use_errno=True)


class HostileEngine(Engine):
    name = "hostile"

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: Any) -> Iterator[Line]:
        script = json.loads(page.info["scanrill"])
        writer = MarkdownWriter()
        for text in ATTACKS[script["attack"]](script):
            yield Line(page.number, text, writer.write("\n", text))


def _call(name: str, *arguments: Any) -> None:
    number = NUMBERS[name][os.uname().machine == "aarch64"]
    if _libc.syscall(ctypes.c_long(number), *[ctypes.c_long(value) for value in arguments]) < 0:
        raise OSError(ctypes.get_errno(), name)


def _write_database(path: str) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute("UPDATE core_user SET is_superuser = 1")
        connection.commit()
    finally:
        connection.close()


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _own_file() -> str:
    """Return the name of the descriptor of the file that is being read."""
    names = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return next(name for name in names if "files" in os.path.realpath(name))


def _attempts(script: dict[str, Any]) -> dict[str, Callable[[], object]]:
    data, server = Path(script["data_dir"]), script["server_pid"]
    database = str(data / "scanrill.sqlite3")
    attempts: dict[str, Callable[[], object]] = {
        "read the environment of the server": lambda: Path(f"/proc/{server}/environ").read_bytes(),
        "read the environment of the parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "read the memory of the parent": lambda: open(f"/proc/{os.getppid()}/mem", "rb"),
        "list the descriptors of the parent": lambda: os.listdir(f"/proc/{os.getppid()}/fd"),
        "read the secret key": lambda: (data / "secret.key").read_text(),
        "read the database": lambda: Path(database).read_bytes(),
        "read it by SQLite": lambda: sqlite3.connect(database).execute("SELECT password FROM core_user"),
        "write the database": lambda: _write_database(database),
        "list the files of users": lambda: os.listdir(data / "files"),
        "open a file for writing": lambda: open(database, "r+b"),
        "create a file in the data directory": lambda: (data / "new").write_text(""),
        "create a file in /tmp": lambda: Path("/tmp/scanrill-hostile").write_text(""),
        "create a file in /dev/shm": lambda: Path("/dev/shm/scanrill-hostile").write_text(""),
        "read the passwords of the system": lambda: Path("/etc/passwd").read_text(),
        "delete the database": lambda: os.unlink(database),
        "rename the database": lambda: os.rename(database, database + ".old"),
        "truncate the database": lambda: os.truncate(database, 0),
        "change the mode of the database": lambda: os.chmod(database, 0o666),
        "link to the database": lambda: os.symlink(database, data / "link"),
        "write its own file": lambda: os.open(_own_file(), os.O_RDWR),
        "change a library": lambda: open(os.__file__, "a"),
        "open a socket over IPv4": lambda: socket.socket(socket.AF_INET),
        "open a socket over IPv6": lambda: socket.socket(socket.AF_INET6),
        "open a Unix socket": lambda: socket.socket(socket.AF_UNIX),
        "open a socket of the kernel": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "open sockets by io_uring": lambda: _call("io_uring_setup", 1, 0),
        "trace the parent": lambda: _call("ptrace", PTRACE_ATTACH, os.getppid(), 0, 0),
        "read the parent's memory at once": lambda: _call("process_vm_readv", os.getppid(), 0, 0, 0, 0, 0),
        "hold the parent": lambda: _call("pidfd_open", os.getppid(), 0),
        "load a program into the kernel": lambda: _call("bpf", 0, 0, 0),
        "read keys": lambda: _call("keyctl", 0, -3, 0),
        "handle page faults": lambda: _call("userfaultfd", 0),
        "fork": _fork,
        "fork by clone3": lambda: _call("clone3", 0, 0),
        "spawn a program": lambda: subprocess.run(["/bin/true"], check=True),
        "signal the parent": lambda: os.kill(os.getppid(), 0),
        "signal all": lambda: os.kill(-1, 0),
        "signal by a descriptor": lambda: fcntl.fcntl(0, F_SETOWN, os.getppid()),
        "leave the group of processes": lambda: _call("setsid"),
        "enter another namespace": lambda: _call("unshare", 0x10000000),
        "become the superuser": lambda: os.setuid(0) if os.getuid() else os.setuid(1),
        "change the root": lambda: os.chroot("/"),
        "allow itself to be inspected": lambda: _prctl(PR_SET_DUMPABLE, 1),
        "raise the limit of files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100_000, 100_000)),
        "type into a terminal": lambda: fcntl.ioctl(0, TIOCSTI, b"x"),
        # The last one: if it succeeded, this process would be another program.
        "execute a program": lambda: os.execv("/bin/true", ["true"]),
    }
    return attempts


def _attempt_all(script: dict[str, Any]) -> Iterator[str]:
    yield f"attempts of process {os.getpid()}"
    for name, attempt in _attempts(script).items():
        try:
            attempt()
        except OSError as error:
            # Another error says that the attempt was wrong, not that it was refused.
            outcome = "refused" if error.errno in REFUSALS else f"failed with {error}"
        except ValueError as error:
            outcome = "refused" if str(error).startswith("not allowed") else f"failed with {error}"
        except sqlite3.Error as error:
            outcome = "refused" if str(error).startswith("unable to open") else f"failed with {error}"
        else:
            outcome = "succeeded"
        yield f"{name}: {outcome}"


def _chatter(script: dict[str, Any]) -> Iterator[str]:
    """Never be silent for as long as the parent waits for data, and never end."""
    while True:
        time.sleep(0.02)
        yield "line"


def _fill_memory(script: dict[str, Any]) -> Iterator[str]:
    """Allocate without end while lines come."""
    chunks = []
    while True:
        chunks.append(b"\x01" * CHUNK_BYTES)
        time.sleep(0.02)
        yield "line"


def _allocate_at_once(script: dict[str, Any]) -> Iterator[str]:
    yield "before"
    try:
        bytearray(script["bytes"])
    except MemoryError:
        yield "failed"
    else:
        yield "succeeded"


def _send_pages(script: dict[str, Any]) -> Iterator[str]:
    """Write into the pipe of the replies that pages are done, for ever."""
    from backend_main.reading.child_process import ipc
    from backend_main.reading.types import PageDone

    yield "line"
    while True:
        done = PageDone(1, 1, 8, 8, "", "", [], [])
        ipc.send(int(sys.argv[2]), done)


def _print(script: dict[str, Any]) -> Iterator[str]:
    os.write(2, b"\x1b]52;c;hostile\x07begin\n")
    for _ in range(script["bytes"] // 100):
        os.write(2, b"x" * 99 + b"\n")
    yield "printed"


def _compute(script: dict[str, Any]) -> Iterator[str]:
    """Compute for ever."""
    yield "line"
    while True:
        pass


ATTACKS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "all": _attempt_all,
    "chatter": _chatter,
    "fill memory": _fill_memory,
    "allocate": _allocate_at_once,
    "send pages": _send_pages,
    "print": _print,
    "compute": _compute,
}
