"""prctl and system calls by ctypes."""

import ctypes
import os
import sys
from functools import cache
from typing import Any


class Unsupported(Exception):
    """This system lacks what a measure needs. The message is a phrase."""


@cache
def _libc() -> Any:
    if sys.platform != "linux":
        raise Unsupported("only Linux has it")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def prctl(option: int, argument: int = 0) -> int:
    """Call prctl(2). Raises OSError, Unsupported."""
    zero = ctypes.c_ulong(0)
    return _checked(_libc().prctl(option, ctypes.c_ulong(argument), zero, zero, zero))


def system_call(number: int, *arguments: Any) -> int:
    """Make a system call; integers become `long`. Raises OSError, Unsupported."""
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *converted))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
