"""Step 10 - what a line says: PP-OCR's recognition, line by line."""

from math import ceil
from pathlib import Path

import numpy as np

from ..pixels import Pixels
from .detector import Quads, as_floats
from .runtimes import Floats, Network
from .weights import NOTE_OF_CHARACTERS

# RapidOCR pads each line to 320 px at least and recognises six at once. One at a time, padded to 160, takes
# 0.7 of the time on receipts and no longer elsewhere: none is padded to the longest of its six.
LINE_HEIGHT, MIN_LINE_WIDTH = 48, 160
# A runtime prepares itself for each width it meets; steps keep those few.
WIDTH_STEP = 32


class Recogniser:
    """Used by as many threads at once as the network has lanes."""

    def __init__(self, network: Network, characters: Path | None) -> None:
        from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

        self._network = network
        known = characters.read_text() if characters else network.note(NOTE_OF_CHARACTERS)
        self._decode = CTCLabelDecode(character=known.removesuffix("\n").split("\n"))

    def read(self, image: Pixels, quad: Quads) -> tuple[str, float]:
        """The text inside four corners, and how sure that is, 0 to 1; "" where there is none."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        line = get_rotate_crop_image(image, quad.copy())
        if not line.size:
            return "", 0.0
        (text, confidence), *_ = self._network.run(_as_input(line), lambda output: self._decode(output)[0])
        return " ".join(str(text).split()), float(confidence)


def _as_input(line: Pixels) -> Floats:
    """(1, 3, 48, width), grey to the right of the line."""
    import cv2

    height, width = line.shape[:2]
    width = max(1, ceil(LINE_HEIGHT * width / height))
    batch = np.zeros((1, 3, LINE_HEIGHT, _stepped(width)), np.float32)
    batch[0, :, :, :width] = as_floats(np.asarray(cv2.resize(line, (width, LINE_HEIGHT)), np.uint8))
    return batch


def _stepped(width: int) -> int:
    return max(MIN_LINE_WIDTH, ceil(width / WIDTH_STEP) * WIDTH_STEP)
