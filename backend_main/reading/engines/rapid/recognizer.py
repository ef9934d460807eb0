"""Text recognition: PP-OCR's recognition network reads one line at a time."""

from collections.abc import Sequence
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels
from ...inference import Floats, InferenceSession
from ...layout.text_joining import CJK
from ...types import level_box
from ...words import realigned
from ..base import UnreadWord
from .detector import Quads, to_normalized_chw
from .line_ink import LineInk
from .line_reading import NOTHING_READ, LineReading
from .model_files import CHARACTERS_METADATA_KEY
from .unread_signs import with_unread_signs
from .unread_words import unread_words
from .unsure_words import CTC_BLANK, UnsureWord, unsure_words
from .word_places import words_of_line

# RapidOCR pads each line to at least 320 px and recognizes six at once. Here lines are recognized one at a
# time and padded to 64 px, so none is padded to the longest of six (docs/decisions/0096).
LINE_HEIGHT, MIN_LINE_WIDTH = 48, 64
# A runtime compiles for each new width, which takes three times as long as reading such a line. Widths are
# therefore multiples of 32 px, and the multiple doubles until a line has at most 12 of them. A runtime that
# does not compile gets the same widths: lines with little padding are read worse (docs/decisions/0100).
WIDTH_STEP, MAX_STEPS = 32, 12
# Longer lines are compressed: their words are read as well, in a twentieth less of the page's time.
LONG_LINE_WIDTH, LONG_LINE_SCALE = 384, 0.9

SMALL_LINE_HEIGHT, ENLARGEMENT, SMALL_LINE_MARGIN = 24, 2, 4
"""Height in pixels below which a line is enlarged first, by a factor, with a margin in pixels.

Character error rate of drawn pages, in %: 6.2 → 4.5 at 60 dpi, 2.0 → 1.4 at 75, 0.8 → 0.5 at 100.
A factor of 3, and a cubic resize in place of this one, were worse.
"""

MIN_SPACE_PROBABILITY = 0.3
"""Probability from which a blank between two letters becomes a space.

The network prefers the blank too often: words were joined, mostly on receipts (docs/decisions/0067).
"""
MIN_WIDE_SPACE_PROBABILITY = 0.1
"""Probability from which a blank becomes a space if the two letters are far apart (docs/decisions/0122)."""
MIN_WIDE_STEPS, MIN_WIDE_RATIO = 3, 1.75
"""Distance of such letters: in steps, and in the median distance of the line's letters."""

MIN_SURE_CONFIDENCE, WORD_MARGIN_SHARE = 0.95, 12
"""Confidence of a word on an image of its own, from which it is what was read; and its margin, as that share
of the height of the line."""
Classes = npt.NDArray[np.int64]
"""Most likely class of each step along a line."""


