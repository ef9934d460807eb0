"""Searchable PDFs, and pictures of figures, over the REST API."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.searchable_pdfs import page_text, printed_pdf, problems
from tests.support.server import Server

PICTURE = (100, 200, 200, 150)
"""Left and lower side, width and height of the picture on the page, in points."""
PIXELS_PER_POINT = 200 / 72
"""Pages of a PDF are rendered at 200 dpi."""


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


def test_export_of_a_picture_is_a_pdf_with_its_text(http_client: HttpClient) -> None:
    png = scripted_png(lines=["invoice number 4711", "second line"])
    answer = http_client.http.get(f"{http_client.read(png)}/export", params={"format": "pdf"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert page_text(answer.content).split() == ["invoice", "number", "4711", "second", "line"]
    assert not problems(answer.content)


def test_export_has_the_correction_of_a_person(http_client: HttpClient) -> None:
    path = http_client.read(scripted_png(lines=["invoice number 4117", "last line"]))
    corrected = "invoice number 4711 last line"
    assert http_client.http.patch(f"{path}/", json={"processed_text": corrected}).status_code == 200
    answer = http_client.http.get(f"{path}/export", params={"format": "pdf"})
    assert page_text(answer.content).split() == corrected.split()


def test_export_of_a_pdf_with_text_is_the_original(http_client: HttpClient) -> None:
    original = printed_pdf(PICTURE)
    answer = http_client.http.get(f"{http_client.read(original)}/export", params={"format": "pdf"})
    assert answer.content == original


def test_figure_is_the_picture_on_the_page(http_client: HttpClient) -> None:
    path = http_client.read(printed_pdf(PICTURE) + b"\n")
    answer = http_client.http.get(f"{path}/pages/1/figures/1")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as figure:
        expected = [side * PIXELS_PER_POINT for side in PICTURE[2:]]
        assert figure.size == pytest.approx(expected, abs=12)
        red, _, blue = figure.convert("RGB").getpixel((figure.width // 2, figure.height // 2))  # type: ignore[misc]
    assert red > 200 > 100 > blue


@pytest.mark.parametrize("path", ["1/figures/2", "1/figures/0", "2/figures/1"])
def test_figure_that_does_not_exist_is_404(path: str, http_client: HttpClient) -> None:
    upload = http_client.read(printed_pdf(PICTURE) + b"\n\n")
    assert http_client.http.get(f"{upload}/pages/{path}").status_code == 404


def test_export_with_embedded_images_contains_the_figure(http_client: HttpClient) -> None:
    path = http_client.read(printed_pdf(PICTURE) + b"\n\n\n")
    answer = http_client.http.get(f"{path}/export", params={"format": "md", "images": "embed"})
    assert "](data:image/jpeg;base64," in answer.text
