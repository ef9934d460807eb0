"""Landlock: files, TCP ports and signals that are out of reach (landlock(7), Linux 5.13 and later).

A domain holds for the thread that enters it and for what it starts later, so a process must enter it before
it has threads.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from .kernel import Unsupported, system_call
from .policy import Policy
from .readable_paths import PROGRAM_LOADERS

# Numbers and bits of include/uapi/linux/landlock.h; the numbers are the same for all processors.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
FS_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights to files that a version of the interface knows."""
NET_RIGHTS = 0b11
"""Binding and connecting of TCP sockets, since version 4."""
SCOPES = 0b11
"""Abstract Unix sockets and signals outside the domain, since version 6."""
NET_ABI, SCOPE_ABI = 4, 6
WRITABLE_DEVICES = ("/dev/null",)


class _RulesetAttributes(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathAttributes(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def abi_version() -> int:
    """Return the version of Landlock of the running kernel. Raises Unsupported."""
    try:
        return system_call(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise Unsupported("the kernel has Landlock but does not enable it (lsm=)") from None
        raise Unsupported("the kernel has no Landlock (Linux 5.13 or later)") from None


def enter_domain(policy: Policy, programs: Iterable[str] = ()) -> None:
    """Confine this thread, and what it starts later, to the files of a policy.

    Args:
        policy: files and directories to read; whether connections may be opened.
        programs: programs that may be run.

    Raises:
        Unsupported: the kernel has no Landlock.
        OSError: the kernel refuses.
    """
    abi = abi_version()
    rights = FS_RIGHTS_BY_ABI[min(abi, max(FS_RIGHTS_BY_ABI))]
    attributes = _RulesetAttributes(
        rights,
        NET_RIGHTS if abi >= NET_ABI and not policy.has_network else 0,
        SCOPES if abi >= SCOPE_ABI else 0,
    )
    ruleset = system_call(CREATE_RULESET, ctypes.byref(attributes), _attributes_size(abi), 0)
    try:
        for path in (*policy.readable, "/proc/self"):
            _allow(ruleset, path, READ_FILE | READ_DIR)
        for path in policy.listable:
            _allow(ruleset, path, READ_DIR)
        for path in WRITABLE_DEVICES:
            _allow(ruleset, path, READ_FILE | WRITE_FILE)
        for path in programs:
            _allow(ruleset, path, READ_FILE | EXECUTE)
        if programs:
            for path in _loaders():
                _allow(ruleset, path, READ_FILE | EXECUTE)
        system_call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _attributes_size(abi: int) -> int:
    """Return the size of the structure that the kernel knows; an older one rejects unknown fields."""
    fields = 3 if abi >= SCOPE_ABI else 2 if abi >= NET_ABI else 1
    return 8 * fields


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Add a rule for a file, or a directory and all below it. A missing path has no effect."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= ~READ_DIR
        attributes = _PathAttributes(rights, fd)
        system_call(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(attributes), 0)
    finally:
        os.close(fd)


def _loaders() -> list[str]:
    return [str(path) for pattern in PROGRAM_LOADERS for path in Path("/").glob(pattern)]
