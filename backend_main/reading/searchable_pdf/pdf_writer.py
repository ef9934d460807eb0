"""Writer of PDF objects, one after the other: a new file, or an update that is appended to an old one.

It keeps nothing but the places of its objects, so that a document of any length needs little memory.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import groupby

HEADER = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
"""The second line shows to transfer programs that the file is not text (ISO 32000-1, 7.5.2)."""
COMPRESSION_LEVEL = 6


def pdf_number(value: float, digits: int = 2) -> bytes:
    """Return a number as PDF writes it; a hundredth of a point is less than a pixel at 1200 dpi."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return (text if text != "-0" else "0").encode()


class PdfWriter:
    """Writer of objects, of the table of their places, and of the trailer (ISO 32000-1, 7.5)."""

    def __init__(self, *, next_number: int = 1, offset: int = 0) -> None:
        """Start a file, or an update of one.

        Args:
            next_number: number of the first new object.
            offset: bytes of the file that is updated.
        """
        self._pending: list[bytes] = []
        self._next_number = next_number
        self._at = offset
        self._places: dict[int, tuple[int, int]] = {}

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._pending.append(data)
        self._at += len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._pending)
        self._pending.clear()
        return taken

    def new_number(self) -> int:
        """Return the number of a new object, which may be written later."""
        self._next_number += 1
        return self._next_number - 1

    def write_object(self, number: int, body: bytes, generation: int = 0) -> None:
        """Write an object."""
        self._begin(number, generation)
        self.write(body + b"\nendobj\n")

    def write_stream(self, number: int, entries: bytes, data: bytes) -> None:
        """Write a stream. `entries`: of its dictionary, without its length."""
        self._begin(number)
        self.write(b"<<%b/Length %d>>\nstream\n" % (entries, len(data)))
        self.write(data)
        self.write(b"\nendstream\nendobj\n")

    def write_compressed(self, number: int, data: bytes, entries: bytes = b"") -> None:
        """Write a stream, compressed by Flate."""
        self.write_stream(number, entries + b"/Filter/FlateDecode", zlib.compress(data, COMPRESSION_LEVEL))

    def finish(self, entries: bytes, *, is_stream: bool = False) -> None:
        """Write the table of places and the trailer.

        Args:
            entries: entries of the trailer, without its size.
            is_stream: the table is a stream, as in the file that is updated.
        """
        start = self._at
        if is_stream:
            self._write_table_stream(entries)
        else:
            self._write_table(entries)
        self.write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _begin(self, number: int, generation: int = 0) -> None:
        self._places[number] = (self._at, generation)
        self.write(b"%d %d obj\n" % (number, generation))

    def _write_table(self, entries: bytes) -> None:
        self.write(b"xref\n0 1\n0000000000 65535 f \n")
        for numbers in self._sections():
            self.write(b"%d %d\n" % (numbers[0], len(numbers)))
            for number in numbers:
                self.write(b"%010d %05d n \n" % self._places[number])
        self.write(b"trailer\n<</Size %d%b>>\n" % (self._next_number, entries))

    def _write_table_stream(self, entries: bytes) -> None:
        number = self.new_number()
        self._places[number] = (self._at, 0)
        sections = list(self._sections())
        index = b" ".join(b"%d %d" % (numbers[0], len(numbers)) for numbers in sections)
        rows = [struct.pack(">BQH", 1, *self._places[own]) for numbers in sections for own in numbers]
        head = b"/Type/XRef/W[1 8 2]/Index[%b]/Size %d%b" % (index, self._next_number, entries)
        self.write_compressed(number, b"".join(rows), head)

    def _sections(self) -> Iterator[list[int]]:
        """Yield the numbers of written objects that follow each other."""
        ordered = enumerate(sorted(self._places))
        for _, group in groupby(ordered, key=lambda pair: pair[1] - pair[0]):
            yield [number for _, number in group]
