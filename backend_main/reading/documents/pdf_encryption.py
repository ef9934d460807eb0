"""Encryption of a PDF that pdfium cannot open: by whom, and for whom, without decrypting anything.

The encryption dictionary is never encrypted, nor in an object stream (ISO 32000-1, 7.5.7 and 7.6.1).
"""

import mmap
import re
from collections.abc import Iterator
from typing import NamedTuple

from .source_file import SourceFile, open_source

MAX_DICTIONARY_BYTES = 1024 * 1024
MAX_RECIPIENTS = 5
PASSWORD_HANDLER = "Standard"  # noqa: S105  # the name of a method
CERTIFICATE_HANDLERS = ("Adobe.PubSec", "Entrust.PPKEF", "AdobePPKLite")
"""ISO 32000-1, 7.6.4, and what writers name this handler besides."""
_ENCRYPT = re.compile(rb"/Encrypt\s*(?:(\d+)\s+(\d+)\s+R|<<)")
_FILTER = re.compile(rb"/Filter\s*/([A-Za-z0-9_.#+-]+)")
_HEX_STRING = re.compile(rb"(?<!<)<([0-9A-Fa-f\s]{20,})>(?!>)")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\r\n": b"", b"\n": b""}
# Object identifier 2.5.4.3 (common name), then the type and the length of a string (X.690; RFC 5652, 6.2.1).
_COMMON_NAME = re.compile(
    rb"\x06\x03\x55\x04\x03([\x0c\x13\x14\x16\x1e])(?:\x81([\x80-\xff])|([\x01-\x7f]))", re.DOTALL
)
BMP_STRING = 0x1E


class Encryption(NamedTuple):
    """Name of the security handler, and names in the certificates of the recipients: of their issuers."""

    handler: str
    recipients: tuple[str, ...]

    @property
    def needs_password(self) -> bool:
        return self.handler == PASSWORD_HANDLER

    @property
    def needs_certificate(self) -> bool:
        return self.handler in CERTIFICATE_HANDLERS


def find_encryption(path: SourceFile) -> Encryption | None:
    """Return the encryption of a PDF, None if it is not encrypted."""
    with open_source(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = None
        for found in _ENCRYPT.finditer(data):  # noqa: B007  # the last one is the newest
            pass
        if found is None:
            return None
        dictionary = _dictionary(data, found)
    handler = _FILTER.search(dictionary)
    name = handler[1].decode("latin-1") if handler else "unknown"
    return Encryption(name, tuple(dict.fromkeys(_recipients(dictionary)))[:MAX_RECIPIENTS])


def _dictionary(data: mmap.mmap, reference: re.Match[bytes]) -> bytes:
    start = reference.start()
    if reference[1]:
        target = re.search(rb"(?<!\d)%b\s+%b\s+obj" % (reference[1], reference[2]), data)
        start = target.start() if target else start
    end = data.find(b"endobj", start, start + MAX_DICTIONARY_BYTES)
    return data[start : end if end >= 0 else start + MAX_DICTIONARY_BYTES]


def _recipients(dictionary: bytes) -> Iterator[str]:
    """Yield the common names in the strings of a dictionary: those of the recipients' issuers."""
    strings = [bytes.fromhex(found[1].decode("ascii").ljust(2)) for found in _even_hex(dictionary)]
    for content in [*strings, _ESCAPE.sub(_unescape, dictionary)]:
        for found in _COMMON_NAME.finditer(content):
            length = (found[2] or found[3])[0]
            text = content[found.end() : found.end() + length]
            name = text.decode("utf-16-be" if found[1][0] == BMP_STRING else "utf-8", "replace")
            if name.isprintable() and name.strip():
                yield name.strip()


def _even_hex(dictionary: bytes) -> Iterator[re.Match[bytes]]:
    for found in _HEX_STRING.finditer(dictionary):
        if len(b"".join(found[1].split())) % 2 == 0:
            yield found


def _unescape(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    if escaped.isdigit():
        return bytes([int(escaped, 8) & 0xFF])
    return _ESCAPES.get(escaped, escaped)
