"""Memory and processor time of a process, from files of /proc that stay open.

The child makes itself non-dumpable (prctl(2)). If /proc is mounted with `hidepid`, and the server is not the
superuser, the files of such a process cannot be opened any more (proc(5)). Files that are open stay valid.
"""

import contextlib
import os
from io import FileIO


class ProcessUsage:
    """Usage of a child process. Create it right after the start: the child hides itself soon afterwards."""

    def __init__(self, pid: int) -> None:
        self._memory, self._times = _open(f"/proc/{pid}/statm"), _open(f"/proc/{pid}/stat")

    def resident_bytes(self) -> int:
        """Return the memory in use; 0 if the process has exited. Source: statm of proc(5), second field."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(_read(self._memory).split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def cpu_seconds(self) -> float:
        """Return the processor time so far. Source: stat of proc(5), fields 14 and 15.

        Raises:
            OSError: the process has exited, or the system has no such file.
        """
        ticks = _read(self._times).rpartition(b")")[2].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Close the files."""
        for file in (self._memory, self._times):
            if file is not None:
                file.close()


def _open(path: str) -> FileIO | None:
    with contextlib.suppress(OSError):  # another system than Linux has no such file
        return FileIO(path)
    return None


def _read(file: FileIO | None) -> bytes:
    if file is None or file.closed:
        raise ProcessLookupError
    return os.pread(file.fileno(), 4096, 0)
