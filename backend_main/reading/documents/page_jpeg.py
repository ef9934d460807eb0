"""A page as JPEG, for people to look at."""

import io

from PIL import Image

from ..errors import NoSuchPage
from .document import Document

QUALITY = 85
MAX_SIDE_PIXELS = 65_500
"""libjpeg's JPEG_MAX_DIMENSION."""


def render_page_jpeg(document: Document, number: int, max_width: int) -> bytes:
    """Render an upright page with at most `max_width` pixels in width. Raises NoSuchPage, UnreadableFile."""
    if not 1 <= number <= document.page_count:
        raise NoSuchPage(f"The file has {document.page_count} pages.")
    page = document.page(number)
    image = Image.fromarray(page.pixels[:, :, ::-1])
    image.thumbnail((max_width, MAX_SIDE_PIXELS), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
