"""Conversion of an image in any color mode to upright pixels on one ground, in BGR order, as OpenCV expects.

It works in strips, so the result is the only full copy of the image. For the largest page allowed, that is
the difference between 600 MB and more than an engine process may have.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from .ink_levels import GroundChoice, Levels, Numbers, find_levels

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3), in BGR order."""
Gray = npt.NDArray[np.uint8]
"""(height, width)."""

SCALE_STEPS = 16
STRIP_PIXELS, STRIP_ROWS = 4_000_000, SCALE_STEPS
"""Largest strip, and the number of which its rows are a multiple."""
MAX_PAGE_PIXELS = 80_000_000
"""Larger images are reduced. A page of this size is 240 MB, and twice that while it is turned."""
INTERLACED_ROWS = 8
"""Greatest distance of two rows of a PNG's first pass (W3C, PNG, section 8.1)."""
MAX_SAMPLE_SIDE = 500
"""Pixels of the longer side of the sample that decides whether inks are inverted."""
MAX_INVERTED_GRAY = 64
"""Most pixels of an inverted page are darker."""
EXIF_VIEWS: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, 3),
}
"""Views of an upright image as the file has it, by its EXIF orientation (CIPA DC-008, 4.6.5.1.6)."""
FIRST_TURNED = 5
"""From this orientation on, width and height are exchanged."""


@dataclass(frozen=True)
class NumberFormat:
    """Facts about a picture's numbers that Pillow's color mode does not contain."""

    has_white_zero: bool = False
    """0 is white in gray of 16 or 32 bits, or in floats."""
    is_unsigned: bool = False
    """Integers of 32 bits are not negative."""


