"""Step 10 - an image in any mode → upright pixels on white, in BGR order, as OpenCV takes them.

Strip by strip: the page that is asked for is the only copy of it here, which for the largest page allowed is
the difference between 600 MB and more than a reader may have.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from .image_headers import EXIF_PREFIX, is_exif_bounded

Pixels = npt.NDArray[np.uint8]

STRIP_PIXELS = 4_000_000
EXIF_TRANSFORMS: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, 3),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}
"""What makes an image upright, by its EXIF orientation (CIPA DC-008, 4.6.5.1.6)."""


def to_upright_bgr(image: Image.Image) -> Pixels:
    """(height, width, 3) uint8 of a loaded image."""
    import cv2

    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    white_level = _white_level(image) if image.mode[0] in "IF" else 0.0
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        if white_level:
            strip = _to_8bit(strip, white_level)
        cv2.cvtColor(np.asarray(_flatten_alpha(strip)), cv2.COLOR_RGB2BGR, dst=pixels[top : top + rows])
    turn = EXIF_TRANSFORMS.get(_orientation(image))
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


def downscale_by_halves(pixels: Pixels, side: int) -> Pixels:
    """Halved for as long as its longer side is twice `side` or more.

    Four whole pixels to one: any other step down that blurs as it should takes ten times as long.
    """
    import cv2

    while max(pixels.shape[:2]) >= 2 * side:
        height, width = (max(1, length // 2) for length in pixels.shape[:2])
        whole = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return pixels


def _flatten_alpha(strip: Image.Image) -> Image.Image:
    if not strip.has_transparency_data:
        return strip.convert("RGB")
    # Paper is white: text on a transparent ground must not turn black on black.
    strip = strip.convert("RGBA")
    paper = Image.new("RGB", strip.size, "white")
    paper.paste(strip, mask=strip.getchannel("A"))
    return paper


def _to_8bit(strip: Image.Image, white_level: float) -> Image.Image:
    """Grey of 16 or 32 bits or floats, scaled: Pillow's own conversion clips, to a white page."""
    values = np.nan_to_num(np.asarray(strip, dtype=np.float32))
    return Image.fromarray((values * (255.0 / white_level)).clip(0, 255).astype(np.uint8))


def _white_level(image: Image.Image) -> float:
    if image.mode.startswith("I;16"):
        return 65535.0
    highest = float(np.nanmax(np.asarray(image.getextrema(), np.float64)))
    for level in (1.0, 255.0, 65535.0):
        if highest <= level:
            return level
    return highest


def _orientation(image: Image.Image) -> int:
    try:
        if not is_exif_bounded((image.info.get("exif") or b"").removeprefix(EXIF_PREFIX)):
            return 1
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # what a camera wrote wrongly beside the picture does not cost the picture
        return 1