class Recognizer:
    """Recognizer of lines. As many threads use it at once as its network has concurrent calls.

    unsure_words: unsure words of all lines, until the caller clears them.
    unread_words: words of level lines that may be in another script, by text and confidence of the line.
    """

    def __init__(self, network: InferenceSession, characters: Path | None) -> None:
        self.unsure_words: set[UnsureWord] = set()
        self.unread_words: dict[tuple[str, float], list[UnreadWord]] = {}
        self._network = network
        text = characters.read_text() if characters else network.metadata(CHARACTERS_METADATA_KEY)
        self._characters = ["", *text.removesuffix("\n").split("\n"), " "]
        self._is_cjk = np.array([bool(CJK.match(character)) for character in self._characters])

    def read(self, image: Pixels, quad: Quads) -> LineReading:
        """Return the text in a box of an image, which may be empty, its confidence and its words."""
        from rapidocr.utils.process_img import get_rotate_crop_image

        image, quad = _enlarged_if_small(image, quad)
        line = get_rotate_crop_image(image, quad)
        if not line.size:
            return NOTHING_READ
        scaled = _scaled(line)
        decoded = self._read(scaled)
        words = words_of_line(decoded.text, decoded.positions, decoded.confidences, scaled)
        is_turned = _is_turned(line, quad)
        text = self._text_by_ink(line, scaled, decoded, is_turned=is_turned)
        height, width = scaled.shape[:2]
        words = realigned(words, decoded.text, text, level_box(0, 0, width, height))
        return LineReading(text, decoded.confidence, words, width, height, 1 if is_turned else 0)

    def _text_by_ink(self, line: Pixels, scaled: Pixels, decoded: "DecodedLine", *, is_turned: bool) -> str:
        """Return the text with the signs that the ink shows, and keep the words that it does not explain."""
        ink = LineInk.of(line) if decoded.text else None
        if ink is None:
            return decoded.text
        to_line_pixels = line.shape[1] / scaled.shape[1]
        positions = [place * to_line_pixels for place in decoded.positions]
        text = with_unread_signs(decoded.text, positions, ink, self._digits)
        if not is_turned:
            suspects = unread_words(decoded.text, positions, decoded.confidences, ink)
            unread = [word for word in suspects if not self._is_sure_alone(line, word)]
            self.unread_words[text, decoded.confidence] = unread
        return text

    def _read(self, scaled: Pixels) -> "DecodedLine":
        """Return the text of the image of a line in the height of the network."""
        batch = _as_input(scaled)
        decoded = self._network.run(batch, lambda outputs: self._ctc_decode(outputs[0][0]))
        return decoded._replace(positions=[share * batch.shape[3] for share in decoded.positions])

    def _is_sure_alone(self, line: Pixels, word: UnreadWord) -> bool:
        """Return whether the network is sure of a word on an image of its own. It is for most Latin ones."""
        width, margin = line.shape[1], line.shape[0] // WORD_MARGIN_SHARE
        left, right = int(word.left * width) - margin, int(word.right * width) + margin
        decoded = self._read(_scaled(line[:, max(0, left) : right]))
        return bool(decoded.text) and decoded.confidence >= MIN_SURE_CONFIDENCE

    def _digits(self, picture: Pixels) -> str:
        return self._read(_scaled(picture)).text

    def _ctc_decode(self, probabilities: Floats) -> "DecodedLine":
        """Return the text of (steps, classes)."""
        classes = probabilities.argmax(axis=1)
        steps = ctc_character_steps(classes)
        if not len(steps):
            return DecodedLine("", 0.0, [], [])
        confidence = float(probabilities[steps, classes[steps]].mean())
        spaced = insert_likely_spaces(classes, probabilities[:, -1], self._is_cjk)
        self.unsure_words.update(unsure_words(spaced, probabilities, self._characters))
        steps = ctc_character_steps(spaced)
        characters = [self._characters[number] for number in spaced[steps]]
        kept = [number for number, _ in enumerate(characters) if not _is_extra_space(characters, number)]
        positions = ((steps[kept] + 0.5) / len(classes)).tolist()
        confidences = probabilities[steps, spaced[steps]][kept].tolist()
        return DecodedLine(
            "".join([characters[number] for number in kept]), confidence, positions, confidences
        )


class DecodedLine(NamedTuple):
    """Text of a line with its confidence, and the position and the confidence of each character.

    Positions are shares of the padded width, or pixels of the image of the line.
    """

    text: str
    confidence: float
    positions: list[float]
    confidences: list[float]


def _is_extra_space(characters: Sequence[str], number: int) -> bool:
    """Return whether a character is a space at either end, or after another space."""
    if not characters[number].isspace():
        return False
    return number == 0 or not "".join(characters[number:]).strip() or characters[number - 1].isspace()


def ctc_character_steps(classes: Classes) -> Classes:
    """Return the steps at which a character starts: repeated classes are one character, blanks are none."""
    is_start = classes != CTC_BLANK
    is_start[1:] &= classes[1:] != classes[:-1]
    return np.flatnonzero(is_start)


