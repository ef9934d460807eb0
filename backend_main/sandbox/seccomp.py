"""Filter of system calls: what decoding needs is allowed, and all else fails (seccomp(2)).

Calls that Linux had before 5.1 fail with EPERM. Newer ones fail as unknown, so that libraries use the older
ones instead, among them `clone` for `clone3`, whose flags a filter cannot read.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

from .kernel import Unsupported, system_call
from .policy import Policy
from .system_calls import (
    DECODER_CALLS,
    NETWORK_CALLS,
    PROGRAM_CALLS,
    audit_architecture,
    number,
    numbers,
)

SET_MODE_FILTER, GET_ACTION_AVAILABLE = 1, 2
ALL_THREADS, ALLOW_SPECULATION = 1 << 0, 1 << 2
"""Flags of seccomp(2). Kernels before 5.16 switch a mitigation on otherwise, which slows all code down."""
ALLOW, ERROR, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Instructions of classic BPF (include/uapi/linux/bpf_common.h)."""
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
"""Offsets in struct seccomp_data."""
X32_BIT = 0x40000000
FIRST_UNIFIED_NUMBER = 424
"""First number that all processors share, of Linux 5.1."""

CLONE_THREAD, NEW_NAMESPACES = 0x00010000, 0x7E020080
TERMINAL_AND_PIPE_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. TIOCSTI would type into a terminal."""
DESCRIPTOR_COMMANDS = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. F_SETOWN would send signals to a process."""
HARMLESS_OPTIONS = (3, 15, 16, 0x53564D41)
"""PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA."""
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
INTERNET_FAMILIES = (2, 10, 16)
"""AF_INET, AF_INET6, and AF_NETLINK, which the resolver reads addresses from. Not AF_UNIX."""

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant."""


def install_filter(policy: Policy, *, runs_programs: bool = False) -> None:
    """Filter the system calls of all threads of this process, and of what they start.

    Raises:
        Unsupported: the kernel or the processor is not supported.
        OSError: the kernel refuses.
    """
    program = b"".join(struct.pack("=HBBI", *step) for step in _program(policy, runs_programs))
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = _Filter(len(program) // 8, ctypes.addressof(buffer))
    try:
        flags = ALL_THREADS | ALLOW_SPECULATION
        system_call(number("seccomp"), SET_MODE_FILTER, flags, ctypes.byref(filter_))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL):
            raise Unsupported("the kernel has no filter of system calls (Linux 4.17 or later)") from None
        raise


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def _program(policy: Policy, runs_programs: bool) -> Iterator[Instruction]:
    yield LOAD, 0, 0, ARCHITECTURE_AT
    yield JUMP_EQUAL, 1, 0, audit_architecture()
    yield RETURN, 0, 0, KILL_PROCESS
    yield LOAD, 0, 0, NUMBER_AT
    yield JUMP_GREATER_OR_EQUAL, 0, 1, X32_BIT
    yield RETURN, 0, 0, ERROR | errno.ENOSYS
    allowed = DECODER_CALLS
    if runs_programs:
        allowed |= PROGRAM_CALLS
    if policy.has_network:
        allowed |= NETWORK_CALLS
    for call in numbers(allowed):
        yield JUMP_EQUAL, 0, 1, call
        yield RETURN, 0, 0, ALLOW
    for name, condition in _conditions(policy, runs_programs).items():
        for call in numbers(frozenset({name})):
            yield JUMP_EQUAL, 0, len(condition), call
            yield from condition
    yield JUMP_GREATER_OR_EQUAL, 0, 1, FIRST_UNIFIED_NUMBER
    yield RETURN, 0, 0, ERROR | errno.ENOSYS
    yield RETURN, 0, 0, ERROR | errno.EPERM


def _conditions(policy: Policy, runs_programs: bool) -> dict[str, list[Instruction]]:
    """Return the calls that depend on an argument, with the instructions that decide."""
    own_pid = os.getpid()
    conditions = {
        # Without a descriptor of a file that can be written, no other call writes one.
        "open": [_load(1), *_unless_any_bit(WRITE_FLAGS)],
        "openat": [_load(2), *_unless_any_bit(WRITE_FLAGS)],
        "clone": [_load(0), *(_unless_any_bit(NEW_NAMESPACES) if runs_programs else _if_bit(CLONE_THREAD))],
        "ioctl": [_load(1), *_if_one_of(TERMINAL_AND_PIPE_REQUESTS)],
        "fcntl": [_load(1), *_if_one_of(DESCRIPTOR_COMMANDS)],
        "kill": [_load(0), *_if_one_of((0, own_pid))],  # 0: its own process group
        "tgkill": [_load(0), *_if_one_of((own_pid,))],
        "prctl": [_load(0), *_if_one_of(HARMLESS_OPTIONS)],
        # The address of new limits.
        "prlimit64": [*_if_zero(2)],
        # The address of a receiver: a connected socket needs none.
        "sendto": [*_if_zero(4)],
    }
    if runs_programs:
        # A program has another process id. `abort` sends it a signal; Landlock keeps it from other processes.
        conditions["tgkill"] = [(RETURN, 0, 0, ALLOW)]
    if policy.has_network:
        conditions["socket"] = [_load(0), *_if_one_of(INTERNET_FAMILIES)]
        conditions["sendto"] = [(RETURN, 0, 0, ALLOW)]
    return conditions


def _load(argument: int, *, high: bool = False) -> Instruction:
    """Load the low or high half of an argument; both processors are little-endian."""
    return LOAD, 0, 0, ARGUMENTS_AT + 8 * argument + (4 if high else 0)


def _unless_any_bit(bits: int) -> list[Instruction]:
    return [(JUMP_ANY_BIT, 1, 0, bits), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERROR | errno.EPERM)]


def _if_bit(bit: int) -> list[Instruction]:
    return [(JUMP_ANY_BIT, 0, 1, bit), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERROR | errno.EPERM)]


def _if_one_of(values: tuple[int, ...]) -> list[Instruction]:
    steps: list[Instruction] = []
    for value in values:
        steps += [(JUMP_EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW)]
    return [*steps, (RETURN, 0, 0, ERROR | errno.EPERM)]


def _if_zero(argument: int) -> list[Instruction]:
    return [
        _load(argument),
        (JUMP_EQUAL, 0, 3, 0),
        _load(argument, high=True),
        (JUMP_EQUAL, 0, 1, 0),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ERROR | errno.EPERM),
    ]
