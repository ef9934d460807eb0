"""Types and bounded reads that the parsers of all formats share."""

import mmap
import re
import struct
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

Data = mmap.mmap | bytes
"""A whole file, mapped: the parser reads a few bytes of it."""

MAX_CHUNKS = 100_000
"""Chunks of a PNG or WebP, or boxes on one level of a HEIF file."""


class Advice(Enum):
    """Kind of a file, by what its sender can do."""

    IMAGE = "image"
    TEXT_DOCUMENT = "text document"
    ARCHIVE = "archive"
    OTHER = "other"


class UnsupportedFormat(Exception):
    """The first bytes match no supported format. `name` is None for an unknown one."""

    def __init__(self, name: str | None = None, advice: Advice = Advice.OTHER) -> None:
        super().__init__(name)
        self.name = name
        self.advice = advice


class MalformedHeader(Exception):
    """The first bytes match the format that Pillow calls `pillow_format`; the header is not valid."""

    def __init__(self, pillow_format: str) -> None:
        super().__init__(pillow_format)
        self.pillow_format = pillow_format


class FileType(NamedTuple):
    """A supported format. `pillow_format` is Pillow's name for it, None if Pillow does not decode it."""

    pillow_format: str | None
    content_type: str
    extension: str


class Header(NamedTuple):
    """Type, size and page count of a file. All numbers are 0 for a PDF: only the engine process opens it.

    `width` and `height` are the pixels of the smallest page: if that is too large, every page is.
    `truncated`: the chain of pages leads out of the file, so there were more of them.
    """

    file_type: FileType
    width: int = 0
    height: int = 0
    frames: int = 0
    truncated: bool = False

    @property
    def page_count(self) -> int:
        """Frames that are pages: only the first frame of an animation is read."""
        return self.frames if self.file_type.pillow_format == "TIFF" else min(self.frames, 1)


class ImageSize(NamedTuple):
    """Fields of `Header` that a parser finds out."""

    width: int
    height: int
    frames: int = 1
    truncated: bool = False


Parser = Callable[[Data, int], ImageSize]
"""Parse a file's header, counting frames up to one more than the second argument.

A parser reports malformed data by struct.error, IndexError, ValueError or OverflowError.
"""


class Format(NamedTuple):
    """A supported format: the pattern of its first bytes, and its parser (None: the header is not parsed)."""

    magic: re.Pattern[bytes]
    file_type: FileType
    parse: Parser | None


class WorkLimit:
    """A bound on the steps of a parser, which the file cannot raise."""

    def __init__(self, max_steps: int) -> None:
        self._steps_left = max_steps

    def spend(self) -> None:
        """Count one step. Raises ValueError beyond the limit."""
        self._steps_left -= 1
        if self._steps_left < 0:
            raise ValueError("too many parts")


def unpack(layout: str, data: Data, offset: int) -> tuple[int, ...]:
    """Unpack integers by a `struct` layout at `offset`. Raises struct.error beyond the end of the file."""
    if offset > len(data):  # `struct` raises OverflowError for offsets above 2**63
        raise struct.error("offset beyond the end of the file")
    return struct.unpack_from(layout, data, offset)
