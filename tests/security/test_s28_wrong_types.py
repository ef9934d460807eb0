"""S28 - a file has a false or double type: the content decides, and browsers get it as an attachment."""

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
from tests.support.problems import errors_of
from tests.support.server import Server

REFUSED_BY_LIBWEBP = "webp truncated"
"""Pillow alone does not open it; scanrill gives it the length that it has."""
READABLE_IMAGES = [
    e
    for e in [*images.CORPUS_FILES, *malformed.CORPUS_FILES]
    if isinstance(e.expected, Processed) and not e.slow and e.name != REFUSED_BY_LIBWEBP
]
POLYGLOTS = ("gif and jar", "jpeg with html", "jpeg with a pdf's header", "png and php")
ONE_OF_EACH = ("png RGB", "jpeg RGB", "webp", "gif", "bmp RGB", "tiff RGB jpeg", "heic", "pdf with text")
CORPUS = {e.name: e for e in [*images.CORPUS_FILES, *pdfs.CORPUS_FILES, *malformed.CORPUS_FILES]}
SVG = [
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE svg><svg/>",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",  # SVGZ
]


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning", "ignore:Tag data larger:UserWarning")
@pytest.mark.parametrize("corpus_file", READABLE_IMAGES, ids=lambda corpus_file: corpus_file.name)
def test_s28_decoder_and_header_check_agree_on_the_type(tmp_path: Path, corpus_file: CorpusFile) -> None:
    path = tmp_path / "file"
    path.write_bytes(corpus_file.make())
    header = image_headers.read_header(path, max_frames=5000)
    assert header is not None
    with Image.open(path) as image:  # with all formats of Pillow
        # pi-heif, where it is loaded, also opens an AVIF with the brand of HEIF.
        decoded_as = {(image.format or "").replace("MPO", "JPEG")}
        assert header.file_type.pillow_format in decoded_as | ({"AVIF"} if "HEIF" in decoded_as else set())
        if header.frames == 1:
            # Pillow rotates a TIFF by its EXIF at once; a HEIC may be cropped to less than is stored.
            sides = sorted(image.size) == sorted((header.width, header.height))
            assert sides or header.file_type.pillow_format == "HEIF"


@pytest.mark.parametrize("name", [*ONE_OF_EACH, *POLYGLOTS])
def test_s28_download_is_an_attachment_without_active_content(http_client: HttpClient, name: str) -> None:
    corpus_file = CORPUS[name]
    assert isinstance(corpus_file.expected, Processed)
    created = http_client.post(corpus_file.make(), "evil.html").json()["instance"]
    answer = http_client.http.get(f"/api/uploads/{created['id']}/file")
    assert answer.headers["Content-Type"] == created["content_type"] == corpus_file.expected.content_type
    assert_harmless(answer)
    disposition = answer.headers["Content-Disposition"]
    assert re.fullmatch(rf'attachment; filename="{created["id"]}\.[a-z]{{3,4}}"', disposition)
    assert "evil" not in str(answer.headers)


def test_s28_page_image_is_reencoded_and_harmless(http_client: HttpClient) -> None:
    path = http_client.read(CORPUS["jpeg with html"].make())
    answer = http_client.http.get(f"{path}/pages/1/image")
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
def test_s28_svg_is_rejected(http_client: HttpClient, svg: bytes, name: str) -> None:
    answer = http_client.post(svg, name)
    assert (answer.status_code, list(errors_of(answer))) == (400, ["file"])


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf"])
def test_s28_content_type_of_the_request_is_ignored(http_client: HttpClient, kind: str) -> None:
    file = images.saved(images.sample_image("RGB", (61 + len(kind), 40)), "PNG")
    answer = http_client.http.post("/api/uploads/", content=file, headers={"Content-Type": kind})
    assert answer.json()["instance"]["content_type"] == "image/png"
