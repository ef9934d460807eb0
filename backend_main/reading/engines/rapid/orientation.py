"""Detection of pages that are rotated by quarter turns.

The detector finds lines in any direction. Only the recognizer can tell the two senses of a direction apart:
it reads a few boxes in both, and the sense with the higher confidence is right.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .detector import Quads

Recognize = Callable[[Quads], float]
"""Function that reads a box, (4, 2) from the top left of its text, and returns the confidence."""

MAX_BOXES_TRIED = 3
ACCEPT_CONFIDENCE = 0.9
"""Confidence of a level line at which its sense is certain, and no further box is read."""
MIN_LONG_ASPECT_RATIO = 6.0
"""Length by height of such a line. Numbers upside down, such as 86.99, are read with up to 0.98."""
MIN_CONFIDENCE_GAIN = 0.15
"""Gain in confidence per box that the opposite sense needs to be chosen."""
MIN_CERTAIN_CONFIDENCE, MAX_UNCERTAIN_CONFIDENCE = 0.98, 0.97
MAX_DIFFERENCE_RATIO = 0.25
"""Confidences of the opposite and the usual sense, and ratio of their distances to 1, for a smaller gain.

Numbers upside down differ from upright ones by less than the gain.
"""
MIN_ASPECT_RATIO = 2.0
"""Length by height from which a box shows the direction of its line."""
MAX_TRIED_ASPECT_RATIO = 14.0
"""Length by height up to which boxes are preferred for a trial: longer ones take longer to read."""


def detect_rotation(quads: Quads, recognize: Recognize) -> int:
    """Return the clockwise rotation of the lines of a page in quarter turns, 0 to 3.

    Args:
        quads: boxes whose corners start at the top left of the image.
        recognize: function that reads a box.
    """
    sizes = np.stack([_side_lengths(quads, 0, 1), _side_lengths(quads, 0, 3)], axis=1)
    is_level = sizes[:, 0] > MIN_ASPECT_RATIO * sizes[:, 1]
    is_upright = sizes[:, 1] > MIN_ASPECT_RATIO * sizes[:, 0]
    if sizes[is_level, 0].sum() >= sizes[is_upright, 1].sum():
        return _most_confident_rotation(
            quads[is_level], sizes[is_level], recognize, usual=0, opposite=2, gain=MIN_CONFIDENCE_GAIN
        )
    # No confidence is accepted at once, and neither sense is more usual: all boxes are tried in both senses.
    return _most_confident_rotation(
        quads[is_upright], sizes[is_upright][:, ::-1], recognize, usual=1, opposite=3, gain=0.0
    )


def _most_confident_rotation(
    quads: Quads,
    sizes: npt.NDArray[np.float32],
    recognize: Recognize,
    *,
    usual: int,
    opposite: int,
    gain: float,
) -> int:
    """Return `usual` or `opposite`.

    Args:
        quads, recognize: as of `detect_rotation`.
        sizes: length and height of each box along its line.
        usual, opposite: quarter turns of the two senses.
        gain: gain in confidence per box for `opposite`. 0: both senses of all boxes are tried.
    """
    if not len(quads):
        return 0
    ratios = sizes[:, 0] / np.maximum(sizes[:, 1], 1e-6)
    preference = np.where(ratios <= MAX_TRIED_ASPECT_RATIO, ratios, -ratios)
    tried = np.argsort(-preference)[:MAX_BOXES_TRIED]
    usual_confidence = opposite_confidence = 0.0
    for quad, ratio in zip(quads[tried], ratios[tried], strict=True):
        confidence = recognize(np.roll(quad, -usual, axis=0))
        if gain and ratio >= MIN_LONG_ASPECT_RATIO and confidence >= ACCEPT_CONFIDENCE:
            return usual
        usual_confidence += confidence
        opposite_confidence += recognize(np.roll(quad, -opposite, axis=0))
    is_opposite = is_clearly_better(opposite_confidence, usual_confidence, len(tried), gain)
    return opposite if is_opposite else usual


def is_clearly_better(
    confidence: float, usual_confidence: float, boxes: int, gain: float = MIN_CONFIDENCE_GAIN
) -> bool:
    """Return whether a direction is better than the usual one. Confidences are sums over `boxes`."""
    is_certain = confidence >= MIN_CERTAIN_CONFIDENCE * boxes
    is_uncertain = usual_confidence <= MAX_UNCERTAIN_CONFIDENCE * boxes
    is_surer = boxes - confidence < MAX_DIFFERENCE_RATIO * (boxes - usual_confidence)
    return confidence > usual_confidence + gain * boxes or (is_certain and is_uncertain and is_surer)


def _side_lengths(quads: Quads, start: int, end: int) -> npt.NDArray[np.float32]:
    return np.asarray(np.linalg.norm(quads[:, end] - quads[:, start], axis=1), np.float32)
