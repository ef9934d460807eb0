"""Pages with a script for the engine `dummy`."""

from __future__ import annotations

import json
import secrets
import struct
import zlib
from typing import Any

SIDE = 8
"""Width and height of a page in pixels."""


def scripted_png(script: dict[str, Any]) -> bytes:
    """Return a small white PNG with a script; every call gives different bytes."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\xff" * SIDE) * SIDE
    texts = {"scanrill": json.dumps(script), "serial": secrets.token_hex(16)}
    chunks = [(b"IHDR", header)]
    chunks += [(b"tEXt", f"{name}\0{text}".encode("latin-1")) for name, text in texts.items()]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
