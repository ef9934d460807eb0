"""What a file is, how large and how long, from its first bytes; and no header that keeps its reader busy."""

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

SECONDS = 5.0
READ = [file for file in images.CORPUS_FILES if isinstance(file.expected, Processed) and not file.slow]


def look(tmp_path: Path, file: bytes, most_frames: int = 5000) -> Header | None:
    (tmp_path / "file").write_bytes(file)
    return image_headers.read_header(tmp_path / "file", most_frames)


@pytest.mark.parametrize("file", READ, ids=lambda file: file.name)
def test_the_header_of_a_good_file_is_known(tmp_path: Path, file: images.CorpusFile) -> None:
    assert isinstance(file.expected, Processed)
    header = look(tmp_path, file.make())
    assert header is not None
    assert header.file_type.content_type == file.expected.content_type
    assert not header.truncated
    if header.file_type.pillow_format == "TIFF":
        assert header.frames == file.expected.pages
    else:
        assert (header.frames > 1) == bool(file.expected.warnings)


def test_frames_are_counted_to_one_more_than_allowed(tmp_path: Path) -> None:
    for make in (malformed.many_gif_frames, malformed.many_tiff_pages, malformed.many_webp_frames):
        header = look(tmp_path, make(30), most_frames=9)
        assert header is not None
        assert header.frames == 10
        header = look(tmp_path, make(9), most_frames=9)
        assert header is not None
        assert header.frames == 9


def test_the_size_of_a_tiff_is_that_of_its_smallest_page(tmp_path: Path) -> None:
    pages = [TiffPage(width, 5, b"") for width in (900, 7, 80)]
    header = look(tmp_path, tiff(*pages))
    assert header is not None
    assert header[1:] == (7, 5, 3, False)


def test_a_chain_that_leads_out_of_the_file_is_cut(tmp_path: Path) -> None:
    header = look(tmp_path, tiff(TiffPage(1, 1, b""), last=10**9))
    assert header is not None
    assert (header.frames, header.truncated) == (1, True)


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    assert look(tmp_path, b"") is None


LONG = 40_000_000
ENDLESS = {
    "jpeg of padding": b"\xff\xd8" + b"\xff" * LONG,
    "jpeg of garbage": b"\xff\xd8\xff\xe0\0\x02" + b"\0" * LONG,
    "jpeg of segments": b"\xff\xd8" + b"\xff\xe0\0\x02" * (LONG // 4),
    "png of chunks": b"\x89PNG\r\n\x1a\n"
    + images.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + images.png_chunk(b"tEXt", b"") * (LONG // 12),
    "gif of blocks": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"\x21\xfe" + b"\x01x" * (LONG // 2),
    "gif of extensions": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"\x21\xfe\0" * (LONG // 3),
    "heic of boxes": images.HEIC_BYTES[:28] + b"\0\0\0\x08free" * (LONG // 8),
    "tiff of tags": b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 65_535) + b"\x08\0\0\0",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_header_without_end_is_given_up(tmp_path: Path, name: str) -> None:
    began = time.monotonic()
    with pytest.raises(MalformedHeader):
        look(tmp_path, ENDLESS[name])
    assert time.monotonic() - began < SECONDS


STARTS = [file.make()[:400] for file in READ]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STARTS), st.integers(0, 399), st.binary(max_size=40), st.integers(0, 400))
def test_any_bytes_have_a_header_or_none(start: bytes, at: int, other: bytes, length: int) -> None:
    data = (start[:at] + other + start[at + len(other) :])[:length]
    try:
        header = image_headers.parse_header(data, 10)
    except (UnsupportedFormat, MalformedHeader):
        return
    assert header.file_type.pillow_format is None or min(header.width, header.height, header.frames) > 0


def test_exif_that_points_at_more_than_there_is_does_not_fit() -> None:
    good = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 270, 2, 4, 0x61626364, 0)
    assert is_exif_bounded(good)
    assert not is_exif_bounded(good.replace(struct.pack("<I", 4), struct.pack("<I", 10_000), 1))
    assert is_exif_bounded(b"")
    assert is_exif_bounded(b"no exif")
