"""Detection in overlapping tiles, for pages whose print the detector's usual image size makes too small.

A receipt of 600 × 20,000 pixels would be 38 pixels wide on that image. Each tile is at the scale of the print
instead. A line that lies in two tiles is found twice, or in two pieces: `merge_tiles` makes it one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...documents.pixels import Pixels
from .detector import DetectorImage, Quads
from .ink_areas import has_ink

TILE_SIDE, OVERLAP = 1280, 192
"""Side of a tile and its overlap with the next one, in pixels on the detector's image."""
MAX_TILES = 100
"""Maximum number of tiles of a page: about a minute. The scale is smaller where it would need more."""
MIN_EXTREME_ASPECT_RATIO = 4.5
"""Longer by shorter side from which a page is read in tiles. Receipts of usual length have up to 4."""
EXTREME_TILE_ASPECT_RATIO = 1.5
"""Longest tile of such a page in its shorter sides: a tile is as a page of usual shape."""
EDGE_MARGIN = 4.0
"""Distance from the edge of a tile, in pixels of the detector's image, up to which a box is cut by it."""
MIN_SHARED_AREA = 0.6
"""Share of the smaller of two boxes that both have, from which they are one line found twice."""
MIN_SHARED_HEIGHT = 0.6
"""Share of the lower of two boxes that both have across, from which they are two pieces of one line."""

SIDE_MULTIPLE = 256
"""Factor of the sides of tiles: a runtime compiles for each new size, longer than it detects."""
MIN_TILE_SIDE = 64
"""Shorter side to which a smaller tile is enlarged, in pixels of the detector's image."""

