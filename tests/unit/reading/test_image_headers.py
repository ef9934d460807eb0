"""Headers: type, size and page count of a file from its first bytes, within bounded work."""

import contextlib
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend_main.reading.documents import image_headers, rejections
from backend_main.reading.documents.image_headers import (
    Header,
    MalformedHeader,
    UnsupportedFormat,
    exif_orientation,
)
from tests.file_corpus import images, malformed
from tests.file_corpus.corpus_file import SIZE, Processed
from tests.file_corpus.tiff import TiffPage, tiff

MAX_SECONDS = 5.0
VALID_FILES = [file for file in images.CORPUS_FILES if isinstance(file.expected, Processed) and not file.slow]


def header_of(tmp_path: Path, file: bytes, max_frames: int = 5000) -> Header | None:
    (tmp_path / "file").write_bytes(file)
    return image_headers.read_header(tmp_path / "file", max_frames)


@pytest.mark.parametrize("file", VALID_FILES, ids=lambda file: file.name)
def test_read_header_of_valid_file_returns_type_and_frames(tmp_path: Path, file: images.CorpusFile) -> None:
    assert isinstance(file.expected, Processed)
    header = header_of(tmp_path, file.make())
    assert header is not None
    assert header.file_type.content_type == file.expected.content_type
    assert not header.truncated
    if header.file_type.pillow_format == "TIFF":
        assert header.frames == file.expected.pages
    else:
        assert (header.frames > 1) == bool(file.expected.warnings)


def test_read_header_counts_frames_to_one_more_than_allowed(tmp_path: Path) -> None:
    for make in (malformed.many_gif_frames, malformed.many_tiff_pages, malformed.many_webp_frames):
        header = header_of(tmp_path, make(30), max_frames=9)
        assert header is not None
        assert header.frames == 10
        header = header_of(tmp_path, make(9), max_frames=9)
        assert header is not None
        assert header.frames == 9


def test_read_header_of_tiff_returns_size_of_smallest_page(tmp_path: Path) -> None:
    pages = [TiffPage(width, 5, b"") for width in (900, 7, 80)]
    header = header_of(tmp_path, tiff(*pages))
    assert header is not None
    assert header[1:] == (7, 5, 3, False)


def test_read_header_of_tiff_with_page_beyond_file_is_truncated(tmp_path: Path) -> None:
    header = header_of(tmp_path, tiff(TiffPage(1, 1, b""), last=10**9))
    assert header is not None
    assert (header.frames, header.truncated) == (1, True)


def test_read_header_of_empty_file_returns_none(tmp_path: Path) -> None:
    assert header_of(tmp_path, b"") is None


LONG_BYTES = 40_000_000
ENDLESS_HEADERS = {
    "jpeg of padding": b"\xff\xd8" + b"\xff" * LONG_BYTES,
    "jpeg of garbage": b"\xff\xd8\xff\xe0\0\x02" + b"\0" * LONG_BYTES,
    "jpeg of segments": b"\xff\xd8" + b"\xff\xe0\0\x02" * (LONG_BYTES // 4),
    "png of chunks": b"\x89PNG\r\n\x1a\n"
    + images.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + images.png_chunk(b"tEXt", b"") * (LONG_BYTES // 12),
    "gif of blocks": b"GIF89a"
    + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    + b"\x21\xfe"
    + b"\x01x" * (LONG_BYTES // 2),
    "gif of extensions": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"\x21\xfe\0" * (LONG_BYTES // 3),
    "heic of boxes": images.HEIC_BYTES[:28] + b"\0\0\0\x08free" * (LONG_BYTES // 8),
    "tiff of tags": b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 65_535) + b"\x08\0\0\0",
}


@pytest.mark.parametrize("name", ENDLESS_HEADERS)
def test_read_header_of_endless_header_stops_as_malformed(tmp_path: Path, name: str) -> None:
    began = time.monotonic()
    with pytest.raises(MalformedHeader):
        header_of(tmp_path, ENDLESS_HEADERS[name])
    assert time.monotonic() - began < MAX_SECONDS


FILE_STARTS = [file.make()[:400] for file in VALID_FILES]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FILE_STARTS), st.integers(0, 399), st.binary(max_size=40), st.integers(0, 400))
def test_parse_header_of_corrupted_file_raises_header_errors_only(
    start: bytes, at: int, inserted: bytes, length: int
) -> None:
    data = (start[:at] + inserted + start[at + len(inserted) :])[:length]
    try:
        header = image_headers.parse_header(data, 10)
    except (UnsupportedFormat, MalformedHeader):
        return
    assert header.file_type.pillow_format is None or min(header.width, header.height, header.frames) > 0


def test_exif_orientation_with_other_values_beyond_the_exif_is_found() -> None:
    broken_tag = struct.pack("<HHII", 271, 2, 60_000, 500)
    exif = b"II*\0\x08\0\0\0\x02\0" + broken_tag + struct.pack("<HHII", 0x112, 3, 1, 6) + bytes(4)
    assert exif_orientation(exif) == 6
    assert exif_orientation(exif.replace(b"\x06\0\0\0", b"\x09\0\0\0")) == 1
    assert exif_orientation(b"") == 1
    assert exif_orientation(b"no exif") == 1


def test_read_header_of_png_counts_frames_that_exist(tmp_path: Path) -> None:
    header = header_of(tmp_path, malformed.many_png_frames(100_000))
    assert header is not None
    assert header.frames == header.page_count == 1


def test_read_header_of_tiff_with_many_large_directories_is_bounded(tmp_path: Path) -> None:
    """Directories that overlap have many tags together, although the file is small."""
    tags = struct.pack("<HHII", 1000, 3, 1, 0) * 500
    file = bytearray(b"II*\0" + struct.pack("<I", 8))
    for number in range(20_000):
        at = 8 + number * 2
        file[at : at + 2] = struct.pack("<H", 500)
    file += tags
    began = time.monotonic()
    with contextlib.suppress(MalformedHeader):
        header_of(tmp_path, bytes(file))
    assert time.monotonic() - began < MAX_SECONDS


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x0a\xfa\x1f\x41", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\x01" + bytes(20), "Photoshop"),
        (b"AT&TFORM\0\0\0\0DJVM", "DjVu"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!DOCTYPE html><p>", "HTML"),
        (b"PK\x03\x04" + bytes(26) + b"word/document.xml", "DOCX"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text", "ODT"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip", "EPUB"),
        (b"PK\x03\x04" + bytes(26) + b"scan1.png", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20), "DOC"),
        (b"{\\rtf1", "RTF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "video"),
        (b"Dear Sir or Madam", "plain text"),
    ],
)
def test_read_header_of_unsupported_format_names_it(tmp_path: Path, start: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        header_of(tmp_path, start)
    message = rejections.unsupported_format(caught.value)
    assert message.startswith("Unsupported file format: ")
    assert name in message
    assert message.count(".") >= 2, "the message says what to do"


def test_unsupported_format_of_unknown_bytes_lists_supported_formats(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        header_of(tmp_path, bytes(5000))
    assert "AVIF and PDF" in rejections.unsupported_format(caught.value)


@pytest.mark.parametrize("brand", [b"avif", b"mif1", b"miaf"])
def test_read_header_of_avif_with_general_brand_is_avif(tmp_path: Path, brand: bytes) -> None:
    file = images.saved(images.sample_image(), "AVIF")
    header = header_of(tmp_path, file[:8] + brand + file[12:])
    assert header is not None
    assert header.file_type.content_type == "image/avif"
    assert (header.width, header.height) == SIZE
