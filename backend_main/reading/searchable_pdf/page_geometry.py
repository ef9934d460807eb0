"""Places on a PDF page: from pixels of the upright page image to user space, and pictures as pages."""

from collections.abc import Callable
from functools import partial

from .picture_copies import PdfPicture

POINTS_PER_INCH = 72
MAX_SIDE_POINTS = 14_400
"""ISO 32000-1, annex C.2. A larger picture gets a larger resolution."""
EMPTY_PAGE_POINTS = (595, 842)
"""A4, for a page that cannot be decoded."""
FIRST_TURNED = 5
"""From this orientation on, width and height are exchanged."""

Point = tuple[float, float]
PageBox = tuple[float, float, float, float]
"""Left, lower, right and upper side."""
ToUserSpace = Callable[[Point], Point]

# Columns of the matrix that draws the unit square as a page of width 1 and height 1, by orientation
# (CIPA DC-008, 4.6.5.1.6): where its right side, its upper side and its lower left corner go.
_UNIT_MATRICES = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


def to_user_space(width: int, height: int, box: PageBox, rotation: int = 0) -> ToUserSpace:
    """Return the transformation from a page image.

    Args:
        width: width of the page image in pixels.
        height: height of the page image in pixels.
        box: visible part of the page in user space.
        rotation: clockwise turn of the page when it is shown, in degrees.
    """
    return partial(_to_user_space, (width or 1, height or 1), box, rotation)


def _to_user_space(size: tuple[int, int], box: PageBox, rotation: int, point: Point) -> Point:
    left, lower, right, upper = box
    across, down = point[0] / size[0], point[1] / size[1]
    if rotation == 90:
        return left + down * (right - left), lower + across * (upper - lower)
    if rotation == 180:
        return right - across * (right - left), lower + down * (upper - lower)
    if rotation == 270:
        return right - down * (right - left), upper - across * (upper - lower)
    return left + across * (right - left), upper - down * (upper - lower)


def page_size(picture: PdfPicture) -> Point:
    """Return the width and the height of an upright picture in points."""
    width, height = picture.width, picture.height
    if picture.orientation >= FIRST_TURNED:
        width, height = height, width
    size = width * POINTS_PER_INCH / picture.dpi[0], height * POINTS_PER_INCH / picture.dpi[1]
    scale = min(1.0, MAX_SIDE_POINTS / max(size))
    return size[0] * scale, size[1] * scale


def image_matrix(orientation: int, width: float, height: float) -> tuple[float, ...]:
    """Return the matrix that draws a picture upright on a page of this size."""
    a, b, c, d, e, f = _UNIT_MATRICES[orientation]
    return a * width, b * height, c * width, d * height, e * width, f * height
