"""Step 10 - what a line says: PP-OCR's recognition, line by line."""

from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..letters import CJK
from ..pixels import Pixels
from ..runtimes import Floats, Network
from .detector import Quads, as_floats
from .weights import NOTE_OF_CHARACTERS

# RapidOCR pads each line to 320 px at least and recognises six at once. One at a time, padded to 160, takes
# 0.7 of the time on receipts and no longer elsewhere: none is padded to the longest of its six.
LINE_HEIGHT, MIN_LINE_WIDTH = 48, 160
# A runtime prepares itself for each width it meets; steps keep those few.
WIDTH_STEP = 32

# The first of what the network tells apart; the last is a space.
NOTHING = 0
# Where the network is in doubt between a space and nothing, nothing wins too often: words came out as one,
# most of all on receipts (docs/decisions/0067).
MIN_SPACE = 0.3

Characters = npt.NDArray[np.int64]


class Recogniser:
    """Used by as many threads at once as the network has lanes."""

    def __init__(self, network: Network, characters: Path | None) -> None:
        from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

        self._network = network
        known = characters.read_text() if characters else network.note(NOTE_OF_CHARACTERS)
        self._decode = CTCLabelDecode(character=known.removesuffix("\n").split("\n"))
        self._is_cjk = np.array([bool(CJK.match(letter)) for letter in self._decode.character])

    def read(self, image: Pixels, quad: Quads) -> tuple[str, float]:
        """The text inside four corners, and how sure that is, 0 to 1; "" where there is none."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        line = get_rotate_crop_image(image, quad.copy())
        if not line.size:
            return "", 0.0
        return self._network.run(_as_input(line), lambda outputs: self._said(outputs[0][0]))

    def _said(self, output: Floats) -> tuple[str, float]:
        """Of (steps, characters): how likely each is at each step along the line."""
        likeliest = output.argmax(axis=1)
        # Not `max`: to go through all 18,710 once more takes as long again.
        sureness = np.take_along_axis(output, likeliest[:, np.newaxis], axis=1)[:, 0]
        _, confidence = self._decoded(likeliest, sureness)
        text, _ = self._decoded(with_spaces(likeliest, output[:, -1], self._is_cjk), sureness)
        return " ".join(text.split()), confidence

    def _decoded(self, characters: Characters, sureness: Floats) -> tuple[str, float]:
        [(text, confidence)], _ = self._decode.decode(
            characters[np.newaxis], sureness[np.newaxis], remove_duplicate=True
        )
        return str(text), float(confidence)


def with_spaces(likeliest: Characters, spaces: Floats, is_cjk: npt.NDArray[np.bool_]) -> Characters:
    """The likeliest character of each step, and a space where one is likely enough between two letters.

    `spaces` is how likely a space is at each step; `is_cjk` is of each character, a space the last of them.
    """
    space, spaced = len(is_cjk) - 1, likeliest.copy()
    for before, after in pairwise(np.flatnonzero(likeliest != NOTHING)):
        letters = likeliest[[before, after]]
        if after - before < 2 or space in letters or is_cjk[letters].all():
            continue
        place = before + 1 + int(spaces[before + 1 : after].argmax())
        if spaces[place] >= MIN_SPACE:
            spaced[place] = space
    return spaced


def shape_of(quad: Quads) -> float:
    """Length by height of the line inside four corners: those alike have the same width to the network."""
    shorter, longer = sorted(float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))
    return longer / max(shorter, 1.0)


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
