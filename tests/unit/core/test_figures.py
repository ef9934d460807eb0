"""Figures of pages: whose they are, their place in the page, and their picture."""

from __future__ import annotations

import asyncio
import io
import uuid
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from backend_main.core.errors import FigureNotFound, PageNotReady, UploadNotFound
from backend_main.core.models import Page, Upload, User
from backend_main.core.uploads import page_images, queries
from backend_main.core.uploads.original_parts import StoredParts
from backend_main.reading import NoSuchPage
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.page_jpeg import Area, area_of, render_page_jpeg
from backend_main.reading.types import Block, Options, level_box
from tests.support.database import new_user

WIDTH, HEIGHT = 400, 200
BLOCKS = [
    Block("paragraph", level_box(0, 0, 100, 50)),
    Block("figure", level_box(100, 50, 300, 150)),
    Block("figure"),
]


@pytest.fixture
def owner() -> User:
    return new_user()


@pytest.fixture
def upload(owner: User) -> Upload:
    upload = Upload.objects.create(
        owner=owner, filename="a.png", image_path=f"{uuid.uuid4()}/original.png", image_hash="0", bytes=1
    )
    Page.objects.create(
        upload=upload, attempt=1, number=1, width=WIDTH, height=HEIGHT, blocks=msgspec.to_builtins(BLOCKS)
    )
    return upload


def _area(owner: User, upload_id: uuid.UUID, number: int = 1, figure: int = 1) -> tuple[str, Area]:
    return queries.figure_area(owner=owner, upload_id=upload_id, number=number, figure=figure)


@pytest.mark.django_db
def test_figure_area_counts_figures_alone(owner: User, upload: Upload) -> None:
    assert _area(owner, upload.pk) == (upload.image_path, (0.25, 0.25, 0.75, 0.75))


@pytest.mark.django_db
@pytest.mark.parametrize("figure", [0, 2, 3, 10**9])
def test_figure_area_without_figure_or_box_is_not_found(figure: int, owner: User, upload: Upload) -> None:
    with pytest.raises(FigureNotFound):
        _area(owner, upload.pk, figure=figure)


@pytest.mark.django_db
def test_figure_area_of_unfinished_page_is_not_ready(owner: User, upload: Upload) -> None:
    with pytest.raises(PageNotReady):
        _area(owner, upload.pk, number=2)


@pytest.mark.django_db
def test_figure_area_of_another_users_upload_equals_an_unknown_id(upload: Upload) -> None:
    for upload_id in (upload.pk, uuid.uuid4()):
        with pytest.raises(UploadNotFound):
            _area(new_user(), upload_id)


def test_area_of_box_beyond_the_page_ends_with_the_page() -> None:
    assert area_of(((-10, 20), (500, 0), (410, 100), (0, 300)), WIDTH, HEIGHT) == (0, 0, 1, 1)


def test_page_jpeg_of_an_area_has_its_pixels_alone(tmp_path: Path) -> None:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    image.paste("red", (100, 50, 300, 150))
    image.save(tmp_path / "page.png")
    document = open_document(tmp_path / "page.png", Options())
    jpeg = render_page_jpeg(document, 1, 4000, (0.25, 0.25, 0.75, 0.75))
    with pytest.raises(NoSuchPage):
        render_page_jpeg(document, 2, 4000)
    document.close()
    with Image.open(io.BytesIO(jpeg)) as figure:
        assert figure.size == (200, 100)
        darkest = [low for low, _ in figure.convert("RGB").getextrema()]
    assert darkest[0] > 240


def test_names_of_stored_images_differ_by_area() -> None:
    whole = page_images.PagePicture(1, 800)
    areas = [page_images.PagePicture(1, 800, (0.1, 0.1, 0.5, side)) for side in (0.5, 0.6)]
    assert len({picture.name for picture in (whole, *areas)}) == 3
    assert whole.name == "page-1-800.jpg", "images of earlier versions stay in use"


async def test_stored_parts_are_fetched_from_another_thread() -> None:
    class Images:
        async def figure(self, user: str, key: str, number: int, area: Area) -> bytes:
            return f"{user} {key} {number} {area}".encode()

    parts = StoredParts(Images(), "ada", "key", asyncio.get_running_loop())  # type: ignore[arg-type]
    assert await asyncio.to_thread(parts.figure, 3, (0, 0, 1, 1)) == b"ada key 3 (0, 0, 1, 1)"