Rect = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the page."""


@dataclass(frozen=True)
class Tile:
    """A part of a page: its rectangle, and its distance in pixels that it shares with its neighbors."""

    rect: Rect
    overlap: float
    scale: float

    def detector_image(self, pixels: Pixels) -> DetectorImage:
        """Return the part of the page at the scale of the tiles."""
        left, top, right, bottom = self.rect
        part = pixels[top:bottom, left:right]
        side = max(MIN_TILE_SIDE, round(self.scale * max(part.shape[:2])))
        return DetectorImage(part, side, min_side=MIN_TILE_SIDE, multiple=SIDE_MULTIPLE)


def tile_scale(width: int, height: int) -> float | None:
    """Return the scale of the tiles of a page of extreme shape; None if the page needs none."""
    shorter, longer = sorted((width, height))
    if longer <= TILE_SIDE or longer < MIN_EXTREME_ASPECT_RATIO * shorter:
        return None
    return min(1.0, TILE_SIDE / (EXTREME_TILE_ASPECT_RATIO * shorter))


def page_tiles(width: int, height: int, scale: float) -> list[Tile]:
    """Return the tiles that cover a page; at a smaller scale if there would be more than `MAX_TILES`.

    Args:
        width, height: size of the page in pixels.
        scale: pixels of the detector's image by pixels of the page.
    """
    while True:
        side, overlap = TILE_SIDE / scale, OVERLAP / scale
        columns, rows = _spans(width, side, overlap), _spans(height, side, overlap)
        if len(columns) * len(rows) <= MAX_TILES:
            break
        scale *= 0.9
    return [
        Tile((left, top, right, bottom), overlap, scale) for top, bottom in rows for left, right in columns
    ]


def _spans(length: int, side: float, overlap: float) -> list[tuple[int, int]]:
    if length <= side:
        return [(0, length)]
    count = int(np.ceil((length - overlap) / (side - overlap)))
    starts = np.linspace(0, length - side, count)
    return [(round(start), min(length, round(start + side))) for start in starts]


def detect_in_tiles(pixels: Pixels, scale: float, detect: Callable[[Pixels], Quads]) -> Quads:
    """Return the boxes of the lines of an image, in its pixels, at a scale at which it may need many tiles.

    Args:
        pixels: image.
        scale: pixels of the detector's image by pixels of the image.
        detect: function that returns the boxes on an image for the detector.
    """
    height, width = pixels.shape[:2]
    found = []
    for tile in page_tiles(width, height, scale):
        image = tile.detector_image(pixels)
        if not has_ink(image.pixels):
            continue
        quads = image.to_image_coordinates(detect(image.pixels)) + np.array(tile.rect[:2], np.float32)
        found.append((tile, np.asarray(quads, np.float32)))
    return merge_tiles(found, width, height)


def merge_tiles(found: Sequence[tuple[Tile, Quads]], width: int, height: int) -> Quads:
    """Return the boxes of a page, each line once.

    Args:
        found: each tile with its boxes in pixels of the page.
        width, height: size of the page in pixels.
    """
    merged: list[Quads] = []
    for tile, quads in found:
        for quad in quads:
            if not _is_whole_in_a_neighbor(quad, tile, width, height):
                _add(merged, quad)
    return np.stack(merged) if merged else np.zeros((0, 4, 2), np.float32)


def _is_whole_in_a_neighbor(quad: Quads, tile: Tile, width: int, height: int) -> bool:
    """Return whether an edge inside the page cuts a box that the neighbor across that edge has whole."""
    margin = EDGE_MARGIN / tile.scale
    left, top, right, bottom = tile.rect
    (low_x, low_y), (high_x, high_y) = quad.min(axis=0), quad.max(axis=0)
    # The distance of each inner edge to the near and the far side of the box.
    distances = [
        (low_x - left, high_x - left) if left > 0 else None,
        (low_y - top, high_y - top) if top > 0 else None,
        (right - high_x, right - low_x) if right < width else None,
        (bottom - high_y, bottom - low_y) if bottom < height else None,
    ]
    return any(pair and pair[0] < margin and pair[1] < tile.overlap - margin for pair in distances)


def _add(merged: list[Quads], quad: Quads) -> None:
    """Add a box to the others, or join it with those that are of its line."""
    for other in _of_one_line(merged, quad):
        merged[:] = [one for one in merged if one is not other]
        quad = _joined(other, quad)
    merged.append(quad)


def _of_one_line(merged: Sequence[Quads], quad: Quads) -> Iterator[Quads]:
    import cv2

    low, high = quad.min(axis=0), quad.max(axis=0)
    area = cv2.contourArea(quad)
    for other in list(merged):
        other_low, other_high = other.min(axis=0), other.max(axis=0)
        shared = np.minimum(high, other_high) - np.maximum(low, other_low)
        if (shared <= 0).any():
            continue
        smaller = max(1.0, min(area, cv2.contourArea(other)))
        if cv2.intersectConvexConvex(quad, other)[0] > MIN_SHARED_AREA * smaller or _continues(quad, other):
            yield other


def _continues(quad: Quads, other: Quads) -> bool:
    """Return whether two boxes that overlap are pieces of a line: alike in direction, height and place."""
    along, across = _direction(quad)
    other_along, _ = _direction(other)
    if abs(float(along @ other_along)) < np.cos(np.radians(10)):
        return False
    first, second = quad @ across, other @ across
    shared = min(first.max(), second.max()) - max(first.min(), second.min())
    first_ends, second_ends = quad @ along, other @ along
    is_beyond = (first_ends.max() - second_ends.max()) * (first_ends.min() - second_ends.min()) > 0
    return bool(is_beyond and shared > MIN_SHARED_HEIGHT * min(np.ptp(first), np.ptp(second)))


def _direction(quad: Quads) -> tuple[Quads, Quads]:
    """Return the unit vectors along and across the longer side of a box."""
    sides = quad[1] - quad[0], quad[3] - quad[0]
    longer = max(sides, key=lambda side: float(np.linalg.norm(side)))
    along = longer / max(float(np.linalg.norm(longer)), 1e-6)
    return along, np.array([-along[1], along[0]], np.float32)


def _joined(first: Quads, second: Quads) -> Quads:
    """Return the box around two boxes in the direction of the longer one, from the same corner."""
    longer = max(first, second, key=lambda quad: float(np.ptp(quad, axis=0).max()))
    x_axis = (longer[1] - longer[0]) / max(float(np.linalg.norm(longer[1] - longer[0])), 1e-6)
    axes = np.stack([x_axis, [-x_axis[1], x_axis[0]]]).astype(np.float32)
    points = np.concatenate([first, second]) @ axes.T
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return np.asarray(corners @ axes, np.float32)
