"""Files of Python and of the system that a confined process reads."""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

SYSTEM_PATHS = (
    "/usr",  # libraries, fonts, language packs, time zones
    "/lib",
    "/lib64",
    # Nix, Guix and Homebrew keep all libraries there.
    "/nix/store",
    "/gnu/store",
    "/home/linuxbrew/.linuxbrew",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    # What runtimes of models read to count processors and memory.
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/filesystems",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/sys/devices",
    "/sys/bus/pci/devices",
    "/sys/fs/cgroup",
)
NETWORK_PATHS = (
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
)
PROGRAM_LOADERS = ("lib/ld-*", "lib64/ld-*")
"""Patterns of the loaders of dynamic programs, which the kernel opens for them, below /."""


def python_paths() -> tuple[list[str], list[str]]:
    """Return what Python reads to import modules, and directories whose names it lists only.

    A directory of `sys.path` that is not a directory of packages may contain anything: the checkout of an
    editable installation contains data directories too. Only the packages themselves are then readable. A
    file of `sys.path` is a zip archive of modules (zipimport).
    """
    base = {sys.base_prefix, sys.base_exec_prefix} - {"/"}
    readable = [sys.prefix, *(str(Path(path, part)) for path in base for part in ("lib", "lib64", "bin"))]
    readable += [path for path in sysconfig.get_paths().values() if path != "/"]
    readable += site.getsitepackages()
    if site.ENABLE_USER_SITE:  # not in a virtual environment
        readable.append(site.getusersitepackages())
    readable = list(dict.fromkeys(os.path.realpath(path) for path in readable if Path(path).exists()))
    others = [os.path.realpath(path) for path in sys.path if path and Path(path).exists()]
    readable += [path for path in others if Path(path).is_file() and not is_below(path, readable)]
    listable = [path for path in others if not is_below(path, readable)]
    return readable, listable


def package_directory(module: str) -> list[str]:
    """Return the directories of the top-level package of an imported module; its file if it is a module."""
    top = sys.modules.get(module.partition(".")[0])
    file = getattr(top, "__file__", None)
    if file is None:  # a namespace package (PEP 420) has directories only
        return [os.path.realpath(path) for path in getattr(top, "__path__", ())]
    return [os.path.realpath(Path(file).parent if hasattr(top, "__path__") else file)]


def is_below(path: str | Path, directories: Iterable[str]) -> bool:
    """Return whether a path is one of the directories, or below one."""
    parts = Path(path)
    return any(parts.is_relative_to(directory) for directory in directories)
