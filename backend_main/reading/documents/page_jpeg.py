"""Step 10 - a page as a JPEG for people to look at."""

import io

from PIL import Image

from ..errors import NoSuchPage
from .document import Document

QUALITY = 85


def render_page_jpeg(document: Document, number: int, width: int) -> bytes:
    """The page, upright, at most `width` pixels wide. Raises NoSuchPage, UnreadableFile."""
    if not 1 <= number <= document.page_count:
        raise NoSuchPage(f"The file has {document.page_count} pages.")
    page = document.page(number)
    image = Image.fromarray(page.pixels[:, :, ::-1])
    image.thumbnail((width, 65_500), Image.Resampling.BICUBIC)  # a JPEG's side is at most 65,500 pixels
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
