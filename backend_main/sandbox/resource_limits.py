"""Limits of resources: the kernel enforces them, also while the parent does not measure."""

import contextlib
import os
import resource
from pathlib import Path

MAX_FILE_BYTES = 1 << 30
"""Largest file in memory: the files of a PDF portfolio have at most 1 GiB together."""
MAX_DESCRIPTORS = 256
MAX_USER_PROCESSES = 256 + 8 * (os.cpu_count() or 1)
"""Processes and threads of a user that has no others; runtimes start one to four for each core."""
CPU_GRACE_SECONDS = 5


def prefer_as_oom_victim() -> None:
    """Make the kernel kill this process, not the server, if the machine runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def apply_limits() -> None:
    """Limit file size and descriptors, and forbid core dumps, which contain the page. Raises OSError."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    _lower(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)


def limit_processes() -> None:
    """Limit the processes of this user. It must have no others: the kernel counts all of a user."""
    _lower(resource.RLIMIT_NPROC, MAX_USER_PROCESSES)


def limit_memory(max_bytes: int) -> None:
    """Limit the address space to what is mapped now and `max_bytes` more.

    The parent measures the memory in use every 0.1 s; this bounds what a process allocates between.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + max_bytes)


def extend_cpu_time(pid: int, used_seconds: float, seconds: float) -> None:
    """Allow a child `seconds` of processor time on each core beyond those it has used.

    The kernel kills it with SIGXCPU afterwards, whatever the parent does meanwhile. Raises OSError.
    """
    limit = int(used_seconds + (seconds + CPU_GRACE_SECONDS) * (os.cpu_count() or 1)) + 1
    _, hard = resource.prlimit(pid, resource.RLIMIT_CPU)
    soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.prlimit(pid, resource.RLIMIT_CPU, (soft, hard))


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or value < hard:
        resource.setrlimit(kind, (value, value))
