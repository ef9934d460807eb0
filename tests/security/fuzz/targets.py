"""Parsers that meet bytes of strangers, with seeds for their inputs."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from backend_main.backend.websocket_frames import FrameError, FrameParser
from backend_main.cli.backup_archive import unpack
from backend_main.control_characters import remove_controls
from backend_main.core.errors import CommandError, RequestError
from backend_main.core.http.multipart import MultipartBodyWriter
from backend_main.core.protocol.parsing import parse_request
from backend_main.reading import Options, PageDone, ReadingError, read
from backend_main.reading.documents.image_headers import (
    MalformedHeader,
    UnsupportedFormat,
    read_header_of_file,
)
from backend_main.reading.engines.vision.response import (
    DocTagsResponse,
    FrontMatterResponse,
    MarkdownResponse,
)
from backend_main.reading.output.escaping import escape
from backend_main.reading.output.plain_text import to_plain_text
from tests.security.test_m7_control_characters import hidden_pdf
from tests.security.test_m10_restore import archive
from tests.support.drawn_pdfs import drawn_page, letter
from tests.support.raw_websocket import client_frame

from . import Target

MAX_MESSAGE_BYTES = 65_536
MARKDOWN = (
    '# Title\n\nSome *text* with **bold**, `code`, [a link](https://example.com "t") and $x^2$.\n\n'
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n1. one\n   - two\n> quote\n\n<table>\n<tr><td>x</td></tr>\n</table>\n"
)


def parse_frames(data: bytes) -> None:
    parser = FrameParser(MAX_MESSAGE_BYTES, lambda: True)
    parser.feed(data)
    while parser.next_event() is not None:
        pass


def parse_text_request(data: bytes) -> None:
    parse_request(data.decode("utf-8", "replace"))


def read_file_header(data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        read_header_of_file(file, 100)


class _NoFile:
    def write(self, chunk: bytes) -> None:
        """Drop the chunk."""

    def finish(self, name: str | None) -> str | None:
        return name


def parse_multipart(data: bytes) -> None:
    writer = MultipartBodyWriter(b"xyz", _NoFile())  # type: ignore[arg-type]
    for start in range(0, len(data), 97):
        writer.write(data[start : start + 97])
    writer.finish()


def convert_markdown(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    to_plain_text(text)
    to_plain_text("\n".join(map(escape, text.split("\n"))))
    for parser in (MarkdownResponse(), FrontMatterResponse(), DocTagsResponse()):
        for start in range(0, len(text), 31):
            parser.feed(text[start : start + 31])
        parser.markdown()


def read_pdf(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        for event in read(file.name, Options(engine="dummy", max_pages=3, max_pixels=4_000_000)):
            if isinstance(event, PageDone):
                texts = (event.text, event.markdown, *(line.text for line in event.lines))
                assert all(remove_controls(text) == text for text in texts)


def restore(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "backup.tar"
        file.write_bytes(data)
        try:
            unpack(file, Path(directory) / "draft")
        finally:
            assert {path.name for path in Path(directory).iterdir()} <= {"backup.tar", "draft"}


def _images() -> list[bytes]:
    files = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
        buffer = io.BytesIO()
        Image.new("RGB", (9, 7)).save(buffer, kind)
        files.append(buffer.getvalue())
    return files


def _backup() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return archive(Path(directory)).read_bytes()


def _part(disposition: str) -> bytes:
    return f"--xyz\r\nContent-Disposition: form-data; {disposition}\r\n\r\nbody\r\n".encode()


TARGETS = {
    "frames": Target(
        parse_frames,
        [
            client_frame(b'{"type":"list"}') * 3,
            client_frame(b"ping", opcode=9),
            client_frame(b"\x03\xe8end", opcode=8),
        ],
        (FrameError,),
    ),
    "requests": Target(
        parse_text_request,
        [
            b'{"type":"create","ref":"1","image_base64":"aGVsbG8=","options":{"languages":["de"]}}',
            b'{"type":"update","instance_id":"x","data":{"filename":"a.png","metadata":{"a":[1,2.5e3,null]}}}',
            b'{"type":"subscribe","since":"0-1","stream":"delta"}',
        ],
        (RequestError,),
    ),
    "headers": Target(
        read_file_header, [*_images(), drawn_page(letter())], (MalformedHeader, UnsupportedFormat)
    ),
    "multipart": Target(
        parse_multipart,
        [_part('name="a"') + _part('name="file"; filename="a.png"') + b"--xyz--"],
        (RequestError,),
    ),
    "markdown": Target(convert_markdown, [MARKDOWN.encode()]),
    "pdf": Target(read_pdf, [hidden_pdf(), drawn_page(letter())], (ReadingError,)),
    "restore": Target(restore, [_backup()], (CommandError,)),
}
