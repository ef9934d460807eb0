"""S28 — a file is what its content says, for the door and the decoder alike, and no browser acts on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from backend_main.reading.documents import image_headers
from tests.file_corpus import images, malformed, pdfs
from tests.file_corpus.corpus_file import CorpusFile, Processed
from tests.support.http_client import HttpClient
from tests.support.server import Server

PICTURES = [
    e
    for e in [*images.CORPUS_FILES, *malformed.CORPUS_FILES]
    if isinstance(e.expected, Processed) and not e.slow
]
TWO_IN_ONE = ("gif and jar", "jpeg with html", "jpeg with a pdf's header", "png and php")
ONE_OF_EACH = ("png RGB", "jpeg RGB", "webp", "gif", "bmp RGB", "tiff RGB jpeg", "heic", "pdf with text")
ALL = {e.name: e for e in [*images.CORPUS_FILES, *pdfs.CORPUS_FILES, *malformed.CORPUS_FILES]}
SVG = [
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE svg><svg/>",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",  # SVGZ
]


@pytest.fixture(scope="module")
def door(server: Server) -> Iterator[HttpClient]:
    door = HttpClient(server, server.token(server.user()))
    yield door
    door.http.close()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize("exhibit", PICTURES, ids=lambda exhibit: exhibit.name)
def test_s28_the_decoder_opens_it_as_what_the_door_took_it_for(tmp_path: Path, exhibit: CorpusFile) -> None:
    path = tmp_path / "file"
    path.write_bytes(exhibit.make())
    header = image_headers.read_header(path, max_frames=5000)
    assert header is not None
    with Image.open(path) as image:  # of all that Pillow knows, whatever claims it first
        assert (image.format or "").replace("MPO", "JPEG") == header.file_type.pillow_format
        if header.frames == 1:
            # Pillow turns a TIFF by its EXIF at once; a HEIC may be cut to less than is stored.
            sides = sorted(image.size) == sorted((header.width, header.height))
            assert sides or header.file_type.pillow_format == "HEIF"


@pytest.mark.parametrize("name", [*ONE_OF_EACH, *TWO_IN_ONE])
def test_s28_a_file_goes_out_as_an_attachment_that_nothing_runs_in(door: HttpClient, name: str) -> None:
    exhibit = ALL[name]
    assert isinstance(exhibit.expected, Processed)
    created = door.post(exhibit.make(), "evil.html").json()["instance"]
    answer = door.http.get(f"/api/uploads/{created['id']}/file")
    assert answer.headers["Content-Type"] == created["content_type"] == exhibit.expected.content_type
    assert_harmless(answer)
    disposition = answer.headers["Content-Disposition"]
    assert re.fullmatch(rf'attachment; filename="{created["id"]}\.[a-z]{{3,4}}"', disposition)
    assert "evil" not in str(answer.headers)


def test_s28_a_picture_of_a_page_is_ours_and_harmless(door: HttpClient) -> None:
    path = door.read(ALL["jpeg with html"].make())
    answer = door.http.get(f"{path}/pages/1/image")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert malformed.HTML not in answer.content
    assert_harmless(answer)


def assert_harmless(answer: httpx.Response) -> None:
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "sandbox"} <= set(policy)
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("svg", SVG)
@pytest.mark.parametrize("name", ["x.svg", "x.png"])
def test_s28_no_svg_is_taken(door: HttpClient, svg: bytes, name: str) -> None:
    answer = door.post(svg, name)
    assert (answer.status_code, list(answer.json()["error"])) == (400, ["file"])


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf"])
def test_s28_what_the_client_calls_it_is_not_asked(door: HttpClient, kind: str) -> None:
    file = images.saved(images.sample_image("RGB", (61 + len(kind), 40)), "PNG")
    answer = door.http.post("/api/uploads/", content=file, headers={"Content-Type": kind})
    assert answer.json()["instance"]["content_type"] == "image/png"
