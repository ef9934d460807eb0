"""Multi-page documents whose pages carry scripts for the `dummy` engine."""

from __future__ import annotations

import itertools
import json
import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Script = dict[str, Any]
SIDE = 8
_SHORT, _LONG, _ASCII = 3, 4, 2
_counter = itertools.count()


def scripted_tiff(scripts: Sequence[Script]) -> bytes:
    """Return a TIFF of small white pages, each with its script; every call gives different bytes.

    Pillow cannot write it: it gives all pages of a file one description. TIFF 6.0, section 2.
    """
    file = bytearray(b"II*\0\0\0\0\0")
    next_page_at = 4
    for script in scripts:
        text = json.dumps(script | {"serial": f"{next(_counter)} {random.random()}"}).encode() + b"\0"
        pixels_at, text_at = len(file), len(file) + SIDE * SIDE
        file += b"\xff" * (SIDE * SIDE) + text + b"\0" * (len(text) % 2)
        struct.pack_into("<L", file, next_page_at, len(file))
        file += _directory(pixels_at, text_at, len(text))
        next_page_at = len(file)
        file += bytes(4)
    return bytes(file)


def _directory(pixels_at: int, text_at: int, text_bytes: int) -> bytes:
    entries = [
        (256, _SHORT, 1, SIDE),  # width
        (257, _SHORT, 1, SIDE),  # height
        (258, _SHORT, 1, 8),  # bits
        (259, _SHORT, 1, 1),  # uncompressed
        (262, _SHORT, 1, 1),  # zero is black
        (270, _ASCII, text_bytes, text_at),  # description
        (273, _LONG, 1, pixels_at),
        (278, _SHORT, 1, SIDE),  # rows per strip
        (279, _LONG, 1, SIDE * SIDE),  # bytes of the strip
    ]
    return struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", *entry) for entry in entries)


class Document:
    """A scripted document whose pages log to a file when their reading begins.

    The text of page n is the line `page n`. `gates` maps a page to the number of lines after which its
    reading pauses until `release_page`.
    """

    def __init__(self, directory: Path, pages: int, gates: Mapping[int, int] | None = None) -> None:
        self.directory, self.pages = directory, pages
        self.log = directory / "pages.log"
        scripts = [{"lines": [f"page {n}"], "log": str(self.log)} for n in range(1, pages + 1)]
        for n, lines in (gates or {}).items():
            scripts[n - 1] |= {"wait_for": str(self._gate_file(n)), "wait_after": lines}
        self.tiff = scripted_tiff(scripts)

    @property
    def pages_read(self) -> list[int]:
        """The numbers of the pages whose reading began, in order; a page read twice appears twice."""
        return [int(line) for line in self.log.read_text().split()] if self.log.exists() else []

    @property
    def text(self) -> str:
        return self.text_up_to(self.pages)

    def text_up_to(self, page: int) -> str:
        return "\n\n".join(f"page {n}" for n in range(1, page + 1))

    def release_page(self, page: int) -> None:
        self._gate_file(page).touch()

    def _gate_file(self, page: int) -> Path:
        return self.directory / f"released-{page}"
