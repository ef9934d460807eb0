"""Tests of detection in tiles, without a model: a fake detector returns the drawn boxes that a tile shows."""

import numpy as np
import pytest

from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines.rapid.detector import Quads
from backend_main.reading.engines.rapid.ink_areas import InkMap
from backend_main.reading.engines.rapid.tiles import (
    MAX_TILES,
    Tile,
    merge_tiles,
    page_tiles,
    tile_scale,
)

Rect = tuple[float, float, float, float]


def quad(left: float, top: float, right: float, bottom: float) -> Quads:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def seen(tile: Tile, boxes: list[Rect]) -> Quads:
    """Return the parts of boxes inside a tile."""
    left, top, right, bottom = tile.rect
    parts = [(max(left, a), max(top, b), min(right, c), min(bottom, d)) for a, b, c, d in boxes]
    shown = [quad(*part) for part in parts if part[0] < part[2] and part[1] < part[3]]
    return np.stack(shown) if shown else np.zeros((0, 4, 2), np.float32)


@pytest.mark.parametrize(
    ("size", "boxes"),
    [
        ((600, 20_000), [(30, y, 570, y + 24) for y in range(20, 19_900, 38)]),
        ((12_000, 400), [(50, 150, 11_900, 210)]),
        ((12_000, 400), [(x, y, x + 90, y + 40) for x in range(20, 11_800, 130) for y in (50, 200)]),
        ((400, 9_000), [(x, 40, x + 22, 8_900) for x in (50, 150, 250)]),
        ((5_000, 5_000), [(100, y, 4_900, y + 30) for y in range(50, 4_900, 60)]),
    ],
)
def test_merge_tiles_gives_each_line_once_and_whole(size: tuple[int, int], boxes: list[Rect]) -> None:
    tiles = page_tiles(*size, scale=tile_scale(*size) or 1.0)
    assert len(tiles) > 1

    merged = merge_tiles([(tile, seen(tile, boxes)) for tile in tiles], *size)

    found = sorted((*one.min(axis=0).tolist(), *one.max(axis=0).tolist()) for one in merged)
    assert np.allclose(found, sorted(boxes), atol=1)


def test_tile_scale_is_none_for_usual_shapes() -> None:
    assert tile_scale(2480, 3508) is None
    assert tile_scale(900, 3500) is None
    assert tile_scale(1000, 48) is None  # a strip that the detector need not make smaller
    assert tile_scale(600, 20_000) == 1.0


def test_page_tiles_are_limited_in_number_and_cover_the_page() -> None:
    tiles = page_tiles(14_000, 14_000, 1.0)
    assert len(tiles) <= MAX_TILES
    covered = np.zeros((140, 140), bool)
    for tile in tiles:
        left, top, right, bottom = (side // 100 for side in tile.rect)
        covered[top : bottom + 1, left : right + 1] = True
    assert covered.all()


def blank(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), 255, np.uint8)


def test_ink_areas_are_words_without_specks_rules_and_frames() -> None:
    image = blank(2000, 1500)
    image[1200:1203, 200:1800] = 0  # a ruling line
    image[900:902, 500:502] = 0  # a speck
    for side in (slice(50, 52), slice(1448, 1450)):
        image[side, 100:1900] = 0
    for side in (slice(100, 102), slice(1898, 1900)):
        image[50:1450, side] = 0
    for letter in range(5):
        image[600:640, 700 + 40 * letter : 725 + 40 * letter] = 0

    (area,) = InkMap(image).areas()

    assert np.allclose((area.left, area.top, area.right, area.bottom), (700, 600, 885, 640), atol=8)


def test_ink_areas_are_empty_on_a_noisy_page_and_under_read_lines() -> None:
    noise = np.random.default_rng(1).integers(-9, 10, (1000, 800, 3))
    assert not InkMap((240 + noise).astype(np.uint8)).areas()

    image = blank(1000, 800)
    image[300:340, 300:420:8] = 0
    ink = InkMap(image)
    assert ink.areas()
    ink.cover([quad(295, 295, 425, 345)])
    assert not ink.areas()
