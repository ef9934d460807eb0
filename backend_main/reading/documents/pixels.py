"""Conversion of an image in any color mode to upright pixels on white, in BGR order, as OpenCV expects.

It works in strips, so the result is the only full copy of the image. For the largest page allowed, that is
the difference between 600 MB and more than an engine process may have.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from .image_headers import EXIF_PREFIX, is_exif_bounded

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3), in BGR order."""

STRIP_PIXELS = 4_000_000
MAX_16_BIT = 65535.0
EXIF_TRANSFORMS: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, 3),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}
"""Transforms that make an image upright, by its EXIF orientation (CIPA DC-008, 4.6.5.1.6)."""


def to_upright_bgr(image: Image.Image) -> Pixels:
    """Convert a loaded image, apply its EXIF orientation, and put transparent parts on white."""
    import cv2

    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    white_level = _white_level(image) if image.mode[0] in "IF" else None
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        if white_level:
            # Pillow would clip grey of 16 or 32 bits, and floats, to a white page.
            grey = np.nan_to_num(np.asarray(strip, dtype=np.float32)) * (255.0 / white_level)
            strip = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
        cv2.cvtColor(np.asarray(_flatten_alpha(strip)), cv2.COLOR_RGB2BGR, dst=pixels[top : top + rows])
    transform = EXIF_TRANSFORMS.get(_orientation(image))
    return np.ascontiguousarray(transform(pixels)) if transform else pixels


def downscale_by_halves(pixels: Pixels, side: int) -> Pixels:
    """Halve an image while its longer side is at least twice `side`.

    Each pixel is the mean of four. Any other downscaling with the blur that it needs takes ten times as long.
    """
    import cv2

    while max(pixels.shape[:2]) >= 2 * side:
        height, width = (max(1, length // 2) for length in pixels.shape[:2])
        even = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return pixels


def _flatten_alpha(strip: Image.Image) -> Image.Image:
    """Convert to RGB on a white ground, because black text on a transparent ground would become invisible."""
    if not strip.has_transparency_data:
        return strip.convert("RGB")
    strip = strip.convert("RGBA")
    ground = Image.new("RGB", strip.size, "white")
    ground.paste(strip, mask=strip.getchannel("A"))
    return ground


def _white_level(image: Image.Image) -> float:
    """Return the value of white: the least of 1, 255 and 65535 that no pixel exceeds, or else the maximum."""
    if image.mode.startswith("I;16"):
        return MAX_16_BIT
    highest = float(np.nanmax(np.asarray(image.getextrema(), np.float64)))
    return next((level for level in (1.0, 255.0, MAX_16_BIT) if highest <= level), highest)


def _orientation(image: Image.Image) -> int:
    try:
        if not is_exif_bounded((image.info.get("exif") or b"").removeprefix(EXIF_PREFIX)):
            return 1
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # malformed EXIF does not make the image unreadable
        return 1
