"""Step 10 - what a line says: PP-OCR's recognition, line by line."""

from itertools import groupby
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels
from ...inference import Floats, InferenceSession
from ...layout.text_joining import CJK
from .detector import Quads, to_normalized_chw
from .model_files import CHARACTERS_METADATA_KEY

# RapidOCR pads each line to 320 px at least and recognises six at once. One at a time, padded to 64, none is
# padded to the longest of its six (docs/decisions/0096).
LINE_HEIGHT, MIN_LINE_WIDTH = 48, 64
# A runtime prepares itself for each width it meets, which takes three times as long as to read such a line:
# there are few, in steps of so much, doubled until a line has no more than so many of them. One that needs no
# preparing is given the same: lines with little grey behind them come out worse (docs/decisions/0100).
WIDTH_STEP, MAX_STEPS = 32, 12
# Longer lines are set narrower: their words come out as well, for a twentieth less of the page's time.
LONG_LINE, LONG_LINE_SCALE = 384, 0.9

# The first of what the network tells apart; the last is a space.
CTC_BLANK = 0
# Where the network is in doubt between a space and nothing, nothing wins too often: words came out as one,
# most of all on receipts (docs/decisions/0067).
MIN_SPACE_PROBABILITY = 0.3

Characters = npt.NDArray[np.int64]


class Recognizer:
    """Used by as many threads at once as the network has lanes."""

    def __init__(self, network: InferenceSession, characters: Path | None) -> None:
        self._network = network
        known = characters.read_text() if characters else network.metadata(CHARACTERS_METADATA_KEY)
        self._letters = ["", *known.removesuffix("\n").split("\n"), " "]
        self._is_cjk = np.array([bool(CJK.match(letter)) for letter in self._letters])

    def read(self, image: Pixels, quad: Quads) -> tuple[str, float]:
        """The text inside four corners, and how sure that is, 0 to 1; "" where there is none."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        line = get_rotate_crop_image(image, quad.copy())
        if not line.size:
            return "", 0.0
        return self._network.run(_as_input(line), lambda outputs: self._ctc_decode(outputs[0][0]))

    def _ctc_decode(self, output: Floats) -> tuple[str, float]:
        """Of (steps, characters): how likely each is at each step along the line."""
        likeliest = output.argmax(axis=1)
        begun = ctc_character_steps(likeliest)
        if not len(begun):
            return "", 0.0
        confidence = float(output[begun, likeliest[begun]].mean())
        spaced = insert_likely_spaces(likeliest, output[:, -1], self._is_cjk)
        if spaced is not likeliest:
            begun = ctc_character_steps(spaced)
        text = "".join([self._letters[character] for character in spaced[begun]])
        return " ".join(text.split()), confidence


def ctc_character_steps(likeliest: Characters) -> Characters:
    """The steps at which a character begins: one that goes on for some steps is one, and nothing is none."""
    begins = likeliest != CTC_BLANK
    begins[1:] &= likeliest[1:] != likeliest[:-1]
    return np.flatnonzero(begins)


def insert_likely_spaces(likeliest: Characters, spaces: Floats, is_cjk: npt.NDArray[np.bool_]) -> Characters:
    """The likeliest character of each step, and a space where one is likely enough between two letters.

    `spaces` is how likely a space is at each step; `is_cjk` is of each character, a space the last of them.
    The same object is given back where none is added.
    """
    possible = np.flatnonzero((likeliest == CTC_BLANK) & (spaces >= MIN_SPACE_PROBABILITY))
    if not len(possible):
        return likeliest
    space, spaced = len(is_cjk) - 1, likeliest.copy()
    written = np.flatnonzero(likeliest != CTC_BLANK)
    for gap, places in groupby(possible, lambda place: int(np.searchsorted(written, place))):
        if 0 < gap < len(written):
            letters = likeliest[written[gap - 1 : gap + 1]]
            if space not in letters and not is_cjk[letters].all():
                spaced[max(places, key=lambda place: spaces[place])] = space
    return spaced


def aspect_ratio(quad: Quads) -> float:
    """Length by height of the line inside four corners: those alike have the same width to the network."""
    shorter, longer = sorted(float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))
    return longer / max(shorter, 1.0)


def _as_input(line: Pixels) -> Floats:
    """(1, 3, 48, width), grey to the right of the line."""
    import cv2

    height, width = line.shape[:2]
    width = max(1, ceil(LINE_HEIGHT * width / height))
    if width > LONG_LINE:
        width = max(LONG_LINE, ceil(LONG_LINE_SCALE * width))
    batch = np.zeros((1, 3, LINE_HEIGHT, padded_width(width)), np.float32)
    batch[0, :, :, :width] = to_normalized_chw(np.asarray(cv2.resize(line, (width, LINE_HEIGHT)), np.uint8))
    return batch


def padded_width(width: int) -> int:
    """The width that a line of so much is padded to."""
    step = WIDTH_STEP
    while width > MAX_STEPS * step:
        step *= 2
    return max(MIN_LINE_WIDTH, ceil(width / step) * step)
