"""File to read: by its path, or by an open descriptor.

A confined process cannot open the file of a user; it receives the descriptor.
"""

import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

SourceFile = Path | int
"""Path of a file, or its open descriptor, which stays the property of the caller."""


class DescriptorFile(io.RawIOBase):
    """A readable file with its own copy of a descriptor.

    Copies of a descriptor share the position of the file, so this class has a position of its own.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = os.dup(descriptor)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            offset += os.fstat(self._descriptor).st_size
        self._at = max(0, offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub has no public type
        count = os.preadv(self._descriptor, [buffer], self._at)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def open_source(source: SourceFile) -> BinaryIO:
    """Open a file at its start. Raises OSError."""
    if isinstance(source, int):
        return cast("BinaryIO", DescriptorFile(source))
    return open(source, "rb")


def memory_file(content: bytes) -> int:
    """Return the descriptor of a file without a name that has this content. The caller closes it."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("scanrill")
    else:  # not on Linux
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    with open(os.dup(fd), "wb") as writer:
        writer.write(content)
    return fd
