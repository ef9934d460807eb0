"""TIFF files byte by byte, for variants that no library writes (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SHORT, LONG, BYTE = 3, 4, 1
_LAYOUT = {BYTE: "B", SHORT: "H", LONG: "I"}


@dataclass(frozen=True)
class TiffPage:
    """An uncompressed page; `tags` replace its own tags or are added to them, as (type, values)."""

    width: int
    height: int
    data: bytes
    depths: tuple[int, ...] = (8,)
    tile: int = 0
    tags: dict[int, tuple[int, list[int]]] = field(default_factory=dict)


def tiff(*pages: TiffPage, order: str = "<", last: int = 0) -> bytes:
    """Return a TIFF of these pages; `last` is the offset in the last directory, 0 for no further page."""
    file = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 0))
    pointer = 4
    for page in pages:
        data_at = len(file)
        file += page.data + b"\0" * (len(page.data) % 2)
        entries = _own_tags(page, data_at) | page.tags
        packed = b""
        for tag, (kind, values) in sorted(entries.items()):
            content = struct.pack(f"{order}{len(values)}{_LAYOUT[kind]}", *values)
            if len(content) > 4:
                at, content = len(file), content + b"\0" * (len(content) % 2)
                file += content
                content = struct.pack(f"{order}I", at)
            packed += struct.pack(f"{order}HHI", tag, kind, len(values)) + content.ljust(4, b"\0")
        struct.pack_into(f"{order}I", file, pointer, len(file))
        file += struct.pack(f"{order}H", len(entries)) + packed
        pointer = len(file)
        file += struct.pack(f"{order}I", last)
    return bytes(file)


def _own_tags(page: TiffPage, data_at: int) -> dict[int, tuple[int, list[int]]]:
    tags = {
        256: (LONG, [page.width]),
        257: (LONG, [page.height]),
        258: (SHORT, list(page.depths)),
        259: (SHORT, [1]),
        262: (SHORT, [1 if len(page.depths) == 1 else 2]),
        277: (SHORT, [len(page.depths)]),
    }
    if page.tile:
        tags |= {322: (SHORT, [page.tile]), 323: (SHORT, [page.tile])}
        return tags | {324: (LONG, [data_at]), 325: (LONG, [len(page.data)])}
    return tags | {273: (LONG, [data_at]), 278: (LONG, [page.height]), 279: (LONG, [len(page.data)])}
