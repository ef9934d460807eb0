"""Page with locally equalized contrast, on which pale words of photographs and drawings are found."""

import numpy as np

from ...documents.pixels import Pixels

MAX_SIDE, MAX_ENLARGEMENT = 1280, 2.0
"""Longer side of the equalized page in pixels, and its size as a multiple of the page's."""
CLIP_LIMIT, GRID = 4.0, (4, 4)
"""Parameters of CLAHE. With 8 or 16 fields to a side, clouds and leaves get the contrast of letters."""


def equalized(pixels: Pixels) -> tuple[Pixels, float]:
    """Return a page with locally equalized lightness (CLAHE, Zuiderveld 1994), and its scale."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(MAX_ENLARGEMENT, MAX_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    lab = cv2.cvtColor(cv2.resize(pixels, size, interpolation=method), cv2.COLOR_BGR2LAB)
    lab[:, :, 0] = cv2.createCLAHE(CLIP_LIMIT, GRID).apply(lab[:, :, 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), np.uint8), scale
