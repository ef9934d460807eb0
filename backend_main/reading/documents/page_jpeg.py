"""A page, or a part of it, as JPEG, for people to look at."""

import io
import math

from PIL import Image

from ..errors import NoSuchPage
from ..types import Box
from .document import Document

QUALITY = 85
MAX_SIDE_PIXELS = 65_500
"""libjpeg's JPEG_MAX_DIMENSION."""
MAX_FIGURE_WIDTH = 4000
"""Pixels: as wide as the pages of a PDF are rendered, so that a figure has the resolution of its page."""
Area = tuple[float, float, float, float]
"""Left, upper, right and lower side of a part of a page, as shares of its width and height."""
WHOLE_PAGE: Area = (0.0, 0.0, 1.0, 1.0)


def render_page_jpeg(document: Document, number: int, max_width: int, area: Area = WHOLE_PAGE) -> bytes:
    """Render an upright page, or an area of it, as a JPEG.

    Args:
        document: an open document.
        number: number of the page, from 1.
        max_width: maximum width in pixels.
        area: the part of the page.

    Raises:
        ReadingError: NoSuchPage, UnreadableFile.
    """
    if not 1 <= number <= document.page_count:
        raise NoSuchPage(f"The file has {document.page_count} pages.")
    page = document.page(number)
    left, right = _range(area[0], area[2], page.width)
    top, bottom = _range(area[1], area[3], page.height)
    image = Image.fromarray(page.pixels[top:bottom, left:right, ::-1])
    image.thumbnail((max_width, MAX_SIDE_PIXELS), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def area_of(box: Box, width: int, height: int) -> Area:
    """Return the upright area around a box of a page with this size in pixels."""
    xs, ys = zip(*box, strict=True)
    sides = min(xs) / width, min(ys) / height, max(xs) / width, max(ys) / height
    left, top, right, bottom = (min(1.0, max(0.0, side)) for side in sides)
    return left, top, right, bottom


def _range(start: float, end: float, size: int) -> tuple[int, int]:
    """Return the pixels from the one that contains the start to the one that contains the end."""
    first = min(max(0, int(start * size)), size - 1)
    return first, max(first + 1, min(size, math.ceil(end * size)))
