"""A file as a sequence of pieces: parts of a mapped file, and bytes that stand between them or replace some.

A decoder that reads it sees only the parts that the picture needs, so damage in other parts cannot stop it.
"""

import io
import mmap
from bisect import bisect_right
from collections.abc import Sequence

Piece = bytes | range
"""Bytes, or the offsets of a part of the mapped file."""


class SplicedFile(io.RawIOBase):
    """A readable file of these pieces.

    `descriptor` is what `fileno` returns, for a decoder that reads pixels by offsets which the pieces keep.
    """

    def __init__(
        self, data: mmap.mmap | bytes, pieces: Sequence[Piece], descriptor: int | None = None
    ) -> None:
        super().__init__()
        self._data = data
        self._pieces = [piece for piece in pieces if len(piece)]
        self._descriptor = descriptor
        self._starts = [0]
        for piece in self._pieces:
            self._starts.append(self._starts[-1] + len(piece))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._descriptor is None:
            raise io.UnsupportedOperation("fileno")
        return self._descriptor

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = self._starts[-1] if size is None or size < 0 else min(self._at + size, self._starts[-1])
        parts = []
        place = bisect_right(self._starts, self._at) - 1
        while self._at < end:
            start, piece = self._starts[place], self._pieces[place]
            wanted = piece[self._at - start : end - start]
            parts.append(wanted if isinstance(wanted, bytes) else self._data[wanted.start : wanted.stop])
            self._at += len(wanted)
            place += 1
        return b"".join(parts)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub has no public type
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def overlay(data_length: int, patches: dict[int, bytes]) -> list[Piece]:
    """Return the pieces of a file in which the bytes at some offsets are replaced."""
    pieces: list[Piece] = []
    at = 0
    for offset, patch in sorted(patches.items()):
        if offset < at:
            continue
        pieces += [range(at, offset), patch]
        at = offset + len(patch)
    return [*pieces, range(at, max(at, data_length))]
