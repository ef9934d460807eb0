"""Step 10 - where on an image lines are printed: PP-OCR's detection (differentiable binarization, DB)."""

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels, downscale_by_halves
from ...inference import Floats, InferenceSession
from ...types import Box

# Smaller images are enlarged, as RapidOCR does.
MIN_SIDE = 736
# RapidOCR's own bounds for what it pads.
MIN_HEIGHT, MAX_WIDTH_TO_HEIGHT = 30, 8
# The network halves five times. A runtime prepares itself for each size it meets, which takes as long as
# looking at a page; larger steps keep those few, and change no side by more than a sixteenth.
STEP, LARGE_STEP, LARGE = 32, 64, 512

Quads = npt.NDArray[np.float32]


class DetectorImage:
    """An image as the detector sees it: scaled, and a strip padded. Quads come back in the image's pixels."""

    def __init__(self, image: Pixels, side: int) -> None:
        seen, self._scale = scaled(image, side, at_least=MIN_SIDE)
        self.pixels, self._top = _padded(seen)

    def of_image(self, quads: Quads) -> Quads:
        return (quads - np.array([0, self._top], np.float32)) / self._scale


class Detector:
    """Used by one thread at a time."""

    def __init__(self, network: InferenceSession) -> None:
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        self._network = network
        # RapidOCR's values.
        self._boxes_of = DBPostProcess(
            thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True, score_mode="fast"
        )

    def detect(self, seen: Pixels) -> Quads:
        """Corners of every piece of a line, clockwise from the top left: (n, 4, 2)."""
        size = seen.shape[:2]
        found, _ = self._network.run(_as_input(seen), lambda outputs: self._boxes_of(outputs[0], size))
        return np.asarray(found, np.float32).reshape(-1, 4, 2)


def as_box(quad: Quads) -> Box:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad.tolist()
    return ((x0, y0), (x1, y1), (x2, y2), (x3, y3))


def heights(quads: Quads) -> Floats:
    return np.asarray(np.linalg.norm(quads[:, 0] - quads[:, 3], axis=1), np.float32)


def scaled(pixels: Pixels, side: int, at_least: int = 0) -> tuple[Pixels, float]:
    """The image with no side above `side` and, that granted, none below `at_least`; the factor too."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(side / max(height, width), max(1.0, at_least / min(height, width)))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(downscale_by_halves(pixels, max(size)), size, interpolation=method), np.uint8
    ), scale


def _as_input(seen: Pixels) -> Floats:
    """(1, 3, height, width) from -1 to 1, both sides stretched to a step."""
    import cv2

    height, width = map(_round_to_stride, seen.shape[:2])
    if (height, width) != seen.shape[:2]:
        seen = np.asarray(cv2.resize(seen, (width, height)), np.uint8)
    return to_normalized_chw(seen)[np.newaxis]


def _round_to_stride(side: int) -> int:
    step = LARGE_STEP if side > LARGE else STEP
    return max(step, round(side / step) * step)


def to_normalized_chw(pixels: Pixels) -> Floats:
    """(3, height, width) from -1 to 1, as PP-OCR's models take it."""
    import cv2

    planes = np.stack(cv2.split(pixels)).astype(np.float32)
    planes *= np.float32(1 / 127.5)
    planes -= np.float32(1)
    return planes


def _padded(pixels: Pixels) -> tuple[Pixels, int]:
    """A strip is put between bands of white, as the detector sees nothing in pages of extreme shape."""
    import cv2

    height, width = pixels.shape[:2]
    wanted = max(MIN_HEIGHT, width // MAX_WIDTH_TO_HEIGHT)
    if height >= wanted:
        return pixels, 0
    top = (2 * wanted - height) // 2
    padded = cv2.copyMakeBorder(pixels, top, top, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    return np.asarray(padded, np.uint8), top
