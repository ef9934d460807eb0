"""Sources of a document: paths, bytes and binary file objects."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

CHUNK_BYTES = 1 << 20


@runtime_checkable
class BinaryFile(Protocol):
    """File object opened in binary mode. It need not be seekable."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most `size` bytes; none at the end."""


Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryFile
"""Document to read: a path, the bytes of a file, or a file object opened in binary mode.

A file object is read from its position to its end. It stays open.
"""


def check_source(source: object) -> None:
    """Raise TypeError if `source` is not a `Source`."""
    if isinstance(source, io.TextIOBase):
        raise TypeError('source is a file object in text mode. Open the file with mode "rb".')
    if not isinstance(source, str | os.PathLike | bytes | bytearray | memoryview | BinaryFile):
        kind = type(source).__name__
        raise TypeError(f"source is of type {kind}. Pass a path, bytes, or a file object in binary mode.")


@contextmanager
def local_path(source: Source) -> Iterator[Path]:
    """Provide the path of a document. Bytes and file objects are copied to a temporary file.

    Raises:
        TypeError: the file object returned text.
        OSError: a file object cannot be read, or the temporary file cannot be written.
    """
    if isinstance(source, str | os.PathLike):
        yield Path(source)
        return
    with tempfile.NamedTemporaryFile(prefix="scanrill-") as copy:
        if isinstance(source, bytes | bytearray | memoryview):
            copy.write(bytes(source) if isinstance(source, memoryview) else source)
        else:
            _copy(source, copy)
        copy.flush()
        yield Path(copy.name)


def _copy(source: BinaryFile, target: IO[bytes]) -> None:
    while True:
        data: object = source.read(CHUNK_BYTES)
        if not data:
            return
        if not isinstance(data, bytes | bytearray | memoryview):
            kind = type(data).__name__
            raise TypeError(f'source returned {kind} instead of bytes. Open the file with mode "rb".')
        target.write(data)