def insert_likely_spaces(
    classes: Classes, space_probabilities: Floats, is_cjk: npt.NDArray[np.bool_]
) -> Classes:
    """Return the classes with a space where one is likely between two letters, other than two CJK ones.

    Args:
        classes: most likely class of each step.
        space_probabilities: probability of a space at each step.
        is_cjk: whether each class is a CJK character. The last class is the space.
    """
    likely = (classes == CTC_BLANK) & (space_probabilities >= MIN_WIDE_SPACE_PROBABILITY)
    if not likely.any():
        return classes
    space, spaced = len(is_cjk) - 1, classes.copy()
    written, starts = np.flatnonzero(classes != CTC_BLANK), ctc_character_steps(classes)
    min_steps = (
        max(MIN_WIDE_STEPS, MIN_WIDE_RATIO * float(np.median(np.diff(starts)))) if len(starts) > 1 else 0
    )
    for gap, steps in groupby(np.flatnonzero(likely), lambda step: int(np.searchsorted(written, step))):
        if 0 < gap < len(written):
            left, right = written[gap - 1 : gap + 1]
            neighbors = classes[[left, right]]
            best = max(steps, key=lambda step: space_probabilities[step])
            is_wide = right - starts[starts <= left][-1] >= min_steps
            is_likely = is_wide or space_probabilities[best] >= MIN_SPACE_PROBABILITY
            if is_likely and space not in neighbors and not is_cjk[neighbors].all():
                spaced[best] = space
    return spaced


def aspect_ratio(quad: Quads) -> float:
    """Return length by height of a line. Lines of one ratio have one width for the network."""
    shorter, longer = sorted(float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))
    return longer / max(shorter, 1.0)


def _enlarged_if_small(image: Pixels, quad: Quads) -> tuple[Pixels, Quads]:
    """Return the surroundings of a small line enlarged, and its box there; otherwise both as they are."""
    import cv2

    heights = np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[0] - quad[1])
    if min(heights) >= SMALL_LINE_HEIGHT:
        return image, quad.copy()
    left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int) - SMALL_LINE_MARGIN, 0)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int) + SMALL_LINE_MARGIN
    crop = image[top:bottom, left:right]
    if not crop.size:
        return image, quad.copy()
    enlarged = cv2.resize(crop, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
    shift = np.array([left, top], np.float32)
    return np.asarray(enlarged, np.uint8), (quad - shift) * np.float32(ENLARGEMENT)


def scaled_width(line: Pixels) -> int:
    """Return the width of a line as the network gets it, in pixels, without padding."""
    height, width = map(int, line.shape[:2])
    width = max(1, ceil(LINE_HEIGHT * width / height))
    if width <= LONG_LINE_WIDTH:
        return width
    return max(LONG_LINE_WIDTH, ceil(LONG_LINE_SCALE * width))


def _scaled(line: Pixels) -> Pixels:
    """Return a line in the height of the network."""
    import cv2

    return np.asarray(cv2.resize(line, (scaled_width(line), LINE_HEIGHT)), np.uint8)


def _as_input(scaled: Pixels) -> Floats:
    """Return (1, 3, 48, padded width): a line with grey to its right."""
    width = scaled.shape[1]
    batch = np.zeros((1, 3, LINE_HEIGHT, padded_width(width)), np.float32)
    batch[0, :, :, :width] = to_normalized_chw(scaled)
    return batch


def _is_turned(line: Pixels, quad: Quads) -> bool:
    """Return whether the image of a line is a quarter turn of its box: a high one is read from its top."""
    height = max(float(np.linalg.norm(quad[0] - quad[3])), float(np.linalg.norm(quad[1] - quad[2])))
    return bool(line.shape[0] != int(height))


def padded_width(width: int) -> int:
    """Return the width to which a line is padded, in pixels."""
    step = WIDTH_STEP
    while width > MAX_STEPS * step:
        step *= 2
    return max(MIN_LINE_WIDTH, ceil(width / step) * step)