class Strips(ABC):
    """An image whose rows are decoded, or converted, in strips from top to bottom."""

    width: int
    height: int
    row_step: int = STRIP_ROWS
    """Number of which the rows of a strip are a multiple."""

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the first row and the row after the last one of each strip."""
        rows = max(self.row_step, STRIP_PIXELS // self.width // self.row_step * self.row_step)
        for top in range(0, self.height, rows):
            yield top, min(self.height, top + rows)

    @abstractmethod
    def rgb(self, top: int, bottom: int) -> Pixels:
        """Return a strip in RGB. The strips are requested in order, each once."""


def to_upright_bgr(
    strips: Strips, orientation: int = 1, *, missing_rows: npt.NDArray[np.bool_] | None = None
) -> Pixels:
    """Convert an image, make missing rows white, turn it, and reduce it to `MAX_PAGE_PIXELS`.

    The strips are turned and reduced one by one: the whole image would be a second copy.
    """
    import cv2

    scale = _scale(strips.width * strips.height)
    width, height = scale.reduced(strips.width), scale.reduced(strips.height)
    pixels = np.empty((width, height, 3) if orientation >= FIRST_TURNED else (height, width, 3), np.uint8)
    image = EXIF_VIEWS.get(orientation, np.asarray)(pixels)
    for top, bottom in strips.places():
        strip = np.asarray(cv2.cvtColor(strips.rgb(top, bottom), cv2.COLOR_RGB2BGR), np.uint8)
        first, last = scale.reduced(top), scale.reduced(bottom)
        image[first:last] = _resized(strip, width, last - first)
    if missing_rows is not None:
        places = np.minimum(np.arange(height) * SCALE_STEPS // scale.sixteenths, strips.height - 1)
        _fill_missing(image, missing_rows[places])
    return pixels


@dataclass(frozen=True)
class _Scale:
    """Reduction of an image in sixteenths, so that the reduced strips are whole rows."""

    sixteenths: int

    def reduced(self, length: int) -> int:
        return -(-length * self.sixteenths // SCALE_STEPS)


def _scale(pixels: int) -> _Scale:
    share = min(1.0, (MAX_PAGE_PIXELS / pixels) ** 0.5)
    return _Scale(max(1, int(SCALE_STEPS * share)))


def _resized(strip: Pixels, width: int, height: int) -> Pixels:
    import cv2

    if strip.shape[:2] == (height, width):
        return strip
    return np.asarray(cv2.resize(strip, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


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


class PillowStrips(Strips):
    """Strips of a loaded image, on an opaque ground."""

    def __init__(self, image: Image.Image, numbers: NumberFormat | None = None) -> None:
        self.width, self.height = image.size
        self._image = image
        self._numbers = numbers or NumberFormat()
        self._levels: Levels | None = None
        if image.mode[0] in "IF":
            self._levels = find_levels(self._numbers_of(top, bottom) for top, bottom in self.places())
        self._has_inverted_inks = image.mode == "CMYK" and _are_inverted(image)
        self._max_alpha = self._ground = 255
        self._is_transparent = self._has_transparency()
        if self._is_transparent:
            self._max_alpha = max(1, max(int(alpha.max()) for _, alpha in self._layers()))
            self._ground = self._choose_ground()

    def rgb(self, top: int, bottom: int) -> Pixels:
        color, alpha = self._layer(top, bottom)
        if alpha is None or not self._is_transparent:
            return color
        if self._max_alpha == 255:
            ground = Image.new("RGB", (color.shape[1], color.shape[0]), (self._ground,) * 3)
            ground.paste(Image.fromarray(color), mask=Image.fromarray(alpha))
            return np.asarray(ground)
        share = np.minimum(alpha.astype(np.float32) / self._max_alpha, 1.0)[:, :, None]
        return np.asarray(np.rint(self._ground + (color - np.float32(self._ground)) * share), np.uint8)

    def _layer(self, top: int, bottom: int) -> tuple[Pixels, Gray | None]:
        """Return colors and opacity of a strip; None: it is opaque."""
        if self._levels:
            return self._number_layer(self._levels, top, bottom)
        strip = self._crop(top, bottom)
        if strip.has_transparency_data:
            layer = np.asarray(strip.convert("RGBA"))
            return layer[:, :, :3], layer[:, :, 3]
        if self._has_inverted_inks:
            strip = ImageChops.invert(strip)
        return np.asarray(strip.convert("RGB")), None

    def _number_layer(self, levels: Levels, top: int, bottom: int) -> tuple[Pixels, Gray | None]:
        numbers = self._numbers_of(top, bottom)
        gray = levels.to_gray(numbers)
        if self._numbers.has_white_zero:
            gray = 255 - gray
        is_opaque = np.isfinite(numbers)
        key = self._image.info.get("transparency")
        if isinstance(key, int):
            is_opaque &= numbers != key
        alpha = None if is_opaque.all() else is_opaque.astype(np.uint8) * 255
        return np.repeat(gray[:, :, None], 3, axis=2), alpha

    def _numbers_of(self, top: int, bottom: int) -> Numbers:
        numbers = np.asarray(self._crop(top, bottom))
        return numbers.view(np.uint32) if self._numbers.is_unsigned and numbers.dtype == np.int32 else numbers

    def _crop(self, top: int, bottom: int) -> Image.Image:
        return self._image.crop((0, top, self._image.width, bottom))

    def _has_transparency(self) -> bool:
        if self._image.mode in ("RGBA", "LA"):
            return self._image.getchannel("A").getextrema() != (255, 255)
        return self._image.has_transparency_data or self._image.mode == "F"

    def _layers(self) -> Iterator[tuple[Pixels, Gray]]:
        for top, bottom in self.places():
            color, alpha = self._layer(top, bottom)
            yield color, np.full(color.shape[:2], 255, np.uint8) if alpha is None else alpha

    def _choose_ground(self) -> int:
        import cv2

        choice = GroundChoice()
        for color, alpha in self._layers():
            gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(color), cv2.COLOR_RGB2GRAY), np.uint8)
            choice.add(gray, alpha, opaque_from=(self._max_alpha + 1) // 2)
        return choice.level()


def _are_inverted(image: Image.Image) -> bool:
    """Return whether the inks of an image are inverted: most of it is nearly black, and not so if inverted.

    The Adobe marker of a JPEG does not decide: programs write both kinds with it and without it. White print
    on black is nearly black both ways: inverted, black without the fourth ink becomes full of it.
    """
    scale = min(1.0, MAX_SAMPLE_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    sample = image.resize(size, Image.Resampling.NEAREST)
    return _is_dark(sample) and not _is_dark(ImageChops.invert(sample))


def _is_dark(image: Image.Image) -> bool:
    gray = np.asarray(image.convert("RGB").convert("L"))
    return bool(np.median(gray) < MAX_INVERTED_GRAY)


def _fill_missing(pixels: Pixels, missing_rows: npt.NDArray[np.bool_]) -> None:
    """Make missing rows white, or copy the row above between rows of an interlaced image."""
    present = np.flatnonzero(~missing_rows)
    for row in np.flatnonzero(missing_rows):
        after = int(np.searchsorted(present, row))
        is_between = 0 < after < len(present) and present[after] - present[after - 1] <= INTERLACED_ROWS
        pixels[row] = pixels[present[after - 1]] if is_between else 255
