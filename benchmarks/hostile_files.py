"""Files of hostile clients: a page that takes long to draw, and one whose decoder prints without end."""

import io
import os
import zlib
from collections.abc import Iterator
from typing import cast

from PIL import Image, ImageSequence
from PIL.TiffImagePlugin import STRIPBYTECOUNTS, STRIPOFFSETS, TiffImageFile

# About 13 s on a core at 2.5 GHz: more than the time limit of a page in `hostile.py`.
SLOW_PAGE_OPERATORS = 40_000
LOG_FLOOD_PAGES = 20
_STROKES = b"0 0 m 600 800 l 600 0 l 0 800 l S\n"


def slow_pdf(*, pages: int = 1, operators: int = SLOW_PAGE_OPERATORS) -> bytes:
    """Return a new PDF of less than a kilobyte, with pages of many long strokes.

    Two compressions make the operators of all pages, which share their content, almost free to send.
    """
    stream = zlib.compress(zlib.compress(_STROKES * operators, 9), 9)
    numbers = range(4, 4 + pages)
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 3 0 R>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream" % (len(stream), stream),
        *(page for _ in numbers),
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % numbered for numbered in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R>>\n%" + os.urandom(8).hex().encode()


def log_flood_tiff() -> bytes:
    """Return a new TIFF whose rows are not valid Group 3 data: libtiff prints a line for each."""
    page = Image.new("1", (1700, 2200), 1)
    page.paste(0, (100, 100, 1600, 2100))
    buffer = io.BytesIO()
    page.save(
        buffer, "TIFF", compression="group3", save_all=True, append_images=[page] * (LOG_FLOOD_PAGES - 1)
    )
    data = bytearray(buffer.getvalue())
    for start, size in _strips(buffer):
        for offset in range(start, start + size - 8, 64):
            data[offset : offset + 8] = os.urandom(8)
    return bytes(data)


def _strips(tiff: io.BytesIO) -> Iterator[tuple[int, int]]:
    """Return the offset and the size of each strip of compressed rows."""
    with Image.open(tiff) as image:
        for page in ImageSequence.Iterator(image):
            tags = cast("TiffImageFile", page).tag_v2
            yield from zip(tags[STRIPOFFSETS], tags[STRIPBYTECOUNTS], strict=True)
