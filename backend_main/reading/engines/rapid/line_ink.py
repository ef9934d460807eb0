"""Ink of the image of one line: its connected parts, and where its letters stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels

MIN_LETTER_HEIGHT = 7
"""Height of the letters in pixels from which their signs have shapes."""
MIN_AREA = 3
"""Ink in pixels that may be noise."""
MIN_LINE_HEIGHT = 72
"""Height in pixels to which lower lines are enlarged: the rings of a sign are then not filled."""
MIN_WORD_GAP, MAX_SIGN_GAP = 0.3, 0.45
"""White before a sign that opens a word, and between the sign and the word, in heights of a usual letter."""


class Component(NamedTuple):
    """Connected ink of a line: a letter, or a part of one. Edges are in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


@dataclass(frozen=True)
class LineInk:
    """Ink of an upright line. `unit` is the height of a usual letter, and `baseline` is its lower edge.

    All lengths are pixels of the line as enlarged by `scale`.
    """

    mask: npt.NDArray[np.uint8]
    components: list[Component]
    unit: float
    baseline: float
    scale: float

    @classmethod
    def of(cls, line: Pixels) -> Self | None:
        """Return the ink of the image of a line; None if its letters are too small for signs."""
        import cv2

        grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
        scale = max(1.0, MIN_LINE_HEIGHT / line.shape[0])
        if scale > 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
        if float(mask.mean()) > 127:  # white on black
            mask = 255 - mask
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] > MIN_AREA * scale]
        letters = stats[stats[:, cv2.CC_STAT_HEIGHT] > MIN_LETTER_HEIGHT * scale]
        if not len(letters):
            return None
        heights = letters[:, cv2.CC_STAT_HEIGHT]
        unit = float(np.median(heights))
        bottoms = letters[:, cv2.CC_STAT_TOP] + heights
        baseline = float(np.median(bottoms[heights > unit / 2]))
        components = sorted(map(Component._make, stats[:, : cv2.CC_STAT_AREA].tolist()))
        return cls(np.asarray(mask, np.uint8), components, unit, baseline, scale)

    def part(self, component: Component) -> npt.NDArray[np.uint8]:
        """Return the ink of a component in its box, 0 or 255, without others that reach into the box."""
        import cv2

        box = self.mask[component.top : component.bottom, component.left : component.right]
        _, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(box))
        sizes = stats[1:, cv2.CC_STAT_WIDTH] + stats[1:, cv2.CC_STAT_HEIGHT]
        return np.where(labels == 1 + int(sizes.argmax()), box, 0).astype(np.uint8)

    def opens_word(self, sign: Sequence[Component]) -> bool:
        """Return whether parts of a sign have white to their left and a letter to their right."""
        left, right = min(one.left for one in sign), max(one.right for one in sign)
        others = [one for one in self.components if one not in sign and one.height > self.unit / 3]
        before = max((one.right for one in others if one.left < left), default=-np.inf)
        after = min(
            (one.left for one in others if one.left >= left and one.bottom > sign[0].top), default=np.inf
        )
        return left - before >= MIN_WORD_GAP * self.unit and after - right <= MAX_SIGN_GAP * self.unit
