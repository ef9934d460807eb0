"""Text detection: PP-OCR's differentiable binarization (DB) finds the boxes of lines on an image."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels, downscale_by_halves
from ...inference import Floats, InferenceSession
from ...types import Box
from .line_cores import MIN_MEAN_PROBABILITY, MIN_PROBABILITY, cut_bridges

MIN_SIDE = 736
"""Shorter side to which smaller images are enlarged, as RapidOCR does."""
MIN_HEIGHT = 30
MAX_WIDTH_TO_HEIGHT = 8
"""Limits of RapidOCR for images that need padding."""
# The network halves five times. A runtime compiles for each new input size, which takes as long as detecting
# a page. Larger strides keep the sizes few, and change no side by more than a sixteenth.
STRIDE, LARGE_STRIDE, LARGE_SIDE = 32, 64, 512

Quads = npt.NDArray[np.float32]
"""Corners of boxes, (n, 4, 2): x and y, clockwise from the top left of the text. One box is (4, 2)."""


class DetectorImage:
    """An image scaled for the detector, and padded if it is a strip."""

    def __init__(self, image: Pixels, side: int, min_side: int = MIN_SIDE, multiple: int = 1) -> None:
        """Scale an image.

        Args:
            image: image.
            side: maximum of the longer side, in pixels.
            min_side: minimum of the shorter side, in pixels, unless `side` prevents it.
            multiple: number of pixels of which both sides become multiples, by paper at the right and bottom.
        """
        import cv2

        self.pixels, self._scale = scale_to_sides(image, side, min_side=min_side)
        self._padding_top = 0

        # The detector finds nothing on images of extreme aspect ratios; white is added above and below.
        height, width = self.pixels.shape[:2]
        min_height = max(MIN_HEIGHT, width // MAX_WIDTH_TO_HEIGHT)
        if height < min_height:
            self._padding_top = top = (2 * min_height - height) // 2
            white = (255, 255, 255)
            padded = cv2.copyMakeBorder(self.pixels, top, top, 0, 0, cv2.BORDER_CONSTANT, value=white)
            self.pixels = np.asarray(padded, np.uint8)
        self._pad_to_multiple(multiple)

    def _pad_to_multiple(self, multiple: int) -> None:
        import cv2

        height, width = self.pixels.shape[:2]
        bottom, right = -height % multiple, -width % multiple
        if bottom or right:
            edges = np.concatenate([self.pixels[-1], self.pixels[:, -1]])
            paper = np.median(edges, axis=0).tolist()
            padded = cv2.copyMakeBorder(self.pixels, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=paper)
            self.pixels = np.asarray(padded, np.uint8)

    def to_image_coordinates(self, quads: Quads) -> Quads:
        """Convert boxes on `pixels` to pixels of the original image."""
        return (quads - np.array([0, self._padding_top], np.float32)) / self._scale


class Detector:
    """Detector of lines. One thread at a time uses it."""

    def __init__(self, network: InferenceSession) -> None:
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        self._network = network
        # RapidOCR's values.
        self._find_boxes = DBPostProcess(
            thresh=MIN_PROBABILITY,
            box_thresh=MIN_MEAN_PROBABILITY,
            unclip_ratio=1.6,
            use_dilation=True,
            score_mode="fast",
        )

    def detect(self, pixels: Pixels) -> Quads:
        """Return the boxes of all pieces of lines."""
        return self.detect_with_map(pixels)[0]

    def detect_with_map(self, pixels: Pixels) -> tuple[Quads, Floats]:
        """Return the boxes, and the probability (height, width) that a pixel is in the core of a line."""

        def decode(outputs: Sequence[Floats]) -> tuple[Quads, Floats]:
            probabilities = cut_bridges(outputs[0][0, 0])
            found, _ = self._find_boxes(probabilities[np.newaxis, np.newaxis], pixels.shape[:2])
            return np.asarray(found, np.float32).reshape(-1, 4, 2), probabilities

        return self._network.run(_as_input(pixels), decode)


def to_box(quad: Quads) -> Box:
    """Convert the corners of one box."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad.tolist()
    return ((x0, y0), (x1, y1), (x2, y2), (x3, y3))


def heights(quads: Quads) -> Floats:
    """Return the heights of boxes, in pixels."""
    return np.asarray(np.linalg.norm(quads[:, 0] - quads[:, 3], axis=1), np.float32)


def print_heights(quads: Quads) -> Floats:
    """Return the shorter sides of boxes in pixels: heights of lines in any direction."""
    widths = np.linalg.norm(quads[:, 0] - quads[:, 1], axis=1)
    return np.asarray(np.minimum(heights(quads), widths), np.float32)


def scale_to_sides(pixels: Pixels, max_side: int, min_side: int = 0) -> tuple[Pixels, float]:
    """Scale an image; return it with the scale factor.

    Args:
        pixels: image.
        max_side: maximum of the longer side, in pixels.
        min_side: minimum of the shorter side, in pixels, unless `max_side` prevents it.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = min(max_side / max(height, width), max(1.0, min_side / min(height, width)))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(downscale_by_halves(pixels, max(size)), size, interpolation=method)
    return np.asarray(scaled, np.uint8), scale


def to_normalized_chw(pixels: Pixels) -> Floats:
    """Convert an image to (3, height, width) from -1 to 1, the input of PP-OCR's models."""
    import cv2

    planes = np.stack(cv2.split(pixels)).astype(np.float32)
    planes *= np.float32(1 / 127.5)
    planes -= np.float32(1)
    return planes


def _as_input(pixels: Pixels) -> Floats:
    """Return (1, 3, height, width) from -1 to 1, with both sides stretched to a multiple of the stride."""
    import cv2

    height, width = map(_round_to_stride, pixels.shape[:2])
    if (height, width) != pixels.shape[:2]:
        pixels = np.asarray(cv2.resize(pixels, (width, height)), np.uint8)
    return to_normalized_chw(pixels)[np.newaxis]


def _round_to_stride(side: int) -> int:
    stride = LARGE_STRIDE if side > LARGE_SIDE else STRIDE
    return max(stride, round(side / stride) * stride)
