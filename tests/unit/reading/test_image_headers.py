"""Headers: type, size and page count of a file from its first bytes, within bounded work."""

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend_main.reading.documents import image_headers
from backend_main.reading.documents.image_headers import (
    Header,
    MalformedHeader,
    UnsupportedFormat,
    is_exif_bounded,
)
from tests.file_corpus import images, malformed
from tests.file_corpus.corpus_file import Processed
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


def test_is_exif_bounded_with_values_beyond_the_exif_is_false() -> None:
    bounded = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 270, 2, 4, 0x61626364, 0)
    assert is_exif_bounded(bounded)
    assert not is_exif_bounded(bounded.replace(struct.pack("<I", 4), struct.pack("<I", 10_000), 1))
    assert is_exif_bounded(b"")
    assert is_exif_bounded(b"no exif")
