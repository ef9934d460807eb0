"""Rights of a process: no_new_privs, core dumps and /proc, capabilities, another user."""

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from .kernel import Unsupported, prctl, system_call
from .resource_limits import limit_processes
from .system_calls import number

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 24, 38
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITY_COUNT = 64
NEEDED_CAPABILITIES = 1 << 5 | 1 << 6 | 1 << 7
"""CAP_KILL, CAP_SETGID and CAP_SETUID: the parent must be able to kill a process of another user."""
USERS = range(61_184, 65_520)
"""Users that no file belongs to: systemd's range for services with a dynamic user (systemd.exec(5))."""


def forbid_new_privileges() -> None:
    """Make set-user-ID programs run without their rights. Raises OSError, Unsupported."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def forbid_inspection() -> None:
    """Keep processes of the same user from this one's memory, environment and descriptors.

    They belong to the superuser from now on, and no core dump is written (PR_SET_DUMPABLE of prctl(2)).
    Raises OSError, Unsupported.
    """
    prctl(PR_SET_DUMPABLE, 0)


def protect_server() -> None:
    """Apply `forbid_inspection` to a server, where the system has it."""
    with contextlib.suppress(OSError, Unsupported):
        forbid_inspection()


def become_unused_user(readable: Iterable[str]) -> None:
    """Change to a user of `USERS`, another one for each process.

    Args:
        readable: files and directories that the process must be able to read as that user.

    Raises:
        Unsupported: this process may not, or could not read a directory afterwards.
        OSError: the kernel refuses.
    """
    if os.geteuid() != 0:
        raise Unsupported("the server does not run as root, so the process keeps the server's user")
    if (_effective_capabilities() & NEEDED_CAPABILITIES) != NEEDED_CAPABILITIES:
        raise Unsupported("the server may not start processes as another user, and stop them")
    for path in readable:
        if (hidden := _hidden_part(path)) is not None:
            raise Unsupported(f"other users cannot read {hidden}")
    user = USERS[os.getpid() % len(USERS)]
    limit_processes()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def drop_capabilities() -> None:
    """Give up all capabilities for good. Raises OSError, Unsupported."""
    for capability in range(CAPABILITY_COUNT):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # unknown to this kernel, or this process has none
            break
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    system_call(number("capset"), ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def _effective_capabilities() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))


def _hidden_part(path: str) -> str | None:
    """Return the part of a path that other users cannot enter or read; None without one."""
    directory = Path(os.path.realpath(path))
    if not directory.exists():
        return None
    for part in (*reversed(directory.parents), directory):
        mode = part.stat().st_mode
        needed = (stat.S_IROTH if part == directory else 0) | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
        if mode & needed != needed:
            return str(part)
    return None
